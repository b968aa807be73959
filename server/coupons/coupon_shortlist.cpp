#include "server/coupons/coupon_shortlist.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/status.h"

namespace vitrine::coupons {
namespace {

using training::Assignment;

// Of the values of a shortlist, so that what chance leaves of a worse arm does not depend on the
// currency: the best less none or the worst.
double scale_of(const std::vector<training::AllocationOption>& options) {
  double best = 0;
  double worst = 0;
  for (const training::AllocationOption& option : options) {
    best = std::max(best, option.value);
    worst = std::min(worst, option.value);
  }
  return best - worst;
}

}  // namespace

CouponShortlist::CouponShortlist(const Parts& parts, const Checkout& checkout)
    : parts_(parts), checkout_(checkout), person_(person_of(parts.identities, parts.user)) {}

CouponShortlist::Entry CouponShortlist::entry_of(Desk::Usable usable,
                                                 const std::vector<CouponScore>& scores) const {
  Entry entry;
  entry.usable = std::move(usable);
  const Offer& offer = *entry.usable.terms.offer;
  const Cart& cart = checkout_.cart;
  entry.amounts = offer.amounts_in(cart.market, cart.currency);
  const CouponPromise promise = promise_of(parts_.shelf, offer, entry.amounts, scores);
  entry.score = promise.score;
  entry.worth = promise.value();
  return entry;
}

absl::Status CouponShortlist::fill(std::span<const Terms> claimable, const CouponPerson& person) {
  const DecisionRules& rules = parts_.desk.rules();
  const bool has_enough = parts_.desk.new_coupons_of(parts_.user) >= rules.new_per_week;
  VITRINE_ASSIGN_OR_RETURN(
      std::vector<Desk::Usable> usable,
      parts_.desk.usable(checkout_, has_enough ? std::span<const Terms>() : claimable));
  const std::vector<CouponScore> scores = score_coupons(parts_.shelf, person);
  std::vector<Entry> ranked;
  ranked.reserve(usable.size());
  for (Desk::Usable& one : usable) ranked.push_back(entry_of(std::move(one), scores));
  std::ranges::sort(ranked, [](const Entry& a, const Entry& b) {
    if (a.worth != b.worth) return a.worth > b.worth;
    return a.usable.terms.offer->id < b.usable.terms.offer->id;
  });
  for (Entry& entry : ranked) {
    if (entries_.size() == parts_.exploration.shortlist) break;
    VITRINE_ASSIGN_OR_RETURN(const bool has_room, parts_.desk.has_room(checkout_, entry.usable));
    if (!has_room) continue;
    entry.assignment = assignment_of(person_, *entry.usable.terms.campaign, rules, parts_.now_ms);
    all_.push_back(entries_.size());
    if (entry.assignment == Assignment::offered) offered_.push_back(entries_.size());
    entries_.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

// The first place by chance, the others by score. An exclusive offer is shown alone; of one class
// there may be several to choose from.
absl::StatusOr<CouponShortlist::Draw> CouponShortlist::draw(std::span<const std::size_t> places,
                                                            std::size_t limit,
                                                            std::optional<double> chance) const {
  std::vector<training::AllocationOption> options;
  for (std::size_t i = 0; i < places.size(); ++i) {
    options.push_back(
        {.offer = static_cast<std::uint32_t>(i), .value = entries_[places[i]].worth, .cost = 0});
  }
  training::ExplorationOptions exploration = parts_.exploration;
  const double scale = scale_of(options);
  exploration.gamma =
      scale > 0 ? std::min(exploration.gamma / scale, training::ExplorationOptions::k_gamma_max)
                : 0;
  const std::vector<std::vector<std::uint32_t>> budgets(options.size());
  Draw draw;
  VITRINE_ASSIGN_OR_RETURN(
      draw.decision,
      training::decide(
          {.person = person_.value(),
           .eligible = options,
           .prices = {},
           .budgets_of_offer = budgets,
           .chance = chance.value_or(0)},
          {.campaign_seed = "", .share = 0, .universal_seed = "", .universal_share = 0},
          exploration));
  std::vector<training::CouponDecision::Arm>& arms = draw.decision.arms;
  if (!chance) {
    // Nothing is drawn: the best arm, none among them, was certain.
    draw.decision.chosen = static_cast<std::uint32_t>(
        std::ranges::max_element(arms, {}, &training::CouponDecision::Arm::score) - arms.begin());
    for (std::size_t i = 0; i < arms.size(); ++i) {
      arms[i].propensity = i == draw.decision.chosen ? 1 : 0;
    }
  }
  if (!draw.decision.choice().offer) return draw;
  draw.shown.push_back(places[*draw.decision.choice().offer]);
  for (const std::size_t place : places) {
    if (draw.shown.size() == limit) break;
    const Entry& entry = entries_[place];
    const bool fits = std::ranges::all_of(draw.shown, [&](std::size_t other) {
      return other != place && !entries_[other].usable.terms.offer->stacking.is_exclusive &&
             !entry.usable.terms.offer->stacking.is_exclusive;
    });
    if (fits && entry.worth >= 0) draw.shown.push_back(place);
  }
  return draw;
}

CouponDecision CouponShortlist::record_of(const std::string& id, const std::string& campaign,
                                          Assignment assignment, const Draw& draw) const {
  const bool is_offered = assignment == Assignment::offered;
  CouponDecision decision{.decision_id = id,
                          .campaign = campaign,
                          .time_ms = parts_.now_ms,
                          .user = parts_.user,
                          .person = person_,
                          .assignment = assignment};
  const std::vector<std::size_t>& places = is_offered ? offered_ : all_;
  for (const training::CouponDecision::Arm& arm : draw.decision.arms) {
    const std::string offer =
        arm.offer ? entries_[places[*arm.offer]].usable.terms.offer->id : std::string();
    decision.arms.push_back({offer, arm.score, arm.propensity});
  }
  for (std::size_t i = 0; i < draw.shown.size(); ++i) {
    const Terms& terms = entries_[draw.shown[i]].usable.terms;
    if (terms.campaign->id != campaign) continue;
    decision.offer = terms.offer->id;
    decision.propensity = i == 0 ? draw.decision.choice().propensity : 1;
    decision.outcome = is_offered ? DecisionOutcome::shown : DecisionOutcome::ghost;
    break;
  }
  return decision;
}

RecommendedCoupon CouponShortlist::shown(const Entry& entry) const {
  const Desk::Usable& usable = entry.usable;
  const TimeMs until_ms = usable.grant ? usable.grant->valid_until_ms : 0;
  return {.terms = usable.terms,
          .grant = usable.grant,
          .is_to_be_claimed = usable.is_to_be_claimed,
          .score = entry.worth,
          .chance = entry.score.chance,
          .reason = reason_of({.shelf = parts_.shelf,
                               .terms = usable.terms,
                               .amounts = entry.amounts,
                               .score = entry.score,
                               .valid_until_ms = until_ms,
                               .now_ms = parts_.now_ms}),
          .says = entry.amounts != nullptr ? sentence_of(*usable.terms.offer, *entry.amounts)
                                           : std::string()};
}

absl::StatusOr<CouponShortlist::Result> CouponShortlist::decide(
    const std::string& id, std::size_t limit, std::optional<double> chance) const {
  VITRINE_ASSIGN_OR_RETURN(const Draw offered, draw(offered_, limit, chance));
  VITRINE_ASSIGN_OR_RETURN(const Draw all, draw(all_, limit, chance));
  Result result;
  for (const std::size_t place : offered.shown) {
    RecommendedCoupon& coupon = result.coupons.emplace_back(shown(entries_[place]));
    if (chance && result.coupons.size() == 1) {
      coupon.propensity = offered.decision.choice().propensity;
    }
  }
  // The same rule for both groups of a campaign: whoever has an offer of it in the shortlist of
  // all.
  std::map<std::string, Assignment> campaigns;
  for (const std::size_t place : all_) {
    campaigns.emplace(entries_[place].usable.terms.campaign->id, entries_[place].assignment);
  }
  for (const auto& [campaign, assignment] : campaigns) {
    result.decisions.push_back(
        record_of(id, campaign, assignment, assignment == Assignment::offered ? offered : all));
  }
  return result;
}

}  // namespace vitrine::coupons
