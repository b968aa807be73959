// Where coupons are given, checked, held, redeemed and taken back.
//
// What changes something is one command of the committer: it decides on the state as all before it
// left it and writes movement, records and answer in one synced batch, so that nothing can be given
// twice or above a limit, and what was answered survives. The same order gets the same answer. What
// is held falls due by the time of commits. Thread-safe; callbacks run on the committer thread.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/published.h"
#include "server/catalog/catalog.h"
#include "server/coupons/assignment.h"
#include "server/coupons/coupon_decision_log.h"
#include "server/coupons/denial.h"
#include "server/coupons/denial_book.h"
#include "server/coupons/evaluation.h"
#include "server/coupons/ledger.h"
#include "server/coupons/offer_book.h"
#include "server/coupons/past_coupons.h"
#include "server/coupons/points.h"
#include "server/coupons/records.h"
#include "server/coupons/shelf_keys.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/identity/identity_book.h"
#include "server/store/database.h"

namespace vitrine::coupons {

class Desk final : public events::PersonalData {
 public:
  static constexpr TimeMs k_hold_usual_ms = 15 * k_minute_ms;
  static constexpr TimeMs k_hold_max_ms = k_day_ms;
  static constexpr std::size_t k_swept_max = 500;    // of what fell due, in one command
  static constexpr std::size_t k_issued_max = 1000;  // grants of one command
  static constexpr std::size_t k_returns_max = 100;  // of one order
  // Refusals that enter the log in a minute; all are counted.
  static constexpr std::size_t k_denials_logged_max = 600;

  // All outlive it.
  struct Parts {
    const store::Database& database;
    events::Committer& committer;
    identity::IdentityBook& identities;
    const catalog::Catalog& catalog;
    const Published<OfferBook>& offers;
    const Clock& clock;
    Metrics& metrics;
    CouponDecisionLog* decisions = nullptr;  // null: nothing is kept of who was to get what
    DecisionRules rules = {};
  };
  // DataLoss when its state cannot be read.
  static absl::StatusOr<std::unique_ptr<Desk>> open(const Parts& parts);

  // Answers without changing anything.
  absl::StatusOr<Evaluation> check(const Checkout& checkout) const;
  struct Qualified {
    std::shared_ptr<const Offer> offer = {};
    std::optional<Grant> grant = {};
    bool is_to_be_claimed = false;
    std::optional<Denial> denial = {};  // with the gap, where more in the cart would help
    Money discount = {};
    std::int64_t points = 0;
  };
  // What the person has, what applies by itself, and what can be claimed: what saves most first,
  // then what is nearest. Of a campaign that the person is kept from only what they have and what
  // would apply.
  absl::StatusOr<std::vector<Qualified>> qualify(const Checkout& checkout) const;

  // A coupon that somebody may use or take, whatever their cart.
  struct Usable {
    Terms terms = {};
    std::optional<Grant> grant = {};
    bool is_to_be_claimed = false;
  };
  // What the person has, what applies by itself, and of `claimable` what they may take; what the
  // ledger has left is not asked for.
  absl::StatusOr<std::vector<Usable>> usable(const Checkout& checkout,
                                             std::span<const Terms> claimable) const;
  // Whether the ledger has room for one more use of it, and for the claim.
  absl::StatusOr<bool> has_room(const Checkout& checkout, const Usable& usable) const;
  std::int64_t new_coupons_of(UserNumber user) const;  // of the last seven days
  const DecisionRules& rules() const { return parts_.rules; }

  // Of an order: what it became, or why not.
  struct Outcome {
    std::optional<Order> order = {};
    std::vector<Denied> denied = {};  // of what was asked for; then there is no order
    bool is_replay = false;
  };
  using OnOutcome = std::function<void(absl::StatusOr<Outcome>)>;
  // Prices the cart and holds what it takes for `hold_ms`. Asked again for the same order it is
  // the same reservation, or a new one in its place when the request is another.
  absl::Status hold(Checkout checkout, TimeMs hold_ms, OnOutcome done);
  // Spends. Once for an order id; Aborted when that came with another request before.
  absl::Status redeem(Checkout checkout, OnOutcome done);
  // Spends what a reservation holds.
  absl::Status redeem_held(std::uint64_t reservation, std::string order_id,
                           std::string request_hash, OnOutcome done);
  absl::Status release(std::uint64_t reservation, OnOutcome done);

  struct ReturnedLine {
    std::string line_id = {};
    std::int64_t quantity = 0;
  };
  // Empty lines: all that is left. The last of the order's returns is what was asked for.
  absl::Status give_back(std::string order_id, std::string return_id,
                         std::vector<ReturnedLine> lines, std::string request_hash, OnOutcome done);

  struct Issue {
    std::string offer = {};
    std::string round = {};                  // a person gets one grant of an offer in a round
    std::vector<std::string> user_ids = {};  // k_issued_max at most
    std::vector<UserNumber> people = {};     // likewise, known by their numbers
    std::int64_t codes = 0;                  // for whoever has them, instead of users
    bool is_claim = false;                   // by the person: of a claimed offer
    // Neither a holdout nor new_per_week keeps anybody from it: a coupon as an apology, say.
    bool is_for_everybody = false;
    Shopper shopper = {};  // of a claim
    // Of several granted offers of its campaign a person gets one in a round.
    bool is_one_of_campaign = false;
    // Who decided, and what the offer promised of each of `people` more than none; empty: the shop
    // itself, by nothing.
    std::string policy = {};
    std::uint64_t policy_version = 0;
    std::vector<float> scores = {};
  };
  struct Issued {
    std::string user_id = {};
    std::optional<Grant> grant = {};
    std::optional<Denial> denial = {};
    std::optional<Withheld> withheld = {};
    bool is_new = false;
  };
  using OnIssued = std::function<void(absl::StatusOr<std::vector<Issued>>)>;
  absl::Status issue(Issue issue, OnIssued done);
  // The same as a part of another command, on the committer thread. For each of `people` there is
  // an answer; those who were erased, or are no users, have neither grant nor denial.
  absl::StatusOr<std::vector<Issued>> stage_issue(events::Batch& batch, const Issue& issue);
  // Why nobody may be granted it now; what the ledger has left is not asked for.
  std::optional<Reason> refusal_of_grants(const Terms& terms) const;
  // Whether one of the offers was given to the person in this round, or kept from them.
  absl::StatusOr<bool> was_decided(std::span<const std::string> offers, std::string_view round,
                                   UserNumber user) const;
  absl::Status revoke(std::uint64_t grant, std::function<void(absl::StatusOr<Grant>)> done);

  // What another system gave and took, k_past_max at most: what is known by its user and round, or
  // by its order, is left as it is. An outcome for each, in order.
  using OnPast = std::function<void(absl::StatusOr<std::vector<PastOutcome>>)>;
  absl::Status take_over(std::vector<PastGrant> grants, OnPast done);
  absl::Status take_over(std::vector<PastRedemption> redemptions, OnPast done);

  struct PointsChange {
    std::string user_id = {};
    std::int64_t points = 0;     // below zero: spent
    std::string reference = {};  // the same one for a person is the same change
    TimeMs expires_ms = Campaign::k_never_ms;
  };
  struct PointsChanged {
    std::int64_t change = 0;
    std::int64_t balance = 0;  // as it was then
    bool is_replay = false;
  };
  using OnPoints = std::function<void(absl::StatusOr<PointsChanged>)>;
  // Gives or spends. FailedPrecondition: there are fewer. Aborted: the reference came before with
  // another change.
  absl::Status change_points(PointsChange change, OnPoints done);
  absl::StatusOr<PointsAccount> points_of(UserNumber user) const;

  absl::StatusOr<std::optional<Grant>> grant(std::uint64_t number) const;
  absl::StatusOr<std::optional<Order>> redemption(std::string_view order_id) const;
  absl::StatusOr<std::vector<Grant>> grants_of(UserNumber user, std::size_t count_max) const;
  // When the person redeemed something that was not given back as a whole, in no order.
  absl::StatusOr<std::vector<TimeMs>> redeemed_at(UserNumber user) const;
  absl::StatusOr<Balance> balance(const std::string& account) const;
  // How often an offer was refused for each reason; an empty id: unknown codes.
  const DenialBook& denials() const { return *denials_; }
  void note(const std::vector<Denied>& denied) const;

  std::shared_ptr<const OfferBook> offers() const { return parts_.offers.current(); }
  // Of whatever is given, held or worked on: each has one of its own.
  // After an error, which the source keeps, 0, and nothing is staged.
  static std::uint64_t next_number(events::Batch& batch, const Source& source);

  std::string_view name() const override { return "coupons"; }
  std::vector<store::Family> families() const override { return {store::Family::grants}; }
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  // Grants go; redemptions stay, for what was paid, and name nobody.
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  using Dues = std::set<std::pair<TimeMs, std::string>>;
  struct DueChanges {
    Dues added;
    Dues removed;
  };
  using Stage = std::function<absl::StatusOr<Outcome>(events::Batch&)>;

  Desk(const Parts& parts, std::unique_ptr<Ledger> ledger, std::shared_ptr<DenialBook> denials,
       Dues dues);

  absl::Status submit(Stage stage, OnOutcome done);
  // Refusals of people that were to buy, for whoever follows the log.
  void log_denied(events::Batch& batch, const Checkout& checkout,
                  const std::vector<Denied>& denied);
  // Gives back what fell due, before anything else is decided.
  void sweep_if_due();
  void stage_sweep(events::Batch& batch);
  void expire_reservation(events::Batch& batch, Order order, std::string_view kind);
  void lapse_grant(events::Batch& batch, TimeMs due_ms, Grant grant);

  absl::StatusOr<Outcome> stage_hold(events::Batch& batch, Checkout& checkout, TimeMs hold_ms);
  absl::StatusOr<Outcome> stage_redeem(events::Batch& batch, Checkout& checkout);
  absl::StatusOr<Outcome> stage_redeem_held(events::Batch& batch, std::uint64_t reservation,
                                            const std::string& order_id,
                                            const std::string& request_hash);
  absl::StatusOr<Outcome> stage_release(events::Batch& batch, std::uint64_t reservation);
  struct ReturnRequest;
  absl::StatusOr<Outcome> stage_return(events::Batch& batch, const ReturnRequest& request);
  void settle_return(events::Batch& batch, const Source& source, Order& order,
                     std::optional<PointsAccount> account);
  // What is still paid for the lines of an order, of what was paid.
  struct PaidShare {
    Money left = {};
    Money whole = {};
  };
  static std::int64_t share_down(std::int64_t points, PaidShare paid);
  static Money shipping_discount_of(const Order& order);
  static void give_back_use(Use& use, const std::vector<Money>& kept, bool is_all, PaidShare paid,
                            Return& back, Tally& tally);
  void restore_grant(events::Batch& batch, const Source& source, const Use& use,
                     const OfferBook& book);
  void resolve_user(events::Batch& batch, Checkout& checkout);
  // What the order holds itself, if anything, is there for it.
  Evaluation evaluate(TimeMs now_ms, const Source& source, const Checkout& checkout,
                      const std::optional<Order>& own) const;
  // What is held for an order by this name; nothing once it is released, spent or past its time.
  std::optional<Order> held_for(const Source& source, const std::string& order_id) const;
  static Order order_of(const Checkout& checkout, Evaluation evaluation, TimeMs now_ms);
  // What a reservation holds beside what its grants do.
  void hold_uses(const Source& source, const Order& order, int sign, Tally& tally) const;
  void commit_uses(events::Batch& batch, const Source& source, const Order& order, Tally& tally);
  void set_reservation(events::Batch& batch, const Source& source, const Order& order,
                       std::uint64_t reservation);
  void put_redemption(events::Batch& batch, const Order& order);
  static void put_first_order(events::Batch& batch, const Order& order);
  // The keys of its first order that it still holds.
  static void release_first_order(events::Batch& batch, const Source& source, const Order& order);

  Issued issue_one(events::Batch& batch, const Source& source, const Issue& issue,
                   const Terms& terms, UserNumber user);
  // Whether the person is to get it; writes the record of the decision.
  Issued decide_one(events::Batch& batch, const Source& source, const Issue& issue,
                    const Terms& terms, UserNumber user, std::optional<float> score = {});
  // What another offer of the campaign was in this round: a grant, or kept from the person.
  std::optional<Issued> decided_otherwise(const Source& source, const Issue& issue,
                                          const Campaign& campaign, UserNumber user) const;
  CouponDecision decision_about(const Issue& issue, const Campaign& campaign, UserNumber user,
                                TimeMs now_ms) const;
  std::optional<Reason> refusal_of_issue(const Issue& issue, const Terms& terms,
                                         TimeMs now_ms) const;

  template <class Past>
  using StagePast = PastOutcome (Desk::*)(events::Batch&, const Source&, const Past&);
  template <class Past>
  absl::Status take_over_all(std::vector<Past> all, StagePast<Past> stage, OnPast done);
  PastOutcome stage_past_grant(events::Batch& batch, const Source& source, const PastGrant& past);
  PastOutcome stage_past_redemption(events::Batch& batch, const Source& source,
                                    const PastRedemption& past);
  absl::StatusOr<std::optional<Grant>> past_grant_used(const Source& source, UserNumber user,
                                                       const PastRedemption& past) const;
  // Of an order that earns or returns points, to be read before anything of it is staged.
  absl::StatusOr<std::optional<PointsAccount>> points_with(const Source& source, const Order& order,
                                                           TimeMs now_ms) const;
  void earn(events::Batch& batch, const Order& order, std::optional<PointsAccount> account,
            Tally& tally) const;
  absl::StatusOr<PointsChanged> stage_points(events::Batch& batch, const PointsChange& change);
  absl::Status forget_points(events::Batch& batch, const Source& source, UserNumber user);
  static Grant new_grant(const Terms& terms, std::uint64_t number, UserNumber user, TimeMs now_ms,
                         const std::string& round);
  // With all that leads to it; `issue_key` is how it is known for its user and round.
  void put_new_grant(events::Batch& batch, const Grant& grant, const std::string& issue_key);

  std::optional<Grant> read_grant(const Source& source, std::uint64_t number) const;
  std::optional<Order> read_order(const Source& source, std::string_view key) const;
  void put_grant(events::Batch& batch, const Grant& grant);
  DueChanges& due_changes(events::Batch& batch);
  void put_due(events::Batch& batch, TimeMs time_ms, const std::string& key);
  void erase_due(events::Batch& batch, TimeMs time_ms, const std::string& key);

  const Parts parts_;
  const HashedKeys keys_;
  std::unique_ptr<Ledger> ledger_;
  const std::shared_ptr<DenialBook> denials_;
  std::int64_t logged_minute_ = 0;  // these two are the committer thread's
  std::size_t logged_in_it_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  Dues dues_;
};

}  // namespace vitrine::coupons
