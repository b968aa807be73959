// What a campaign's decisions and their outcomes teach about whom its offers move: the DR-learner
// over everybody who is judged, by assignment.
//
// Taught once both groups have so many buyers that effects can be told apart from person to person
// (training/uplift/detectable_effect.h), and chance made the groups. Each person is seen as they
// were when the first decision about them was made; what they brought in the 28 days after it is
// the outcome. Costs what a report does. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/uplift_inputs.h"
#include "server/payoff/campaign_report.h"

namespace vitrine::payoff {

class UpliftLessons final : public coupons::UpliftSource {
 public:
  // Offers that have an input of their own: those chosen most often.
  static constexpr std::size_t k_offers_max = 20;

  struct Parts {  // all outlive it
    const CampaignReporter& reports;
    const profiles::ProfileBook& profiles;
    const coupons::Desk& desk;
  };
  explicit UpliftLessons(const Parts& parts) : parts_(parts) {}

  // Without a fit: `why`, and how many conversions are missing. Errors: those of the report.
  absl::StatusOr<coupons::LearnedUplift> learn(std::string_view campaign,
                                               std::string_view currency) const override;

 private:
  struct Pupil;  // somebody who is learnt from
  absl::StatusOr<training::UpliftFit> fit(const std::vector<Pupil>& pupils, double holdout_share,
                                          std::string_view currency,
                                          const coupons::LearnedUplift& lesson) const;

  const Parts parts_;
};

}  // namespace vitrine::payoff
