// What was known of people and coupons before a day, and what it says of a coupon for a person.
//
// Days only go forward: nothing of the day itself or later is ever looked at.
// Thread-safety: one thread.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <vector>

#include "training/uplift/coupon_books.h"

namespace vitrine::training {

class CouponHistory {
 public:
  // `books` outlives the history.
  explicit CouponHistory(const CouponBooks& books);

  // Takes in what happened before `day`.
  void advance(Day day);

  // Purchases so far of products that the coupon is good for, by this person.
  std::uint32_t covered_purchases(std::uint32_t person, std::uint32_t coupon) const;
  // 1 for the day before, falling by half in about six weeks; 0 without one.
  double covered_recency(std::uint32_t person, std::uint32_t coupon) const;
  // The share of the person's next purchases that the coupon is expected to be good for: of each
  // type of product, the person's propensity (own purchases, drawn towards the shop's within the
  // group, and the group's towards the shop's) times the part of the type's sales that the coupon
  // covers.
  double demand(std::uint32_t person, std::uint32_t coupon) const;

  std::uint32_t redemptions_by(std::uint32_t person) const { return redemptions_by_[person]; }
  // Days on which the person redeemed anything.
  std::uint32_t redeeming_days(std::uint32_t person) const { return redeeming_days_[person]; }
  double redeeming_recency(std::uint32_t person) const;
  // Campaigns of the person that began before.
  std::uint32_t campaigns_before(std::uint32_t person) const;
  bool used_coupons_in_purchases(std::uint32_t person) const { return coupon_lines_[person] > 0; }

  std::uint32_t redemptions_of(std::uint32_t coupon) const { return redemptions_of_[coupon]; }
  // The coupon's part of its campaign's redemptions, every coupon counted as half a one before.
  double share_of_campaign(std::uint32_t coupon) const;
  // The department's part of all redemptions, drawn towards all alike as if by ten.
  double department_share(std::uint32_t coupon) const;

  Day day() const { return day_; }

 private:
  struct TypeSales {
    std::uint32_t type = 0;
    std::uint32_t sales = 0;
  };
  struct Covered {
    std::uint32_t count = 0;
    Day last = 0;
  };
  using Counts = absl::flat_hash_map<std::uint64_t, std::uint32_t>;

  void take(const CouponBooks::Purchase& purchase);
  void take(const CouponBooks::Redemption& redemption);
  static std::uint64_t pair(std::uint32_t a, std::uint32_t b) {
    return (static_cast<std::uint64_t>(a) << 32U) | b;
  }
  static std::uint32_t count_in(const Counts& counts, std::uint32_t a, std::uint32_t b);

  const CouponBooks& books_;
  Day day_ = 0;
  std::size_t purchases_taken_ = 0;
  std::size_t redemptions_taken_ = 0;
  std::vector<std::vector<std::uint32_t>> coupons_of_product_;

  std::vector<std::uint32_t> purchases_by_;  // by person
  Counts by_type_;                           // of person and type
  Counts by_group_;                          // of person and group
  std::vector<std::uint32_t> sales_of_type_;
  std::vector<std::uint32_t> sales_of_group_;
  std::vector<std::uint32_t> coupon_lines_;              // by person
  std::vector<std::vector<TypeSales>> covered_sales_;    // by coupon
  absl::flat_hash_map<std::uint64_t, Covered> covered_;  // of person and coupon

  std::vector<std::uint32_t> redemptions_by_;  // by person
  std::vector<std::uint32_t> redeeming_days_;
  std::vector<Day> last_redeemed_;
  std::vector<std::uint32_t> redemptions_of_;  // by coupon
  std::vector<std::uint32_t> redemptions_in_;  // by campaign
  std::vector<std::uint32_t> redemptions_in_department_;
};

}  // namespace vitrine::training
