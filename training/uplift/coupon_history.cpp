#include "training/uplift/coupon_history.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace vitrine::training {
namespace {

constexpr double k_recency_days = 60;     // in which a recency falls to 1 / e
constexpr double k_type_purchases = 3;    // as which the shop counts within a group
constexpr double k_group_purchases = 10;  // as which the shop counts between groups
constexpr double k_coupon_prior = 0.5;
constexpr double k_department_prior = 1;
constexpr double k_department_prior_all = 10;

}  // namespace

CouponHistory::CouponHistory(const CouponBooks& books)
    : books_(books),
      coupons_of_product_(books.products.size()),
      purchases_by_(books.people.size()),
      sales_of_type_(books.group_of_type.size()),
      sales_of_group_(books.group_of_type.size()),  // there are no more groups than types
      coupon_lines_(books.people.size()),
      covered_sales_(books.coupons.size()),
      redemptions_by_(books.people.size()),
      redeeming_days_(books.people.size()),
      last_redeemed_(books.people.size()),
      redemptions_of_(books.coupons.size()),
      redemptions_in_(books.campaigns.size()),
      redemptions_in_department_(books.department_count) {
  for (std::uint32_t coupon = 0; coupon < books.coupons.size(); ++coupon) {
    for (const std::uint32_t product : books.coupons[coupon].products) {
      std::vector<std::uint32_t>& coupons = coupons_of_product_[product];
      if (coupons.empty() || coupons.back() != coupon) coupons.push_back(coupon);
    }
  }
}

void CouponHistory::advance(Day day) {
  CHECK(day >= day_, "days go forward");
  day_ = day;
  for (; purchases_taken_ < books_.purchases.size() && books_.purchases[purchases_taken_].day < day;
       ++purchases_taken_)
    take(books_.purchases[purchases_taken_]);
  for (; redemptions_taken_ < books_.redemptions.size() &&
         books_.redemptions[redemptions_taken_].day < day;
       ++redemptions_taken_)
    take(books_.redemptions[redemptions_taken_]);
}

void CouponHistory::take(const CouponBooks::Purchase& purchase) {
  const CouponBooks::Product& product = books_.products[purchase.product];
  ++purchases_by_[purchase.person];
  ++by_type_[pair(purchase.person, product.type)];
  ++by_group_[pair(purchase.person, product.group)];
  ++sales_of_type_[product.type];
  ++sales_of_group_[product.group];
  if (purchase.has_coupon) ++coupon_lines_[purchase.person];
  for (const std::uint32_t coupon : coupons_of_product_[purchase.product]) {
    Covered& covered = covered_[pair(purchase.person, coupon)];
    ++covered.count;
    covered.last = purchase.day;
    std::vector<TypeSales>& sales = covered_sales_[coupon];
    const auto at = std::ranges::find(sales, product.type, &TypeSales::type);
    if (at == sales.end()) {
      sales.push_back({product.type, 1});
    } else {
      ++at->sales;
    }
  }
}

void CouponHistory::take(const CouponBooks::Redemption& redemption) {
  const CouponBooks::Coupon& coupon = books_.coupons[redemption.coupon];
  if (redemptions_by_[redemption.person] == 0 ||
      last_redeemed_[redemption.person] != redemption.day)
    ++redeeming_days_[redemption.person];
  ++redemptions_by_[redemption.person];
  last_redeemed_[redemption.person] = redemption.day;
  ++redemptions_of_[redemption.coupon];
  ++redemptions_in_[coupon.campaign];
  ++redemptions_in_department_[coupon.department];
}

std::uint32_t CouponHistory::count_in(const Counts& counts, std::uint32_t a, std::uint32_t b) {
  const auto found = counts.find(pair(a, b));
  return found == counts.end() ? 0 : found->second;
}

std::uint32_t CouponHistory::covered_purchases(std::uint32_t person, std::uint32_t coupon) const {
  const auto found = covered_.find(pair(person, coupon));
  return found == covered_.end() ? 0 : found->second.count;
}

double CouponHistory::covered_recency(std::uint32_t person, std::uint32_t coupon) const {
  const auto found = covered_.find(pair(person, coupon));
  return found == covered_.end() ? 0 : std::exp(-(day_ - found->second.last) / k_recency_days);
}

double CouponHistory::demand(std::uint32_t person, std::uint32_t coupon) const {
  const double all = static_cast<double>(purchases_taken_);
  const double own = purchases_by_[person];
  double sum = 0;
  for (const TypeSales& covered : covered_sales_[coupon]) {
    const std::uint32_t group = books_.group_of_type[covered.type];
    const double group_sales = sales_of_group_[group];
    const double own_group = count_in(by_group_, person, group);
    const double of_group =
        (own_group + k_group_purchases * group_sales / all) / (own + k_group_purchases);
    const double type_sales = sales_of_type_[covered.type];
    const double of_type =
        (count_in(by_type_, person, covered.type) + k_type_purchases * type_sales / group_sales) /
        (own_group + k_type_purchases);
    sum += of_group * of_type * covered.sales / type_sales;
  }
  return sum;
}

double CouponHistory::redeeming_recency(std::uint32_t person) const {
  if (redemptions_by_[person] == 0) return 0;
  return std::exp(-(day_ - last_redeemed_[person]) / k_recency_days);
}

std::uint32_t CouponHistory::campaigns_before(std::uint32_t person) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      books_.campaigns_of[person],
      [&](std::uint32_t campaign) { return books_.campaigns[campaign].start < day_; }));
}

double CouponHistory::share_of_campaign(std::uint32_t coupon) const {
  const std::uint32_t campaign = books_.coupons[coupon].campaign;
  const auto coupons = static_cast<double>(books_.campaigns[campaign].coupons.size());
  return (redemptions_of_[coupon] + k_coupon_prior) /
         (redemptions_in_[campaign] + k_coupon_prior * coupons);
}

double CouponHistory::department_share(std::uint32_t coupon) const {
  const std::uint32_t department = books_.coupons[coupon].department;
  return (redemptions_in_department_[department] + k_department_prior) /
         (static_cast<double>(redemptions_taken_) + k_department_prior_all);
}

}  // namespace vitrine::training
