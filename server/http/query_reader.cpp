#include "server/http/query_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "server/http/response.h"

namespace vitrine::http {

void QueryReader::refuse(std::string_view name, std::string_view message) {
  if (status_.ok()) status_ = field_error(name, fmt::format("{} {}", name, message));
}

std::optional<std::string_view> QueryReader::text(std::string_view name, std::size_t max_bytes) {
  known_.push_back(name);
  const std::optional<std::string_view> found = find_parameter(parameters_, name);
  if (!found || found->empty()) return std::nullopt;
  if (found->size() > max_bytes) {
    refuse(name, fmt::format("must have at most {} bytes, got {}", max_bytes, found->size()));
    return std::nullopt;
  }
  return found;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t low,
                                                 std::int64_t high) {
  constexpr std::size_t k_digits_max = 20;
  const std::optional<std::string_view> found = text(name, k_digits_max);
  if (!found) return std::nullopt;
  std::int64_t number = 0;
  const char* end = found->data() + found->size();
  const auto read = std::from_chars(found->data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < low || number > high) {
    refuse(name, fmt::format("must be an integer between {} and {}, got {}", low, high, *found));
    return std::nullopt;
  }
  return number;
}

std::optional<bool> QueryReader::boolean(std::string_view name) {
  constexpr std::size_t k_bytes_max = 20;
  const std::optional<std::string_view> found = text(name, k_bytes_max);
  if (!found) return std::nullopt;
  if (*found != "true" && *found != "false") {
    refuse(name, fmt::format("must be true or false, got {}", *found));
    return std::nullopt;
  }
  return *found == "true";
}

std::vector<std::string> QueryReader::texts(std::string_view name, std::size_t max_count,
                                            std::size_t max_bytes) {
  std::vector<std::string> found;
  std::string_view rest = text(name, max_count * (max_bytes + 1)).value_or("");
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma > max_bytes) {
      refuse(name, fmt::format("must have entries of at most {} bytes", max_bytes));
      return {};
    }
    if (comma > 0) found.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (found.size() > max_count) {
    refuse(name, fmt::format("must have at most {} entries, got {}", max_count, found.size()));
  }
  return found;
}

absl::Status QueryReader::finish() {
  if (!status_.ok()) return status_;
  known_.push_back("key");
  for (auto parameter = parameters_.begin(); parameter != parameters_.end(); ++parameter) {
    const std::string& name = parameter->first;
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      refuse(name, fmt::format("is not a parameter here; allowed are {}", fmt::join(known_, ", ")));
    }
    if (std::any_of(parameters_.begin(), parameter,
                    [&](const auto& earlier) { return earlier.first == name; })) {
      refuse(name, "must be given once");
    }
  }
  return status_;
}

}  // namespace vitrine::http
