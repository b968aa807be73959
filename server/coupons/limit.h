// How much may be given away: of what, counted for whom, in which time.
//
// Thread-safe (values).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::coupons {

// liability: what was promised by grants and not used yet, and what was given on them.
// stock: gifts; of offers by line the pieces, or sets, that cost less.
enum class Measure : std::uint8_t { uses, discount, issued, liability, stock, points };
constexpr Measure k_measures[] = {Measure::uses,      Measure::discount, Measure::issued,
                                  Measure::liability, Measure::stock,    Measure::points};
std::string_view name_of(Measure measure);

enum class Scope : std::uint8_t { global, user, code, identifier, market, order };
constexpr Scope k_scopes[] = {Scope::global,     Scope::user,   Scope::code,
                              Scope::identifier, Scope::market, Scope::order};
std::string_view name_of(Scope scope);

enum class Period : std::uint8_t { lifetime, day, week, month };
constexpr Period k_periods[] = {Period::lifetime, Period::day, Period::week, Period::month};
std::string_view name_of(Period period);

struct Limit {
  static constexpr std::int64_t k_value_max = 1'000'000'000'000'000;

  Measure measure = Measure::uses;
  Scope scope = Scope::global;
  Period period = Period::lifetime;
  std::string currency = {};  // of discount and liability
  std::int64_t value = 0;     // minor units of money, else a count
  bool caps = false;          // a discount is cut down to what is left instead of being refused
  friend bool operator==(const Limit&, const Limit&) = default;
};

constexpr bool is_money(Measure measure) {
  return measure == Measure::discount || measure == Measure::liability;
}

}  // namespace vitrine::coupons
