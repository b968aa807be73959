// Reads JSON strictly: a wrong type, a value out of range and an unknown field are errors that name
// the field and what is allowed.
//
// A handler parses a body once and asks an ObjectReader for each field it knows; the first error
// sticks, later calls give defaults, and finish() tells. An explicit null counts as absent. Not
// thread-safe.
#pragma once

#include <absl/status/status.h>

#include <boost/json/fwd.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::http {

// A parsed body. Everything read from it lives as long as the document and the text it was parsed
// from.
class JsonDocument {
 public:
  JsonDocument() : memory_(first_block_, sizeof first_block_) {}
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // InvalidArgument: not JSON, not UTF-8, nested deeper than `max_depth`. Once per document.
  absl::Status parse(std::string_view text, std::size_t max_depth);

  const boost::json::value& root() const { return root_; }

 private:
  unsigned char first_block_[4096];
  boost::json::monotonic_resource memory_;
  boost::json::value root_;
};

class ObjectReader {
 public:
  // `path` stands before field names in messages: "events[3]"; empty for the body itself. A `value`
  // that is no object is the first error. `value` and the names asked for must outlive the reader.
  ObjectReader(const boost::json::value& value, std::string path);

  // Texts are returned as views into the document. `max_bytes` bounds them; empty text is refused
  // where required.
  std::string_view required_text(std::string_view name, std::size_t max_bytes);
  std::optional<std::string_view> text(std::string_view name, std::size_t max_bytes);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high);
  std::optional<double> number(std::string_view name, double low, double high);
  std::optional<bool> boolean(std::string_view name);
  // Up to `max_count` texts; empty when absent.
  std::vector<std::string_view> texts(std::string_view name, std::size_t max_count,
                                      std::size_t max_bytes);
  // Null when absent.
  const boost::json::array* array(std::string_view name, std::size_t max_count);
  const boost::json::value* object(std::string_view name);
  // Any type; null when absent.
  const boost::json::value* any(std::string_view name);

  bool has(std::string_view name) const;  // present, even as null; does not count as asked for

  // Reports a finding of the caller's own about a field, unless there is an earlier one.
  void refuse(std::string_view name, std::string_view message);

  // The first error, or an unknown field. Call last: every field has been asked for by then.
  absl::Status finish();
  bool ok() const { return status_.ok(); }

 private:
  const boost::json::value* find(std::string_view name);
  std::string path_to(std::string_view name) const;
  std::optional<std::string_view> text_of(const boost::json::value& value, std::string_view name,
                                          std::size_t max_bytes);

  const boost::json::object* fields_ = nullptr;
  std::string path_;
  std::vector<std::string_view> known_;
  absl::Status status_;
};

}  // namespace vitrine::http
