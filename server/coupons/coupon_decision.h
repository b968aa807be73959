// One decision about one person in one campaign: kept from it or not, which offer, how likely that
// was, and what came of it at once.
//
// A request that chooses among the offers of several campaigns leaves a record for each of them, so
// that both groups of a campaign are known by the same rule: whoever would have had a say in it.
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "training/uplift/holdout.h"

namespace vitrine::coupons {

// Stored: new ones go to the end.
enum class DecisionOutcome : std::uint8_t {
  nothing,  // no coupon of this campaign: another one, or none, was chosen, or the person had
            // enough
  shown,    // in an answer
  granted,  // put into the person's hands, also when they claimed it
  ghost     // it would have been shown or granted, were the person not kept from the campaign
};
std::string_view name_of(DecisionOutcome outcome);

// What the decision chose from.
struct DecisionArm {
  std::string offer = {};  // empty: none
  double score = 0;        // expected value less cost, as the policy saw it
  double propensity = 0;   // after the floor
  friend bool operator==(const DecisionArm&, const DecisionArm&) = default;
};

struct CouponDecision {
  std::string decision_id = {};  // a ULID; the records of one request share it
  std::string campaign = {};
  TimeMs time_ms = 0;
  UserNumber user = k_nobody;    // nobody: erased, or never known
  UserNumber person = k_nobody;  // whom the assignment was drawn for: the first of the numbers that
                                 // were merged into the user; nobody likewise
  std::string offer = {};        // what was chosen in this campaign, ghosts too; empty: nothing
  double propensity = 0;         // of that choice; 1 where chance had no part in it
  training::Assignment assignment = training::Assignment::offered;
  DecisionOutcome outcome = DecisionOutcome::nothing;
  std::vector<DecisionArm> arms = {};  // the shortlist, offers of other campaigns and none
                                       // included; empty where nothing was chosen from
  std::string policy = {};             // who decided: "direct", "claim", "affinity", ...
  std::uint64_t policy_version = 0;
  friend bool operator==(const CouponDecision&, const CouponDecision&) = default;
};

std::string encode(const CouponDecision& decision);  // all but the id and the campaign: the key
// DataLoss when the bytes are no decision.
absl::StatusOr<CouponDecision> decode_coupon_decision(std::string_view key, std::string_view bytes);

// The id, which begins with the time, and the campaign.
std::string decision_key(const CouponDecision& decision);
// Where a walk over those of `time_ms` and later begins.
std::string decisions_from(TimeMs time_ms);

}  // namespace vitrine::coupons
