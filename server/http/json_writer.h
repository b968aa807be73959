// Appends JSON to a string by hand: no document in between, numbers in their shortest form.
//
// Commas are taken care of; matching begin and end is the caller's. Text that is not UTF-8 comes
// out with U+FFFD in place of what is broken, a float that is not finite as null. Not thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vitrine::http {

class JsonWriter {
 public:
  // `out` must outlive the writer; what it holds stays in front.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(std::same_as<bool> auto truth) { return raw(truth ? "true" : "false"); }
  JsonWriter& value(std::signed_integral auto number) {
    return signed_value(static_cast<std::int64_t>(number));
  }
  JsonWriter& value(std::unsigned_integral auto number)
    requires(!std::same_as<decltype(number), bool>)
  {
    return unsigned_value(static_cast<std::uint64_t>(number));
  }
  JsonWriter& value(float number);
  JsonWriter& value(double number);
  JsonWriter& null() { return raw("null"); }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  // `json` is appended as it is.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& signed_value(std::int64_t number);
  JsonWriter& unsigned_value(std::uint64_t number);
  void separate();

  std::string& out_;
  bool needs_comma_ = false;
};

// Appends `text` in quotes, escaped.
void append_json_text(std::string& out, std::string_view text);

}  // namespace vitrine::http
