// Amounts of money: integer minor units and a currency, never a float.
//
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine {

struct Money {
  std::int64_t minor = 0;  // in the currency's smallest unit: cents, pence, yen
  friend constexpr auto operator<=>(Money, Money) = default;
};

// Digits after the point by ISO 4217: 2 for most, 0 for JPY, KRW, VND, ..., 3 for KWD, BHD, ....
int currency_digits(std::string_view currency);

// Three capital letters, as ISO 4217 writes them.
bool is_currency(std::string_view text);

// Reads "19.90", "-3" or "0.125": more decimals than the currency has are rounded half away from
// zero. Errors: InvalidArgument for anything else, exponents and amounts beyond 10^15 minor units
// included.
absl::StatusOr<Money> parse_money(std::string_view text, std::string_view currency);

// "19.90" for 1990 minor units of EUR, "1990" for JPY.
std::string format_money(Money amount, std::string_view currency);

}  // namespace vitrine
