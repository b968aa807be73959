#include "server/coupons/coupon_person.h"

#include <utility>

namespace vitrine::coupons {
namespace {

// The person's taste; empty without a model or without a vector of what they had to do with.
std::vector<float> taste_of(const live_model::LiveModel& live,
                            const std::vector<recommend::Interest>& interests) {
  std::vector<Observation> observations;
  if (live.model() == nullptr) return {};
  for (const recommend::Interest& interest : interests) {
    const auto row = live.row_of(interest.product);
    if (!row || !(interest.confidence > 0)) continue;
    observations.push_back(
        {.factors = live.vector(*row).data(), .confidence = interest.confidence});
  }
  if (observations.empty()) return {};
  const FactorModel& factors = live.model()->factors();
  std::vector<float> taste(factors.dimension());
  factors.fold_in(observations, taste);
  return taste;
}

}  // namespace

KnownPerson::KnownPerson(std::shared_ptr<const profiles::Profile> profile,
                         const live_model::LiveModel* live, TimeMs now_ms)
    : profile_(std::move(profile)) {
  if (profile_ == nullptr || live == nullptr) return;
  static const ConfidenceRule defaults = ConfidenceRule::defaults();
  collect_interests(*profile_, live->model() != nullptr ? live->model()->confidence() : defaults, 0,
                    now_ms, interests_);
  taste_ = taste_of(*live, interests_);
}

}  // namespace vitrine::coupons
