#include "server/coupons/evaluation.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "server/coupons/code.h"
#include "server/coupons/stacking.h"

namespace vitrine::coupons {
namespace {

// The campaign's priority counts before the offer's own.
constexpr std::int64_t k_campaign_weight = 1'000'000;

Denial denial_of(const Gap& gap) {
  switch (gap.reason) {
    case Gap::Reason::products:
      return {.reason = Reason::wrong_products};
    case Gap::Reason::quantity:
      return {.reason = Reason::min_quantity, .pieces = gap.pieces};
    case Gap::Reason::spend:
      break;
  }
  return {.reason = Reason::min_spend, .missing = gap.missing, .unlocks = gap.unlocks};
}

Reason reason_of(const Account& account) {
  const bool is_everybodys = account.scope == Scope::global || account.scope == Scope::market;
  if (!is_everybodys) return Reason::user_limit;
  return account.measure == Measure::stock ? Reason::stock : Reason::budget;
}

// The pieces that an offer takes of a stock at least.
std::int64_t least_pieces(const Effect& effect) {
  switch (effect.kind) {
    case Kind::exchange:
      return effect.gift_quantity;
    case Kind::bundle:
    case Kind::nth_item:
      return 1;
    case Kind::percent:
      return effect.by_line ? 1 : 0;
    case Kind::full_reduction:
    case Kind::free_shipping:
    case Kind::points:
      break;
  }
  return 0;
}

// Whether what is kept of a redemption names an order that was taken back since.
bool was_cancelled(const Shopper& shopper, std::string_view holder) {
  return std::ranges::any_of(shopper.cancelled_orders, [&](std::uint64_t order) {
    return holder == first_order_holder(order);
  });
}

bool names(const std::vector<std::string>& list, const std::string& one) {
  return list.empty() || std::ranges::find(list, one) != list.end();
}

}  // namespace

Evaluator::Evaluator(const Parts& parts, const Checkout& checkout)
    : parts_(parts), checkout_(checkout), tally_(parts.source) {}

std::optional<Grant> Evaluator::grant(std::uint64_t number) const {
  const auto stored = parts_.source.get(store::Family::grants, grant_key(number));
  if (!stored) return std::nullopt;
  absl::StatusOr<Grant> grant = decode_grant(*stored);
  if (grant.ok()) return *std::move(grant);
  parts_.source.fail(grant.status());
  return std::nullopt;
}

// Both kinds of codes are looked for whatever the first finds, so that the time says nothing.
Wanted Evaluator::find(std::string_view code) const {
  const std::string normalized = normalized_code(code);
  Wanted wanted{.code = std::string(code)};
  const auto offer = parts_.book.offer_of_code(normalized);
  const auto number = parts_.source.get(store::Family::grants, parts_.keys.code(normalized));
  if (offer) wanted.terms = parts_.book.terms(offer->id);
  if (!number) return wanted;
  wanted.grant = grant(store::number_in(*number).value_or(0));
  if (wanted.grant) {
    wanted.terms = parts_.book.terms(wanted.grant->offer, wanted.grant->offer_version);
  }
  return wanted;
}

std::optional<Reason> Evaluator::refusal_by_grant(const Wanted& wanted) const {
  if (!wanted.grant) return std::nullopt;
  const Grant& grant = *wanted.grant;
  if (grant.user != k_nobody && grant.user != checkout_.shopper.user) return Reason::not_yours;
  switch (grant.state_at(parts_.now_ms)) {
    case GrantState::issued:
      return Reason::not_started;
    case GrantState::active:
      return std::nullopt;
    case GrantState::reserved:
      if (grant.reservation == parts_.own_reservation) return std::nullopt;
      return Reason::used;
    case GrantState::redeemed:
    case GrantState::returned:
      return Reason::used;
    case GrantState::expired:
      return Reason::expired;
    case GrantState::revoked:
      return Reason::revoked;
  }
  return std::nullopt;
}

// A grant has a validity of its own, which may outlive the campaign's window.
std::optional<Reason> Evaluator::refusal_by_time(const Wanted& wanted) const {
  const Offer& offer = *wanted.terms.offer;
  const auto current = parts_.book.offer(offer.id);
  if (!wanted.terms.campaign || !current) return Reason::expired;
  const CampaignState state = wanted.terms.campaign->state_at(parts_.now_ms);
  if (state == CampaignState::paused || current->is_paused) return Reason::paused;
  if (state == CampaignState::draft) return Reason::not_started;
  if (state == CampaignState::archived) return Reason::expired;
  if (!wanted.grant) {
    if (offer.trigger != Trigger::code && offer.trigger != Trigger::automatic) {
      return Reason::unknown_code;
    }
    const bool is_early = offer.start_ms && parts_.now_ms < *offer.start_ms;
    const bool is_late = offer.end_ms && parts_.now_ms >= *offer.end_ms;
    if (state == CampaignState::scheduled || is_early) return Reason::not_started;
    if (state == CampaignState::ended || is_late) return Reason::expired;
  }
  const Conditions& asked = offer.conditions;
  const int hour = wanted.terms.campaign->calendar.hour(parts_.now_ms);
  const bool is_open = asked.from_hour < asked.until_hour
                           ? hour >= asked.from_hour && hour < asked.until_hour
                           : hour >= asked.from_hour || hour < asked.until_hour;
  if (!is_open) return Reason::not_started;
  return std::nullopt;
}

std::optional<Reason> Evaluator::refusal_by_place(Wanted& wanted) const {
  const Cart& cart = checkout_.cart;
  const Campaign& campaign = *wanted.terms.campaign;
  wanted.amounts = wanted.terms.offer->amounts_in(cart.market, cart.currency);
  if (wanted.amounts == nullptr || !names(campaign.markets, cart.market)) return Reason::market;
  if (!names(campaign.channels, cart.channel)) return Reason::channel;
  if (!names(wanted.terms.offer->conditions.channels, cart.channel)) return Reason::channel;
  return std::nullopt;
}

// Whom a grant is for was decided when it was given.
std::optional<Reason> Evaluator::refusal_by_person(const Wanted& wanted) const {
  const Conditions& asked = wanted.terms.offer->conditions;
  const Shopper& shopper = checkout_.shopper;
  const bool has_user = shopper.user != k_nobody || !checkout_.user_id.empty();
  if (!has_user && has_limit_by(wanted.terms, Scope::user)) return Reason::not_yours;
  if (checkout_.identifiers.empty() && has_limit_by(wanted.terms, Scope::identifier)) {
    return Reason::not_yours;
  }
  const auto current = parts_.book.campaign(wanted.terms.campaign->id);
  if (!wanted.grant && shopper.not_meant.contains(current->id)) return Reason::segment;
  if (!asked.levels.empty() && !names(asked.levels, shopper.level)) return Reason::segment;
  const bool is_old = shopper.first_order_ms != 0 &&
                      parts_.now_ms - shopper.first_order_ms > asked.new_customer_days * k_day_ms;
  if (asked.new_customer_days > 0 && is_old) return Reason::segment;
  return asked.first_order ? refusal_by_first_order() : std::nullopt;
}

// One open first order for a user, and for everything that tells them again.
std::optional<Reason> Evaluator::refusal_by_first_order() const {
  const Shopper& shopper = checkout_.shopper;
  if (shopper.user == k_nobody && checkout_.user_id.empty()) return Reason::not_yours;
  if (shopper.orders > 0) return Reason::first_order_only;
  std::vector<std::string> keys;
  if (shopper.user != k_nobody) keys.push_back(parts_.keys.first_order(shopper.user));
  for (const std::string& one : checkout_.identifiers) keys.push_back(parts_.keys.first_order(one));
  for (const std::string& key : keys) {
    const auto holder = parts_.source.get(store::Family::grants, key);
    const bool is_own =
        holder && parts_.own_reservation != 0 && *holder == store::key_of(parts_.own_reservation);
    if (holder && !is_own && !was_cancelled(shopper, *holder)) return Reason::first_order_only;
  }
  return std::nullopt;
}

Party Evaluator::party_of(const Wanted& wanted) const {
  Party party{.user = checkout_.shopper.user,
              .market = checkout_.cart.market,
              .currency = checkout_.cart.currency,
              .time_ms = parts_.now_ms};
  if (!wanted.code.empty()) party.code = to_hex(parts_.keys.code(normalized_code(wanted.code)));
  if (!checkout_.order_id.empty()) {
    party.order = to_hex(parts_.keys.redemption(checkout_.order_id));
  }
  for (const std::string& one : checkout_.identifiers) {
    party.identifiers.push_back(to_hex(parts_.keys.hash("identifier", "", one)));
  }
  return party;
}

// What the grant holds is there for it.
void Evaluator::release_holds(const Wanted& wanted, Tally& tally) const {
  if (!wanted.grant) return;
  for (const Posting& hold : wanted.grant->holds) {
    tally.add({.account = hold.account, .held = -hold.held});
  }
}

std::optional<Reason> Evaluator::refusal_by_limits(const Wanted& wanted) {
  Tally tally = tally_;
  release_holds(wanted, tally);
  const Effect& effect = wanted.terms.offer->effect;
  for (const Account& account :
       accounts_of(wanted.terms, party_of(wanted),
                   {Measure::uses, Measure::discount, Measure::stock, Measure::points})) {
    if (!account.limit) continue;
    std::int64_t least = 1;
    if (account.measure == Measure::stock) least = least_pieces(effect);
    if (account.measure == Measure::points && effect.kind != Kind::points) least = 0;
    if (tally.left(account.name, *account.limit) < least) return reason_of(account);
  }
  return std::nullopt;
}

// The campaign as it is now, the terms as they were promised.
std::optional<Reason> Evaluator::refusal_before_limits(Wanted& wanted) const {
  std::optional<Reason> reason = refusal_by_grant(wanted);
  if (!reason) reason = refusal_by_time(wanted);
  if (!reason) reason = refusal_by_place(wanted);
  if (!reason) reason = refusal_by_person(wanted);
  return reason;
}

std::optional<Denial> Evaluator::refusal(Wanted& wanted) {
  if (!wanted.terms.offer) return Denial{.reason = Reason::unknown_code};
  std::optional<Reason> reason = refusal_before_limits(wanted);
  if (!reason) reason = refusal_by_limits(wanted);
  if (!reason) return std::nullopt;
  return Denial{.reason = *reason};
}

Candidate Evaluator::candidate_of(const Wanted& wanted) {
  const Offer& offer = *wanted.terms.offer;
  Applied applied{.id = offer.id,
                  .priority = wanted.terms.campaign->priority * k_campaign_weight + offer.priority,
                  .effect = &offer.effect,
                  .amounts = wanted.amounts,
                  .min_quantity = offer.conditions.min_quantity};
  for (const CartLine& line : checkout_.cart.lines) {
    const bool is_covered =
        offer.conditions.products.covers(line.product_id, parts_.catalog, parts_.now_ms);
    // The gift does not help to reach what it is given for.
    const bool is_gift =
        offer.effect.kind == Kind::exchange && line.product_id == offer.effect.gift_product_id;
    applied.covers.push_back(is_covered && !is_gift);
  }
  if (offer.effect.kind == Kind::exchange) {
    const auto gift = parts_.catalog.find(offer.effect.gift_product_id);
    if (gift && gift->price) applied.gift_worth = *gift->price;
  }
  Tally tally = tally_;
  release_holds(wanted, tally);
  for (const Account& account : accounts_of(wanted.terms, party_of(wanted), {Measure::discount})) {
    if (!account.limit || !account.caps) continue;
    const Money left{tally.left(account.name, *account.limit)};
    applied.left = applied.left ? std::min(*applied.left, left) : left;
  }
  return {.applied = std::move(applied), .stacking = offer.stacking};
}

Use Evaluator::use_of(const Wanted& wanted, const Cut& cut) const {
  Use use{.offer = wanted.terms.offer->id,
          .version = wanted.terms.offer->version,
          .code = wanted.code,
          .grant = wanted.grant ? wanted.grant->number : 0,
          .by_line = cut.by_line,
          .shipping = cut.shipping,
          .points = cut.points,
          .pieces = cut.pieces};
  if (cut.gift) use.gifts.push_back(*cut.gift);
  return use;
}

std::optional<Reason> Evaluator::count_one(const Wanted& wanted, Use& use, Tally& tally) const {
  release_holds(wanted, tally);
  const std::int64_t discount = use.total().minor;
  for (const Account& account : accounts_of(wanted.terms, party_of(wanted),
                                            {Measure::uses, Measure::discount, Measure::stock,
                                             Measure::points, Measure::liability})) {
    std::int64_t amount = discount;
    if (account.measure == Measure::uses) amount = 1;
    if (account.measure == Measure::stock) amount = use.pieces;
    if (account.measure == Measure::points) amount = use.points;
    if (account.measure == Measure::liability && use.grant == 0) amount = 0;
    if (amount == 0) continue;
    const bool is_bound = account.limit && account.measure != Measure::liability;
    if (is_bound && tally.left(account.name, *account.limit) < amount) return reason_of(account);
    tally.add({.account = account.name, .committed = amount});
    use.counts.push_back({account.name, account.measure, amount});
  }
  return std::nullopt;
}

std::optional<std::size_t> Evaluator::count(const Choice& choice, std::vector<Use>& uses) {
  Tally tally = tally_;
  uses.clear();
  for (std::size_t i = 0; i < choice.chosen.size(); ++i) {
    const Wanted& wanted = wanted_[choice.chosen[i]];
    Use use = use_of(wanted, choice.priced.cuts[i]);
    if (const auto reason = count_one(wanted, use, tally)) {
      last_reason_ = *reason;
      return choice.chosen[i];
    }
    uses.push_back(std::move(use));
  }
  return std::nullopt;
}

void Evaluator::add(Wanted wanted, Evaluation& evaluation) {
  const bool is_there_already = std::ranges::any_of(wanted_, [&](const Wanted& other) {
    if (wanted.grant || other.grant) {
      return wanted.grant && other.grant && wanted.grant->number == other.grant->number;
    }
    return wanted.terms.offer && other.terms.offer->id == wanted.terms.offer->id;
  });
  if (is_there_already) return;
  if (std::optional<Denial> denial = refusal(wanted)) {
    if (!wanted.is_asked_for) return;
    const std::string offer = wanted.terms.offer ? wanted.terms.offer->id : "";
    evaluation.denied.push_back({wanted.code, offer, *std::move(denial)});
    return;
  }
  candidates_.push_back(candidate_of(wanted));
  wanted_.push_back(std::move(wanted));
}

// Why those that were asked for are not among the chosen.
void Evaluator::explain_rest(const Choice& choice, Evaluation& evaluation) const {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (!wanted_[i].is_asked_for || std::ranges::find(choice.chosen, i) != choice.chosen.end()) {
      continue;
    }
    Denied denied{wanted_[i].code, wanted_[i].terms.offer->id, {}};
    const Priced priced = price(checkout_.cart, std::span(&candidates_[i].applied, 1));
    if (priced.cuts[0].gap) {
      denied.denial = denial_of(*priced.cuts[0].gap);
    } else {
      denied.denial.reason = choice.chosen.empty() ? Reason::wrong_products : Reason::not_stackable;
      for (const std::size_t other : choice.chosen) {
        denied.denial.with.push_back(wanted_[other].terms.offer->id);
      }
    }
    evaluation.denied.push_back(std::move(denied));
  }
}

Evaluation Evaluator::evaluate() {
  Evaluation evaluation;
  for (const std::string& code : checkout_.codes) add(find(code), evaluation);
  if (checkout_.with_automatic) {
    for (const auto& offer : parts_.book.automatic()) {
      add({.terms = parts_.book.terms(offer->id), .is_asked_for = false}, evaluation);
    }
  }
  Choice choice = choose(checkout_.cart, candidates_);
  while (const auto unfit = count(choice, evaluation.uses)) {
    const Wanted& wanted = wanted_[*unfit];
    if (wanted.is_asked_for) {
      evaluation.denied.push_back({wanted.code, wanted.terms.offer->id, {.reason = last_reason_}});
    }
    const auto place = static_cast<std::ptrdiff_t>(*unfit);
    wanted_.erase(wanted_.begin() + place);
    candidates_.erase(candidates_.begin() + place);
    choice = choose(checkout_.cart, candidates_);
  }
  explain_rest(choice, evaluation);
  bool is_first_order = false;
  for (std::size_t i = 0; i < choice.chosen.size(); ++i) {
    const Wanted& wanted = wanted_[choice.chosen[i]];
    evaluation.grants.push_back(wanted.grant);
    const auto& next = choice.priced.cuts[i].next_gap;
    evaluation.next_missing.push_back(next ? next->missing : Money{});
    is_first_order = is_first_order || wanted.terms.offer->conditions.first_order;
  }
  if (is_first_order) {
    evaluation.first_order_keys.push_back(parts_.keys.first_order(checkout_.shopper.user));
    for (const std::string& one : checkout_.identifiers) {
      evaluation.first_order_keys.push_back(parts_.keys.first_order(one));
    }
  }
  evaluation.priced = std::move(choice.priced);
  return evaluation;
}

Evaluator::Alone Evaluator::alone(Wanted wanted) {
  Alone answer;
  answer.denial = refusal(wanted);
  if (answer.denial) return answer;
  const Candidate candidate = candidate_of(wanted);
  answer.priced = price(checkout_.cart, std::span(&candidate.applied, 1));
  if (const auto& gap = answer.priced.cuts[0].gap) answer.denial = denial_of(*gap);
  return answer;
}

}  // namespace vitrine::coupons
