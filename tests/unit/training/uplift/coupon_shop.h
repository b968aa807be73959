// A shop with coupons, drawn so that what is to be found is known.
#pragma once

#include <algorithm>
#include <string>

#include "base/random.h"
#include "training/uplift/coupon_books.h"

namespace vitrine::training {

struct CouponShopOptions {
  std::uint32_t people = 200;
  std::uint32_t campaigns = 8;  // one a month
  std::uint32_t coupons = 12;   // in each; each is good for one type of product
  std::uint64_t seed = 1;
};

// Everybody prefers one type of product, buys it three times of four and redeems coupons for it
// with a chance of its own: one person in four redeems at all.
inline CouponBooks coupon_shop(const CouponShopOptions& options = {}) {
  constexpr std::uint32_t k_types = 12;
  constexpr Day k_month = 30;
  Random random(options.seed);
  CouponBooks books;
  for (std::uint32_t type = 0; type < k_types; ++type) {
    books.group_of_type.push_back(type / 4);
    for (int i = 0; i < 5; ++i) books.products.push_back({type, type / 4});
  }
  books.department_count = 3;
  for (std::uint32_t c = 0; c < options.campaigns; ++c) {
    const Day start = k_month * static_cast<Day>(c + 1);
    books.campaigns.push_back({std::to_string(c), c % 2 == 0 ? "A" : "B", start, start + 20, {}});
    for (std::uint32_t i = 0; i < options.coupons; ++i) {
      const std::uint32_t type = i % k_types;
      books.campaigns.back().coupons.push_back(static_cast<std::uint32_t>(books.coupons.size()));
      books.coupons.push_back(
          {c, type / 4, start, start + 20, {5 * type, 5 * type + 1, 5 * type + 2}});
    }
  }
  for (std::uint32_t person = 0; person < options.people; ++person) {
    books.people.push_back(std::to_string(person));
    books.campaigns_of.emplace_back();
    const auto liked = static_cast<std::uint32_t>(random.below(k_types));
    const double redeems = person % 4 == 0 ? 0.5 : 0.01;
    for (Day day = static_cast<Day>(random.below(7)); day < k_month * 10; day += 7) {
      const auto type =
          random.uniform() < 0.75 ? liked : static_cast<std::uint32_t>(random.below(k_types));
      books.purchases.push_back(
          {day, person, static_cast<std::uint32_t>(5 * type + random.below(5)), false});
    }
    for (std::uint32_t c = 0; c < options.campaigns; ++c) {
      books.campaigns_of[person].push_back(c);
      for (const std::uint32_t coupon : books.campaigns[c].coupons) {
        const Day start = books.campaigns[c].start;
        books.grants.push_back({start, start + 20, person, coupon});
        const bool is_liked = books.coupons[coupon].products.front() / 5 == liked;
        if (random.uniform() < redeems * (is_liked ? 1.0 : 0.05))
          books.redemptions.push_back({start + static_cast<Day>(random.below(20)), person, coupon});
      }
    }
  }
  std::ranges::stable_sort(books.grants, {}, &CouponBooks::Grant::day);
  std::ranges::stable_sort(books.redemptions, {}, &CouponBooks::Redemption::day);
  std::ranges::stable_sort(books.purchases, {}, &CouponBooks::Purchase::day);
  return books;
}

}  // namespace vitrine::training
