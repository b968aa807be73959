#include "server/coupons/spread.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "base/check.h"

namespace vitrine::coupons {
namespace {

// A discount times a line's amount is more than 64 bits hold.
__extension__ using Wide = __int128;

}  // namespace

Money share_of(Money amount, std::int64_t part, std::int64_t whole) {
  const Wide twice = Wide{2} * amount.minor * part + whole;
  return {static_cast<std::int64_t>(twice / (Wide{2} * whole))};
}

std::vector<Money> spread(Money total, std::span<const Money> weights) {
  Wide sum = 0;
  for (const Money weight : weights) {
    CHECK(weight.minor >= 0, "a weight is not negative");
    sum += weight.minor;
  }
  CHECK(total.minor >= 0 && total.minor <= sum, "no more is divided than there is");
  std::vector<Money> parts(weights.size());
  if (total.minor == 0) return parts;
  std::vector<Wide> lost(weights.size());
  std::int64_t left = total.minor;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Wide exact = Wide{total.minor} * weights[i].minor;
    parts[i].minor = static_cast<std::int64_t>(exact / sum);
    lost[i] = exact % sum;
    left -= parts[i].minor;
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return lost[a] != lost[b] ? lost[a] > lost[b] : a < b;
  });
  for (std::size_t i = 0; left > 0; ++i, --left) ++parts[order[i]].minor;
  return parts;
}

}  // namespace vitrine::coupons
