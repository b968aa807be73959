// Whether a text names one of some ids: where values of many kinds were taken as they came.
//
// An id of 8 bytes counts anywhere, one of 4 where it stands by itself, and a shorter one only as
// the whole value of a field whose name ends in "id": everything else is chance. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::events {

class Mention {
 public:
  static constexpr std::size_t k_word_bytes = 4;
  static constexpr std::size_t k_sure_bytes = 8;

  explicit Mention(std::vector<std::string> ids);
  bool is_in(std::string_view text) const;
  // Of a value that is an id by its place.
  bool is_id(std::string_view text) const;
  // The same of JSON, whose escapes may hide an id. Text that is no JSON is text.
  bool is_in_json(std::string_view json) const;
  // JSON in which every value that names an id is null, and every such name is gone with its value.
  // Text that is no JSON comes back empty when it names one.
  std::string without(std::string_view json) const;

 private:
  bool may_be_in(std::string_view json) const;
  std::vector<std::string> ids_;
};

}  // namespace vitrine::events
