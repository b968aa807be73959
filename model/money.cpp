#include "model/money.h"

#include <algorithm>
#include <array>

#include "base/status.h"

namespace vitrine {
namespace {

constexpr std::int64_t k_minor_max = 1'000'000'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

int currency_digits(std::string_view currency) {
  static constexpr std::array<std::string_view, 16> k_none = {
      "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
      "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
  static constexpr std::array<std::string_view, 7> k_three = {"BHD", "IQD", "JOD", "KWD",
                                                              "LYD", "OMR", "TND"};
  if (std::ranges::find(k_none, currency) != k_none.end()) return 0;
  if (std::ranges::find(k_three, currency) != k_three.end()) return 3;
  return 2;
}

bool is_currency(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

absl::StatusOr<Money> parse_money(std::string_view text, std::string_view currency) {
  const auto refused = [&] {
    return invalid_argument(
        "'{}' is not an amount: use a decimal like \"19.90\", at most {} minor units",
        text.substr(0, 32), k_minor_max);
  };
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative) rest.remove_prefix(1);
  if (rest.empty() || !is_digit(rest.front())) return refused();

  std::int64_t minor = 0;
  std::size_t at = 0;
  for (; at < rest.size() && is_digit(rest[at]); ++at) {
    minor = minor * 10 + (rest[at] - '0');
    if (minor > k_minor_max) return refused();
  }
  std::string_view decimals;
  if (at < rest.size()) {
    if (rest[at] != '.') return refused();
    decimals = rest.substr(at + 1);
    if (decimals.empty() || !std::ranges::all_of(decimals, is_digit)) return refused();
  }
  const auto digits = static_cast<std::size_t>(currency_digits(currency));
  for (std::size_t i = 0; i < digits; ++i) {
    minor = minor * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
    if (minor > k_minor_max) return refused();
  }
  if (decimals.size() > digits && decimals[digits] >= '5') ++minor;
  return Money{negative ? -minor : minor};
}

std::string format_money(Money amount, std::string_view currency) {
  const auto digits = static_cast<std::size_t>(currency_digits(currency));
  std::string text = std::to_string(amount.minor < 0 ? -amount.minor : amount.minor);
  if (text.size() <= digits) text.insert(0, digits + 1 - text.size(), '0');
  if (digits > 0) text.insert(text.size() - digits, 1, '.');
  if (amount.minor < 0) text.insert(0, 1, '-');
  return text;
}

}  // namespace vitrine
