// What somebody could use or take, for showing it to them.
#include <algorithm>

#include "base/status.h"
#include "server/coupons/desk.h"

namespace vitrine::coupons {
namespace {

constexpr std::size_t k_grants_usable_max = 200;  // of one person

// As if it had been claimed.
Wanted wanted_of(const Desk::Usable& usable) {
  Wanted wanted{.terms = usable.terms, .grant = usable.grant};
  if (usable.is_to_be_claimed) wanted.grant = Grant{.valid_until_ms = Campaign::k_never_ms};
  if (usable.grant) wanted.code = usable.grant->code;
  return wanted;
}

}  // namespace

absl::StatusOr<std::vector<Desk::Usable>> Desk::usable(const Checkout& checkout,
                                                       std::span<const Terms> claimable) const {
  const Source source(parts_.database);
  const std::shared_ptr<const OfferBook> book = offers();
  const TimeMs now_ms = parts_.clock.now_ms();
  const Evaluator evaluator(
      {.source = source, .book = *book, .catalog = parts_.catalog, .keys = keys_, .now_ms = now_ms},
      checkout);
  std::vector<Usable> all;
  const auto add = [&](Usable usable) {
    Wanted wanted = wanted_of(usable);
    if (!wanted.terms.offer || !wanted.terms.campaign) return;
    if (!evaluator.refusal_before_limits(wanted)) all.push_back(std::move(usable));
  };
  std::set<std::string, std::less<>> had;
  if (checkout.shopper.user != k_nobody) {
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Grant> grants,
                             grants_of(checkout.shopper.user, k_grants_usable_max));
    for (const Grant& grant : grants) {
      // Of several grants of an offer the first one that can be used.
      if (std::ranges::any_of(
              all, [&](const Usable& usable) { return usable.terms.offer->id == grant.offer; })) {
        continue;
      }
      had.insert(grant.offer);
      add({.terms = book->terms(grant.offer, grant.offer_version), .grant = grant});
    }
  }
  for (const auto& offer : book->automatic()) add({.terms = book->terms(offer->id)});
  Issue claim{.is_claim = true, .shopper = checkout.shopper};
  for (const Terms& terms : claimable) {
    if (had.contains(terms.offer->id) || refusal_of_issue(claim, terms, now_ms)) continue;
    add({.terms = terms, .is_to_be_claimed = true});
  }
  VITRINE_RETURN_IF_ERROR(source.status());
  return all;
}

absl::StatusOr<bool> Desk::has_room(const Checkout& checkout, const Usable& usable) const {
  const Source source(parts_.database);
  const std::shared_ptr<const OfferBook> book = offers();
  Evaluator evaluator({.source = source,
                       .book = *book,
                       .catalog = parts_.catalog,
                       .keys = keys_,
                       .now_ms = parts_.clock.now_ms()},
                      checkout);
  bool has_room = !evaluator.refusal_by_limits(wanted_of(usable));
  if (has_room && usable.is_to_be_claimed) {
    const Party party{.user = checkout.shopper.user,
                      .currency = checkout.cart.currency,
                      .time_ms = parts_.clock.now_ms()};
    Tally tally(source);
    for (const Account& account : accounts_of(usable.terms, party, {Measure::issued})) {
      const bool is_full = account.limit && tally.left(account.name, *account.limit) < 1;
      if (account.measure == Measure::issued && is_full) has_room = false;
    }
  }
  VITRINE_RETURN_IF_ERROR(source.status());
  return has_room;
}

std::int64_t Desk::new_coupons_of(UserNumber user) const {
  return coupons::new_coupons_of(Source(parts_.database), user, parts_.clock.now_ms());
}

}  // namespace vitrine::coupons
