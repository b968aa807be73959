#include "server/http/request_body.h"

#include <algorithm>
#include <utility>

#include "base/inflate.h"
#include "base/status.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace {

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return low;
}

std::string coding_of(const Request& request) {
  return lower(request.headers.find("Content-Encoding").value_or("identity"));
}

bool is_packing(std::string_view coding) {
  return coding == "gzip" || coding == "x-gzip" || coding == "deflate";
}

}  // namespace

bool is_long_to_read(const Request& request) {
  return request.body.size() > k_read_at_once_bytes || is_packing(coding_of(request)) ||
         is_gzip(request.body);
}

absl::StatusOr<std::string> take_body(Request& request, std::size_t max_bytes) {
  const std::string coding = coding_of(request);
  const bool is_packed = is_packing(coding);
  if (!is_packed && coding != "identity" && !coding.empty()) {
    return field_error("Content-Encoding",
                       fmt::format("Content-Encoding must be gzip, deflate or identity, got {}",
                                   coding.substr(0, 64)));
  }
  if (!is_packed && !is_gzip(request.body)) return std::move(request.body);
  absl::StatusOr<std::string> body = inflate(request.body, max_bytes);
  if (body.ok() || body.status().code() == absl::StatusCode::kOutOfRange) return body;
  return field_error("Content-Encoding",
                     fmt::format("the body cannot be unpacked: {}", message_of(body.status())));
}

}  // namespace vitrine::http
