// Which segments each person is in, person by person: the bitmaps of all segments turned over.
//
// What follows an event finds all it knows of a person in one place and touches the bitmaps of
// those segments alone that change. A bit a person and segment. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/ids.h"
#include "server/segments/membership.h"

namespace vitrine::segments {

class MemberRows {
 public:
  // A column without members. Those that were given back are given out again.
  std::size_t add();
  void give_back(std::size_t column) { free_.push_back(column); }

  void fill(std::size_t column, const Membership& members);
  bool has(UserNumber user, std::size_t column) const;
  // Whether that changes anything.
  bool set(UserNumber user, std::size_t column, bool is_in);

  std::size_t bytes() const { return bits_.capacity() * sizeof(std::uint64_t); }
  // Of one column.
  std::size_t column_bytes() const;

 private:
  static constexpr std::size_t k_bits = 64;

  void clear(std::size_t column);
  void widen();
  void make_room(UserNumber user);

  std::vector<std::uint64_t> bits_;  // by person, `words_` each
  std::size_t words_ = 1;
  std::size_t columns_ = 0;
  std::vector<std::size_t> free_;
};

}  // namespace vitrine::segments
