// Whether a campaign paid: the people it was offered to against those whom chance kept from it.
//
// By assignment, whatever became of either: people of the holdout who found a code stay in the
// holdout, and are counted. Beside the verdict stands what makes it doubtful, what each offer did
// against its ghosts (people of the holdout who would have got it), how well the scores put those
// first whom a coupon moves, and what simpler policies would have earned. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "training/uplift/detectable_effect.h"
#include "training/uplift/holdout.h"
#include "training/uplift/off_policy.h"
#include "training/uplift/uplift_curve.h"

namespace vitrine::training {

// An offer by its number, or none.
using Arm = std::optional<std::uint32_t>;

// One person, with the first decision about them and what they did in the window after it.
struct AssignedPerson {
  Assignment assignment = Assignment::offered;
  Arm chosen = {};                   // granted or shown; a ghost in the holdout
  double propensity = 1;             // of what was chosen, as logged
  std::span<const Arm> arms = {};    // what could have been chosen, likeliest first
  std::optional<double> score = {};  // what the best offer promised more than none
  double orders = 0;                 // that were kept
  double margin = 0;                 // of these, less what the coupons took off
  bool has_redeemed = false;         // an offer of the campaign
};

struct GroupFigures {
  GroupSums orders;
  GroupSums margin;
  std::uint64_t redeemed = 0;  // people

  void add(const AssignedPerson& person);
};

struct CampaignJudgement {
  // Chance makes groups that differ more from what was planned less than once in a thousand
  // campaigns: then something else than chance assigned.
  static constexpr double k_sample_ratio_p_min = 0.001;
  // Of the curve, by an even step through those there are; the bootstrap draws them 200 times.
  static constexpr std::size_t k_curve_people_max = 100'000;
  // Offers that are compared with their ghosts, and as policies: those chosen most often.
  static constexpr std::size_t k_offers_max = 50;

  GroupFigures offered;
  GroupFigures holdout;
  std::uint64_t universal_control = 0;  // people
  double sample_ratio_p = 1;

  CampaignEffect orders;
  CampaignEffect margin;
  // Of the margin; cannot_tell too when the groups are not what chance makes.
  Verdict verdict = Verdict::cannot_tell;
  std::string why;
  std::uint64_t conversions_missing = 0;  // until uplift may be learnt

  struct Ghosts {
    std::uint32_t offer = 0;
    GroupFigures granted;  // of the offered people
    GroupFigures ghosts;   // of the holdout
    CampaignEffect orders;
    CampaignEffect margin;
  };
  std::vector<Ghosts> ghosts;  // most people first

  struct Scores {
    std::uint64_t people = 0;  // that had one
    UpliftCurve curve;         // of the margin
    CurveIntervals intervals;
  };
  std::optional<Scores> scores;  // absent unless both groups have some

  // What another way of choosing would have earned from the offered people, each.
  enum class PolicyKind : std::uint8_t { single, nobody, likeliest, uniform };
  struct Policy {
    PolicyKind kind = PolicyKind::single;
    std::uint32_t offer = 0;  // of single
    OffPolicyEstimate estimate;
  };
  std::vector<Policy> policies;
  // Of the policies, the single offer that is worth most among those the log can judge.
  std::optional<std::size_t> best_single;
  // Whether the campaign earned more than that offer for all; cannot_tell without one.
  Verdict against_best_single = Verdict::cannot_tell;
};

std::string_view name_of(CampaignJudgement::PolicyKind kind);

class CampaignJudge {
 public:
  // holdout_share  that was planned, of those below the universal control group
  explicit CampaignJudge(double holdout_share) : holdout_share_(holdout_share) {}

  // InvalidArgument: a propensity outside (0, 1] or a number that is not finite; not counted.
  absl::Status add(const AssignedPerson& person);

  CampaignJudgement judgement() const;

 private:
  struct Offered {
    std::size_t arms_end = 0;  // of arms_
    Arm chosen;
    double propensity = 1;
    double margin = 0;
  };
  std::span<const Arm> arms_of(std::size_t place) const;
  std::vector<std::uint32_t> offers_by_use() const;
  void compare_with_ghosts(CampaignJudgement& judgement) const;
  void judge_scores(CampaignJudgement& judgement) const;
  void judge_policies(CampaignJudgement& judgement) const;
  OffPolicyEstimate value_of(CampaignJudgement::PolicyKind kind, std::uint32_t offer) const;

  double holdout_share_;
  CampaignJudgement sums_;  // groups only
  std::map<std::uint32_t, CampaignJudgement::Ghosts> by_offer_;
  std::vector<Offered> people_;  // of the offered ones
  std::vector<Arm> arms_;
  std::vector<double> scores_;  // of all that had one, with the two beside
  std::vector<double> outcomes_;
  std::vector<std::uint8_t> treated_;
};

}  // namespace vitrine::training
