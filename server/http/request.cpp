#include "server/http/request.h"

#include "base/check.h"
#include "base/status.h"

namespace vitrine::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  if (fields_.empty()) {
    constexpr std::size_t k_usual_bytes = 512;
    constexpr std::size_t k_usual_fields = 8;
    block_.reserve(k_usual_bytes);
    fields_.reserve(k_usual_fields);
  }
  fields_.push_back({block_.size(), name.size(), value.size()});
  block_ += name;
  block_ += value;
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (!equal_without_case(name_of(field), name)) continue;
    return std::string_view(block_).substr(field.begin + field.name_size, field.value_size);
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (const Field& field : fields_) found += equal_without_case(name_of(field), name) ? 1 : 0;
  return found;
}

std::optional<std::string_view> find_parameter(const Parameters& parameters,
                                               std::string_view name) {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return std::nullopt;
}

absl::StatusOr<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0)) {
        return invalid_argument("'%' in the URL must be followed by two hex digits other than 00");
      }
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

absl::StatusOr<Parameters> parse_query(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    VITRINE_ASSIGN_OR_RETURN(std::string name, percent_decode(pair.substr(0, equals), true));
    VITRINE_ASSIGN_OR_RETURN(std::string value,
                             percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

std::string_view Request::path(std::string_view name) const {
  const std::optional<std::string_view> value = find_parameter(path_parameters, name);
  CHECK(value.has_value(), "a handler asks for parameters of its own pattern");
  return *value;
}

}  // namespace vitrine::http
