#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>

// Values of stored records; what is not as it was written throws.
namespace vitrine::coupons {
inline std::string text(const boost::json::value& value) {
  return boost::json::value_to<std::string>(value);
}

inline std::uint64_t number(const boost::json::value& value) {
  return value.to_number<std::uint64_t>();
}

// An enumerator by its number, from 0 to `last`.
template <class Enum>
Enum choice(const boost::json::value& value, Enum last) {
  const auto stored = number(value);
  if (stored > static_cast<std::uint64_t>(last)) throw std::out_of_range("no such choice");
  return static_cast<Enum>(stored);
}

}  // namespace vitrine::coupons
