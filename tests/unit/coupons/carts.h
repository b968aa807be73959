// Carts and offers as the tests of prices write them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "server/coupons/pricing.h"
#include "server/coupons/stacking.h"

namespace vitrine::coupons {

inline Cart cart_of(std::vector<CartLine> lines, std::int64_t shipping = 0) {
  return {.lines = std::move(lines),
          .shipping = {shipping},
          .currency = "EUR",
          .market = "",
          .channel = ""};
}

inline std::vector<std::int64_t> minors(const std::vector<Money>& amounts) {
  std::vector<std::int64_t> all;
  for (const Money amount : amounts) all.push_back(amount.minor);
  return all;
}

// Owns what candidates point to.
class Offers {
 public:
  explicit Offers(std::size_t lines) : lines_(lines) {}

  Applied make(std::string id, Effect effect, Amounts amounts, std::vector<bool> covers = {}) {
    amounts.currency = "EUR";
    if (covers.empty()) covers.assign(lines_, true);
    const std::string& kept = ids_.emplace_back(std::move(id));
    return {.id = kept,
            .effect = &effects_.emplace_back(std::move(effect)),
            .amounts = &amounts_.emplace_back(std::move(amounts)),
            .covers = std::move(covers)};
  }
  Applied reduction(std::string id, std::vector<Tier> tiers, bool repeats = false) {
    return make(std::move(id), {.kind = Kind::full_reduction, .repeats = repeats},
                {.tiers = std::move(tiers)});
  }
  Applied percent(std::string id, std::int64_t off_basis_points) {
    return make(std::move(id), {.kind = Kind::percent, .off_basis_points = off_basis_points}, {});
  }

 private:
  std::size_t lines_;
  std::deque<std::string> ids_;
  std::deque<Effect> effects_;
  std::deque<Amounts> amounts_;
};

}  // namespace vitrine::coupons
