// What the coupons of a checkout come to: who may use what, which go together, at which price, and
// whether the ledger has it.
//
// Reads the state through a Source and changes nothing: the same code answers a question and
// decides for the committer. One thread each.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/catalog/catalog.h"
#include "server/coupons/accounts.h"
#include "server/coupons/denial.h"
#include "server/coupons/ledger.h"
#include "server/coupons/offer_book.h"
#include "server/coupons/records.h"
#include "server/coupons/shelf_keys.h"

namespace vitrine::coupons {

// What conditions ask of a person.
struct Shopper {
  UserNumber user = k_nobody;                        // nobody: not known yet, or not told
  std::int64_t orders = 0;                           // that were not taken back as a whole
  std::vector<std::uint64_t> cancelled_orders = {};  // those that were: fixed hashes, ascending
  TimeMs first_order_ms = 0;
  std::string level = {};
  std::set<std::string, std::less<>> not_meant = {};  // campaigns whose audience leaves them out
};

struct Checkout {
  static constexpr std::size_t k_codes_max = 10;
  static constexpr std::size_t k_identifiers_max = 10;

  Cart cart = {};
  std::string order_id = {};  // or what the shop calls the order before there is one
  std::string user_id = {};   // empty: nobody was told
  std::vector<std::string> codes = {};
  std::vector<std::string> identifiers = {};  // phone, device, address: as the shop hashed them
  bool with_automatic = true;
  std::string request_hash = {};
  Shopper shopper = {};
};

// A coupon that is looked at: whose it is and what it says.
struct Wanted {
  std::string code = {};  // as it was given
  Terms terms = {};       // on which it was given
  std::optional<Grant> grant = {};
  const Amounts* amounts = nullptr;
  bool is_asked_for = true;
};

struct Evaluation {
  std::vector<Use> uses = {};
  std::vector<std::optional<Grant>> grants = {};  // of the uses
  std::vector<Denied> denied = {};                // of those asked for
  Priced priced = {};
  std::vector<Money> next_missing = {};  // of each use: to its next step; zero where there is none
  std::vector<std::string> first_order_keys = {};
};

class Evaluator {
 public:
  struct Parts {
    const Source& source;
    const OfferBook& book;
    const catalog::Catalog& catalog;
    const HashedKeys& keys;
    TimeMs now_ms = 0;
    std::uint64_t own_reservation = 0;  // what it holds does not count against the checkout
  };
  Evaluator(const Parts& parts, const Checkout& checkout);

  Evaluation evaluate();
  // One coupon by itself: what it would take off, or why nothing.
  struct Alone {
    std::optional<Denial> denial = {};
    Priced priced = {};
  };
  Alone alone(Wanted wanted);
  // Why the person may not have it at all, whatever the cart; asks no ledger.
  std::optional<Reason> refusal_before_limits(Wanted& wanted) const;
  // Why there is none left of it.
  std::optional<Reason> refusal_by_limits(const Wanted& wanted);

  // What is counted before anything of the checkout is: to be changed before evaluate().
  Tally& tally() { return tally_; }

  // The coupon of a code; no offer when there is none.
  Wanted find(std::string_view code) const;
  std::optional<Grant> grant(std::uint64_t number) const;

 private:
  std::optional<Denial> refusal(Wanted& wanted);
  std::optional<Reason> refusal_by_grant(const Wanted& wanted) const;
  std::optional<Reason> refusal_by_time(const Wanted& wanted) const;
  std::optional<Reason> refusal_by_place(Wanted& wanted) const;
  std::optional<Reason> refusal_by_person(const Wanted& wanted) const;
  std::optional<Reason> refusal_by_first_order() const;
  Party party_of(const Wanted& wanted) const;
  Candidate candidate_of(const Wanted& wanted);
  void add(Wanted wanted, Evaluation& evaluation);
  Use use_of(const Wanted& wanted, const Cut& cut) const;
  // Counts the chosen ones on a copy of the balances; the place of the one that does not fit.
  std::optional<std::size_t> count(const Choice& choice, std::vector<Use>& uses);
  std::optional<Reason> count_one(const Wanted& wanted, Use& use, Tally& tally) const;
  void release_holds(const Wanted& wanted, Tally& tally) const;
  void explain_rest(const Choice& choice, Evaluation& evaluation) const;

  const Parts parts_;
  const Checkout& checkout_;
  Tally tally_;
  std::vector<Wanted> wanted_;
  std::vector<Candidate> candidates_;
  Reason last_reason_ = Reason::budget;  // why the last one did not fit
};

}  // namespace vitrine::coupons
