// Who is given a coupon that the shop wants to give, and the record of it.
#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/coupons/desk.h"

namespace vitrine::coupons {
namespace {

using training::Assignment;

// What a round has for whoever did not get the coupon: no grant has this number.
constexpr std::uint64_t k_ghost = 0;

Withheld withheld_by(Assignment assignment) {
  return assignment == Assignment::holdout ? Withheld::holdout : Withheld::control_group;
}

}  // namespace

CouponDecision Desk::decision_about(const Issue& issue, const Campaign& campaign, UserNumber user,
                                    TimeMs now_ms) const {
  const UserNumber person = person_of(parts_.identities, user);
  return {.decision_id = make_ulid(now_ms),
          .campaign = campaign.id,
          .time_ms = now_ms,
          .user = user,
          .person = person,
          .offer = issue.offer,
          .propensity = 1,
          .assignment = assignment_of(person, campaign, parts_.rules, now_ms),
          .policy = issue.is_claim         ? "claim"
                    : issue.policy.empty() ? "direct"
                                           : issue.policy,
          .policy_version = issue.policy_version};
}

std::optional<Desk::Issued> Desk::decided_otherwise(const Source& source, const Issue& issue,
                                                    const Campaign& campaign,
                                                    UserNumber user) const {
  for (const auto& [id, offer] : offers()->offers()) {
    if (offer->campaign != campaign.id || offer->trigger != Trigger::granted) continue;
    if (id == issue.offer) continue;
    const auto known = source.get(store::Family::grants, keys_.issue(id, issue.round, user));
    if (!known) continue;
    Issued issued;
    const std::uint64_t number = store::number_in(*known).value_or(k_ghost);
    if (number == k_ghost) {
      issued.withheld = Withheld::holdout;
    } else {
      issued.grant = read_grant(source, number);
    }
    return issued;
  }
  return std::nullopt;
}

absl::StatusOr<bool> Desk::was_decided(std::span<const std::string> offers, std::string_view round,
                                       UserNumber user) const {
  const Source source(parts_.database);
  const bool was = std::ranges::any_of(offers, [&](const std::string& offer) {
    return source.get(store::Family::grants, keys_.issue(offer, round, user)).has_value();
  });
  VITRINE_RETURN_IF_ERROR(source.status());
  return was;
}

// Nobody's coupons are for whoever has the code, so nothing is decided about them.
Desk::Issued Desk::decide_one(events::Batch& batch, const Source& source, const Issue& issue,
                              const Terms& terms, UserNumber user, std::optional<float> score) {
  if (user == k_nobody) return issue_one(batch, source, issue, terms, user);
  const bool may_withhold = !issue.is_claim && !issue.is_for_everybody;
  const std::string key = keys_.issue(issue.offer, issue.is_claim ? "#claim" : issue.round, user);
  const auto known = source.get(store::Family::grants, key);
  const bool is_ghost = known && store::number_in(*known) == k_ghost;
  if (known && !is_ghost) return issue_one(batch, source, issue, terms, user);
  if (issue.is_one_of_campaign && !known) {
    if (auto other = decided_otherwise(source, issue, *terms.campaign, user)) return *other;
  }

  CouponDecision decision = decision_about(issue, *terms.campaign, user, batch.time_ms());
  if (score) {  // certain: chance had no part in it
    decision.arms = {{.offer = issue.offer, .score = *score, .propensity = 1}, {}};
  }
  Issued issued;
  const bool is_offered = decision.assignment == Assignment::offered;
  if (may_withhold && is_ghost) {
    issued.withheld = is_offered ? Withheld::holdout : withheld_by(decision.assignment);
    return issued;
  }
  if (is_ghost) batch.erase(store::Family::grants, key);  // makes room for the grant
  if (may_withhold &&
      coupons::new_coupons_of(source, user, batch.time_ms()) >= parts_.rules.new_per_week) {
    issued.withheld = Withheld::fatigue;
    decision.offer.clear();
  } else if (may_withhold && !is_offered) {
    issued.withheld = withheld_by(decision.assignment);
    decision.outcome = DecisionOutcome::ghost;
    batch.put(store::Family::grants, key, store::key_of(k_ghost));
  } else {
    issued = issue_one(batch, source, issue, terms, user);
    if (issued.denial) decision.offer.clear();
  }
  if (issued.is_new) {
    decision.outcome = DecisionOutcome::granted;
    issued.grant->decision_id = decision.decision_id;
    put_grant(batch, *issued.grant);
    note_new_coupon(batch, source, user);
  }
  if (parts_.decisions != nullptr) parts_.decisions->stage(batch, decision);
  return issued;
}

}  // namespace vitrine::coupons
