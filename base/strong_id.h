// A number that names one kind of thing and cannot be mistaken for another.
#pragma once

#include <compare>
#include <cstdint>
#include <utility>

namespace vitrine {

template <class Tag, class Number = std::uint32_t>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Number value) : value_(value) {}
  constexpr Number value() const { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

  template <class H>
  friend H AbslHashValue(H state, StrongId id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  Number value_ = 0;
};

}  // namespace vitrine
