#include "server/http/json_reader.h"

#include <fmt/format.h>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>

#include "base/status.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace json = boost::json;
namespace {

std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

}  // namespace

absl::Status JsonDocument::parse(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  unsigned char scratch[1024];
  json::parser parser(json::storage_ptr(), options, scratch);
  parser.reset(&memory_);
  boost::system::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (error == json::error::too_deep) {
    return invalid_argument("the body must not be nested deeper than {} levels", max_depth);
  }
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error) {
    return invalid_argument("the body must be JSON, but at byte {}: {}", read, error.message());
  }
  root_ = parser.release();
  return absl::OkStatus();
}

ObjectReader::ObjectReader(const json::value& value, std::string path)
    : fields_(value.if_object()), path_(std::move(path)) {
  if (fields_ != nullptr) return;
  const std::string_view what = path_.empty() ? std::string_view("the body") : path_;
  status_ =
      with_field(invalid_argument("{} must be an object, got {}", what, kind_name(value)), path_);
}

std::string ObjectReader::path_to(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void ObjectReader::refuse(std::string_view name, std::string_view message) {
  if (!status_.ok()) return;
  const std::string path = path_to(name);
  status_ = field_error(path, fmt::format("{} {}", path, message));
}

const json::value* ObjectReader::find(std::string_view name) {
  known_.push_back(name);
  if (fields_ == nullptr) return nullptr;
  const json::value* value = fields_->if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool ObjectReader::has(std::string_view name) const {
  return fields_ != nullptr && fields_->contains({name.data(), name.size()});
}

std::optional<std::string_view> ObjectReader::text_of(const json::value& value,
                                                      std::string_view name,
                                                      std::size_t max_bytes) {
  const json::string* text = value.if_string();
  if (text == nullptr) {
    refuse(name, fmt::format("must be a text, got {}", kind_name(value)));
    return std::nullopt;
  }
  if (text->size() > max_bytes) {
    refuse(name, fmt::format("must have at most {} bytes, got {}", max_bytes, text->size()));
    return std::nullopt;
  }
  return view(*text);
}

std::optional<std::string_view> ObjectReader::text(std::string_view name, std::size_t max_bytes) {
  const json::value* value = find(name);
  return value == nullptr ? std::nullopt : text_of(*value, name, max_bytes);
}

std::string_view ObjectReader::required_text(std::string_view name, std::size_t max_bytes) {
  const json::value* value = find(name);
  if (value == nullptr) {
    refuse(name, "is required");
    return {};
  }
  const std::string_view found = text_of(*value, name, max_bytes).value_or("");
  if (found.empty()) refuse(name, "must not be empty");
  return found;
}

std::optional<std::int64_t> ObjectReader::integer(std::string_view name, std::int64_t low,
                                                  std::int64_t high) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || value->is_double()) {
    refuse(name, fmt::format("must be an integer between {} and {}, got {}", low, high,
                             value->is_double() ? "a fraction" : kind_name(*value)));
    return std::nullopt;
  }
  if (value->is_uint64() || value->get_int64() < low || value->get_int64() > high) {
    refuse(name,
           value->is_uint64()
               ? fmt::format("must be between {} and {}, got {}", low, high, value->get_uint64())
               : fmt::format("must be between {} and {}, got {}", low, high, value->get_int64()));
    return std::nullopt;
  }
  return value->get_int64();
}

std::optional<double> ObjectReader::number(std::string_view name, double low, double high) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    refuse(name, fmt::format("must be a number, got {}", kind_name(*value)));
    return std::nullopt;
  }
  const double found = value->to_number<double>();
  if (!(found >= low && found <= high)) {
    refuse(name, fmt::format("must be between {} and {}, got {}", low, high, found));
    return std::nullopt;
  }
  return found;
}

std::optional<bool> ObjectReader::boolean(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) {
    refuse(name, fmt::format("must be true or false, got {}", kind_name(*value)));
    return std::nullopt;
  }
  return value->get_bool();
}

const json::array* ObjectReader::array(std::string_view name, std::size_t max_count) {
  const json::value* value = find(name);
  if (value == nullptr) return nullptr;
  const json::array* found = value->if_array();
  if (found == nullptr) {
    refuse(name, fmt::format("must be an array, got {}", kind_name(*value)));
  } else if (found->size() > max_count) {
    refuse(name, fmt::format("must have at most {} entries, got {}", max_count, found->size()));
    return nullptr;
  }
  return found;
}

std::vector<std::string_view> ObjectReader::texts(std::string_view name, std::size_t max_count,
                                                  std::size_t max_bytes) {
  std::vector<std::string_view> found;
  const json::array* values = array(name, max_count);
  if (values == nullptr) return found;
  found.reserve(values->size());
  for (const json::value& value : *values) {
    const std::string entry = fmt::format("{}[{}]", name, found.size());
    const std::optional<std::string_view> text = text_of(value, entry, max_bytes);
    if (!text) return {};
    found.push_back(*text);
  }
  return found;
}

const json::value* ObjectReader::object(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr || value->is_object()) return value;
  refuse(name, fmt::format("must be an object, got {}", kind_name(*value)));
  return nullptr;
}

const json::value* ObjectReader::any(std::string_view name) { return find(name); }

absl::Status ObjectReader::finish() {
  if (!status_.ok() || fields_ == nullptr) return status_;
  for (const json::key_value_pair& field : *fields_) {
    const std::string_view name = view(field.key());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    refuse(name, fmt::format("is not a field here; allowed are {}", fmt::join(known_, ", ")));
    break;
  }
  return status_;
}

}  // namespace vitrine::http
