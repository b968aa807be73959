// Who is in a segment: a compressed bitmap over people's numbers; the door to Roaring.
//
// Sizes and overlaps are exact and take microseconds. Thread-safe as a value is: const methods from
// any thread while nobody changes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"

namespace vitrine::segments {

class Membership {
 public:
  Membership();
  ~Membership();
  Membership(const Membership& other);
  Membership& operator=(const Membership& other);
  Membership(Membership&&) noexcept;
  Membership& operator=(Membership&&) noexcept;

  // Whether anything changed.
  bool set(UserNumber user, bool is_in);
  bool contains(UserNumber user) const;
  std::size_t size() const;
  std::size_t bytes() const;  // in its stored form, about as in memory
  void shrink();              // after many changes

  std::size_t size_of_both(const Membership& other) const;
  // Up to `count_max` members past `after`, ascending.
  std::vector<UserNumber> list(UserNumber after, std::size_t count_max) const;

  std::string encode() const;
  // None, when the bytes are not what `encode` makes, be they damaged anywhere.
  static std::optional<Membership> decode(std::string_view bytes);

  friend bool operator==(const Membership& a, const Membership& b);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::segments
