#include "server/http/handlers/if_match.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "server/http/response.h"

namespace vitrine::http {

absl::StatusOr<std::optional<std::uint64_t>> expected_version(const Request& request) {
  const std::optional<std::string_view> header = request.headers.find("If-Match");
  if (!header || *header == "*") return std::nullopt;
  std::string_view text = *header;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  std::uint64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return field_error("If-Match",
                       fmt::format("If-Match must be a version like \"3\", got {}", *header));
  }
  return version;
}

}  // namespace vitrine::http
