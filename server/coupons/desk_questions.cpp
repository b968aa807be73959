// What is asked of the desk without changing anything.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/status.h"
#include "server/coupons/desk.h"

namespace vitrine::coupons {
namespace {

constexpr std::size_t k_grants_qualified_max = 200;  // of one person

// What saves most first; of what saves nothing yet what is nearest, then what no cart helps.
auto rank_of(const Desk::Qualified& one) {
  const bool is_near = one.denial && one.denial->reason == Reason::min_spend;
  const int group = one.denial ? (is_near ? 1 : 2) : 0;
  return std::tuple(group, is_near ? one.denial->missing.minor : -one.discount.minor, -one.points,
                    std::string_view(one.offer->id));
}

}  // namespace

absl::StatusOr<Evaluation> Desk::check(const Checkout& checkout) const {
  const Source source(parts_.database);
  std::optional<Order> own;
  if (!checkout.order_id.empty()) own = held_for(source, checkout.order_id);
  Evaluation evaluation = evaluate(parts_.clock.now_ms(), source, checkout, own);
  VITRINE_RETURN_IF_ERROR(source.status());
  note(evaluation.denied);
  return evaluation;
}

absl::StatusOr<std::vector<Desk::Qualified>> Desk::qualify(const Checkout& checkout) const {
  const Source source(parts_.database);
  const std::shared_ptr<const OfferBook> book = offers();
  const TimeMs now_ms = parts_.clock.now_ms();
  Evaluator evaluator(
      {.source = source, .book = *book, .catalog = parts_.catalog, .keys = keys_, .now_ms = now_ms},
      checkout);
  std::vector<Qualified> all;
  const UserNumber person = person_of(parts_.identities, checkout.shopper.user);
  const auto may_show = [&](const Campaign& campaign) {
    return assignment_of(person, campaign, parts_.rules, now_ms) == training::Assignment::offered;
  };
  const auto add = [&](Wanted wanted, bool is_to_be_claimed) {
    if (!wanted.terms.offer) return;
    const std::shared_ptr<const Campaign> campaign = wanted.terms.campaign;
    Qualified one{
        .offer = wanted.terms.offer, .grant = wanted.grant, .is_to_be_claimed = is_to_be_claimed};
    Evaluator::Alone alone = evaluator.alone(std::move(wanted));
    one.denial = std::move(alone.denial);
    one.discount = alone.priced.discount;
    one.points = alone.priced.points;
    if (one.denial && !one.grant && !may_show(*campaign)) return;
    all.push_back(std::move(one));
  };
  std::set<std::string, std::less<>> had;
  if (checkout.shopper.user != k_nobody) {
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Grant> grants,
                             grants_of(checkout.shopper.user, k_grants_qualified_max));
    for (const Grant& grant : grants) {
      had.insert(grant.offer);
      const GrantState state = grant.state_at(now_ms);
      if (state != GrantState::active && state != GrantState::issued) continue;
      add({.code = grant.code,
           .terms = book->terms(grant.offer, grant.offer_version),
           .grant = grant},
          false);
    }
  }
  for (const auto& offer : book->automatic()) add({.terms = book->terms(offer->id)}, false);
  for (const auto& [id, offer] : book->offers()) {
    if (offer->trigger != Trigger::claimed || had.contains(id)) continue;
    const Terms terms = book->terms(id);
    const Issue claim{.offer = id, .is_claim = true, .shopper = checkout.shopper};
    if (!terms.campaign || refusal_of_issue(claim, terms, now_ms)) continue;
    if (!may_show(*terms.campaign)) continue;
    // As if it had been claimed.
    add({.terms = terms, .grant = Grant{.valid_until_ms = Campaign::k_never_ms}}, true);
  }
  VITRINE_RETURN_IF_ERROR(source.status());
  std::ranges::sort(all, {}, rank_of);
  return all;
}

absl::StatusOr<std::vector<TimeMs>> Desk::redeemed_at(UserNumber user) const {
  std::vector<TimeMs> times;
  const Source source(parts_.database);
  const std::string prefix = user_order_key(user, "");
  const auto cursor = parts_.database.walk(store::Family::grants, prefix, false);
  for (; cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    const auto order = read_order(source, cursor->key().substr(prefix.size()));
    if (order && order->state != OrderState::returned) times.push_back(order->time_ms);
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  VITRINE_RETURN_IF_ERROR(source.status());
  return times;
}

}  // namespace vitrine::coupons
