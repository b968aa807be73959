#include "training/uplift/coupon_ranker.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace vitrine::training {
namespace {

constexpr double k_demand_min = 1e-5;
constexpr double k_age_unit_days = 30;
constexpr double k_appeal_prior = 1;  // redemptions, both come and expected
constexpr std::size_t k_plain_inputs = 6;
constexpr std::size_t k_inputs = k_plain_inputs + 1;

}  // namespace

CouponRanker::CouponRanker(const CouponBooks& books, const CouponRankerOptions& options)
    : books_(books),
      options_(options),
      history_(books),
      tallies_(books.coupons.size()),
      of_today_(books.coupons.size()) {
  for (const CouponBooks::Coupon& coupon : books.coupons) {
    absl::flat_hash_set<std::uint32_t> types;
    double own_brand = 0;
    for (const std::uint32_t product : coupon.products) {
      types.insert(books.products[product].type);
      own_brand += books.products[product].is_own_brand ? 1 : 0;
    }
    const double products = std::max<double>(1, static_cast<double>(coupon.products.size()));
    facts_.push_back({static_cast<double>(types.size()), own_brand / products});
  }
}

void CouponRanker::advance(Day day) {
  if (day > history_.day()) {
    for (const std::uint32_t coupon : touched_) {
      tallies_[coupon].redeemed += of_today_[coupon].redeemed;
      tallies_[coupon].expected += of_today_[coupon].expected;
      of_today_[coupon] = {};
    }
    touched_.clear();
    known_choices_ = choices_.size();
  }
  history_.advance(day);
  if (!is_fitted_ || day - fitted_ >= options_.refit_days) refit();
}

void CouponRanker::refit() {
  plain_model_ =
      fit_choices(std::span(plain_choices_).first(known_choices_), k_plain_inputs, options_.ridge);
  model_ = fit_choices(std::span(choices_).first(known_choices_), k_inputs, options_.ridge);
  is_fitted_ = true;
  fitted_ = history_.day();
}

Choice CouponRanker::describe(std::uint32_t person,
                              std::span<const std::uint32_t> candidates) const {
  std::vector<double> demands;
  demands.reserve(candidates.size());
  for (const std::uint32_t coupon : candidates) demands.push_back(history_.demand(person, coupon));
  std::vector<double> sorted = demands;
  std::ranges::sort(sorted, std::greater<>());
  Choice choice;
  choice.values.reserve(candidates.size() * k_inputs);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::uint32_t coupon = candidates[i];
    const auto above = std::ranges::lower_bound(sorted, demands[i], std::greater<>());
    const Day age = history_.day() - books_.coupons[coupon].valid_from;
    const double inputs[k_inputs] = {
        std::log(demands[i] + k_demand_min),
        std::log1p(static_cast<double>(above - sorted.begin())),
        history_.covered_purchases(person, coupon) > 0 ? 1.0 : 0.0,
        std::log1p(facts_[coupon].covered_types),
        facts_[coupon].own_brand_share,
        age / k_age_unit_days,
        appeal(coupon),
    };
    choice.values.insert(choice.values.end(), std::begin(inputs), std::end(inputs));
  }
  return choice;
}

std::vector<double> CouponRanker::scores(const Choice& choice) const {
  std::vector<double> scores;
  const std::span<const float> values(choice.values);
  for (std::size_t at = 0; at < values.size(); at += k_inputs)
    scores.push_back(model_.score(values.subspan(at, k_inputs)));
  return scores;
}

void CouponRanker::learn(std::span<const std::uint32_t> candidates, Choice choice) {
  Choice plain{.values = {}, .taken = choice.taken};
  for (std::size_t at = 0; at < choice.values.size(); at += k_inputs) {
    const auto row = choice.values.begin() + static_cast<std::ptrdiff_t>(at);
    plain.values.insert(plain.values.end(), row, row + k_plain_inputs);
  }
  const std::vector<double> chances = plain_model_.chances(plain.values);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    of_today_[candidates[i]].expected += chances[i];
    touched_.push_back(candidates[i]);
  }
  of_today_[candidates[choice.taken]].redeemed += 1;
  plain_choices_.push_back(std::move(plain));
  choices_.push_back(std::move(choice));
}

double CouponRanker::appeal(std::uint32_t coupon) const {
  return std::log((tallies_[coupon].redeemed + k_appeal_prior) /
                  (tallies_[coupon].expected + k_appeal_prior));
}

}  // namespace vitrine::training
