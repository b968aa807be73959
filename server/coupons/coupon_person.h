// What the ranking of coupons goes by about one person: profile, latest interests and taste.
//
// Thread-safe once built.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "server/coupons/coupon_scores.h"
#include "server/live_model/live_model.h"
#include "server/profiles/profile.h"
#include "server/recommend/interest.h"

namespace vitrine::coupons {

class KnownPerson {
 public:
  // profile  null for somebody unknown, or not to be known
  // live     that of the shelf; may be null
  KnownPerson(std::shared_ptr<const profiles::Profile> profile, const live_model::LiveModel* live,
              TimeMs now_ms);

  // Refers to this.
  CouponPerson seen() const {
    return {.taste = taste_, .interests = interests_, .profile = profile_.get()};
  }
  // Something known about the person has a say.
  bool is_personal() const {
    return !interests_.empty() || (profile_ != nullptr && !profile_->bought.empty());
  }

 private:
  std::shared_ptr<const profiles::Profile> profile_;
  std::vector<recommend::Interest> interests_;
  std::vector<float> taste_;
};

}  // namespace vitrine::coupons
