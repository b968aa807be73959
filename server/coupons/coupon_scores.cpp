#include "server/coupons/coupon_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vitrine::coupons {
namespace {

// Purchases that the taste counts for, beside those that were made.
constexpr double k_taste_purchases = 3;
// Of a coupon of usual mass, before anything was learnt; and for how many showings that counts.
constexpr double k_rate_before = 0.02;
constexpr double k_showings_before = 50;
constexpr double k_rate_max = 0.5;
constexpr double k_chance_max = 0.95;
constexpr double k_lift_max = 20;
// From here on a coupon is said to fit the person, or to be about to end.
constexpr double k_lift_told = 1.5;
constexpr TimeMs k_ending_ms = 3 * k_day_ms;

double usual_mass_of(const CouponShelf& shelf) {
  double sum = 0;
  std::size_t count = 0;
  for (const ShelfCoupon& coupon : shelf.coupons()) {
    if (coupon.covers_all || !(coupon.mass > 0)) continue;
    sum += coupon.mass;
    ++count;
  }
  return count == 0 ? 1 : sum / static_cast<double>(count);
}

// Orders of covered products, by place; the sum of all orders' products.
struct OwnPurchases {
  std::vector<double> covered;
  double all = 0;
};

OwnPurchases own_purchases(const CouponShelf& shelf, const profiles::Profile& profile,
                           std::vector<CouponScore>& scores) {
  OwnPurchases own{.covered = std::vector<double>(scores.size())};
  std::vector<double> most(scores.size());
  for (const profiles::Bought& bought : profile.bought) {
    if (!bought.is_kept()) continue;
    const double count = std::max<std::uint32_t>(1, bought.orders);
    own.all += count;
    shelf.for_each_covering(bought.product, [&](std::size_t place) {
      own.covered[place] += count;
      if (count <= most[place]) return;
      most[place] = count;
      scores[place].bought = bought.product;
    });
  }
  return own;
}

void find_looked_at(const CouponShelf& shelf, std::span<const recommend::Interest> interests,
                    std::vector<CouponScore>& scores) {
  for (const recommend::Interest& interest : interests) {  // latest first
    shelf.for_each_covering(interest.product, [&](std::size_t place) {
      if (!scores[place].looked_at) scores[place].looked_at = interest.product;
    });
  }
}

const Product* nameable(const CouponShelf& shelf, std::optional<ProductNumber> number) {
  const Product* const product = number ? shelf.inputs().catalog->find(*number) : nullptr;
  return product != nullptr && !product->hidden ? product : nullptr;
}

recommend::Reason about(Literal kind, const Product& product, std::string_view why) {
  const std::string& name = product.title.empty() ? product.product_id : product.title;
  return {.kind = kind,
          .product_id = product.product_id,
          .text = fmt::format("Good for {}, which you {}", name, why)};
}

}  // namespace

double rate_of(const ShelfCoupon& coupon, double usual_mass) {
  const double before =
      std::min(k_rate_max, k_rate_before * std::sqrt(std::max(coupon.mass, 0.0) / usual_mass));
  const auto shown = static_cast<double>(std::max(coupon.counts.shown, coupon.counts.uses));
  const auto uses = static_cast<double>(coupon.counts.uses);
  return (uses + k_showings_before * before) / (shown + k_showings_before);
}

std::vector<CouponScore> score_coupons(const CouponShelf& shelf, const CouponPerson& person) {
  std::vector<CouponScore> scores(shelf.coupons().size());
  const std::vector<double> tastes = shelf.lifts(person.taste);
  OwnPurchases own{.covered = std::vector<double>(scores.size())};
  if (person.profile != nullptr) own = own_purchases(shelf, *person.profile, scores);
  find_looked_at(shelf, person.interests, scores);
  const double usual_mass = usual_mass_of(shelf);
  for (std::size_t place = 0; place < scores.size(); ++place) {
    const ShelfCoupon& coupon = shelf.coupons()[place];
    CouponScore& score = scores[place];
    if (!coupon.covers_all && coupon.mass > 0) {
      const double expected = std::min(1.0, coupon.mass * tastes[place]);
      const double demand =
          (own.covered[place] + k_taste_purchases * expected) / (own.all + k_taste_purchases);
      score.lift = std::clamp(demand / coupon.mass, 1 / k_lift_max, k_lift_max);
    }
    score.chance = std::min(k_chance_max, rate_of(coupon, usual_mass) * std::sqrt(score.lift));
  }
  return scores;
}

CouponScore score_of_unknown() { return {.chance = k_rate_before}; }

CouponPromise promise_of(const CouponShelf& shelf, const Offer& offer, const Amounts* amounts,
                         const std::vector<CouponScore>& scores) {
  CouponPromise promise{.score = score_of_unknown()};
  CoveredPrices prices;
  if (const ShelfCoupon* const coupon = shelf.find(offer.id)) {
    promise.score = scores[static_cast<std::size_t>(coupon - shelf.coupons().data())];
    prices = coupon->prices;
  }
  if (amounts != nullptr) promise.worth = worth_of(offer, *amounts, prices);
  return promise;
}

recommend::Reason reason_of(const CouponReasonInputs& inputs) {
  const CouponScore& score = inputs.score;
  const TimeMs until_ms = inputs.valid_until_ms;
  if (until_ms != 0 && until_ms - inputs.now_ms <= k_ending_ms) {
    return {.kind = "ends_soon",
            .product_id = {},
            .text = fmt::format("Yours until {}", format_time(until_ms).substr(0, 10))};
  }
  if (const Product* const product = nameable(inputs.shelf, score.bought)) {
    return about("bought_before", *product, "bought before");
  }
  if (const Product* const product = nameable(inputs.shelf, score.looked_at)) {
    return about("looked_at", *product, "looked at");
  }
  if (score.lift >= k_lift_told) {
    return {.kind = "for_you", .product_id = {}, .text = "Fits what you like"};
  }
  const Offer& offer = *inputs.terms.offer;
  const std::string says = inputs.amounts == nullptr ? "" : sentence_of(offer, *inputs.amounts);
  if (until_ms != 0) return {.kind = "yours", .product_id = {}, .text = "Yours: " + says};
  return {.kind = "value", .product_id = {}, .text = "Saves you: " + says};
}

}  // namespace vitrine::coupons
