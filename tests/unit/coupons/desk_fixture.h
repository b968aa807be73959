// A desk on a real store with a real committer, and calls that wait.
#pragma once

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/published.h"
#include "server/coupons/desk.h"
#include "server/coupons/open_holds.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::coupons {

class DeskTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    database_ = open_store(folder_.path());
    on_.emplace(*database_);
    identities_ = identity::IdentityBook::open(*database_).value();
    decisions_ = CouponDecisionLog::open(*database_, on_->metrics, {}).value();
    desk_ = Desk::open({.database = *database_,
                        .committer = on_->committer,
                        .identities = *identities_,
                        .catalog = *catalog_,
                        .offers = offers_,
                        .clock = on_->clock,
                        .metrics = on_->metrics,
                        .decisions = &*decisions_,
                        .rules = rules_})
                .value();
  }
  void reopen() {
    const TimeMs now_ms = on_->clock.now_ms();
    on_->committer.stop();
    desk_.reset();
    decisions_.reset();
    identities_.reset();
    on_.reset();
    database_.reset();
    open();
    on_->clock.set(now_ms);
  }

  static Campaign campaign(std::vector<Limit> budgets = {}) {
    return {.id = "spring",
            .state = CampaignState::active,
            .end_ms = CommitterOnStore::k_now_ms + 30 * k_day_ms,
            .holdout_share = 0,
            .budgets = std::move(budgets),
            .version = 1};
  }
  // 20.00 off 100.00, under the public code TWENTY.
  static Offer twenty() {
    Offer offer{.id = "twenty", .campaign = "spring", .code = "TWENTY"};
    offer.amounts["*"] = {.currency = "EUR", .tiers = {{{10'000}, {2000}}}};
    return offer;
  }
  void use(Campaign campaign) {
    offers_.publish(
        std::make_shared<const OfferBook>(offers_.current()->with(std::move(campaign))));
  }
  void use(Offer offer) {
    offer.version = ++version_;
    EXPECT_TRUE(validate(offer).ok()) << validate(offer);
    offers_.publish(std::make_shared<const OfferBook>(offers_.current()->with(std::move(offer))));
  }

  // A cart of 120.00.
  static Checkout checkout(std::string order, std::string user = "ann",
                           std::vector<std::string> codes = {"TWENTY"}) {
    return {
        .cart = {.lines = {{"a", "shirt", {4000}, 2}, {"b", "mug", {1000}, 4}}, .currency = "EUR"},
        .order_id = std::move(order),
        .user_id = std::move(user),
        .codes = std::move(codes),
        .request_hash = "same"};
  }

  using Outcome = absl::StatusOr<Desk::Outcome>;
  template <class Call>
  static Outcome waited(Call call) {
    std::promise<Outcome> promise;
    const absl::Status sent = call([&](Outcome outcome) { promise.set_value(std::move(outcome)); });
    if (!sent.ok()) return sent;
    return promise.get_future().get();
  }
  Outcome redeem(Checkout checkout) {
    return waited([&](Desk::OnOutcome done) { return desk_->redeem(std::move(checkout), done); });
  }
  Outcome hold(Checkout checkout, TimeMs hold_ms = k_minute_ms) {
    return waited(
        [&](Desk::OnOutcome done) { return desk_->hold(std::move(checkout), hold_ms, done); });
  }
  Outcome redeem_held(std::uint64_t reservation, std::string order, std::string hash = "same") {
    return waited([&](Desk::OnOutcome done) {
      return desk_->redeem_held(reservation, std::move(order), std::move(hash), done);
    });
  }
  Outcome release(std::uint64_t reservation) {
    return waited([&](Desk::OnOutcome done) { return desk_->release(reservation, done); });
  }
  Outcome give_back(std::string order, std::string id, std::vector<Desk::ReturnedLine> lines) {
    return waited([&](Desk::OnOutcome done) {
      return desk_->give_back(std::move(order), std::move(id), std::move(lines), "same", done);
    });
  }
  std::vector<Desk::Issued> issue(Desk::Issue issue) {
    std::promise<absl::StatusOr<std::vector<Desk::Issued>>> promise;
    EXPECT_TRUE(
        desk_->issue(std::move(issue), [&](auto issued) { promise.set_value(std::move(issued)); })
            .ok());
    auto issued = promise.get_future().get();
    EXPECT_TRUE(issued.ok()) << issued.status();
    return issued.ok() ? *std::move(issued) : std::vector<Desk::Issued>{};
  }
  // "BUDGET" where the first of the coupons was refused, "applied" or "held" else.
  static std::string result_of(const Outcome& outcome) {
    if (!outcome.ok()) return outcome.status().ToString();
    if (outcome->order) return std::string(name_of(outcome->order->state));
    return outcome->denied.empty() ? "nothing"
                                   : std::string(name_of(outcome->denied.front().denial.reason));
  }
  Balance balance(const std::string& account) { return desk_->balance(account).value(); }
  void expect_sound() {
    const auto reconciled = Ledger::reconcile(*database_);
    EXPECT_TRUE(reconciled.ok()) << reconciled.status();
    const auto held = check_open_holds(*database_);
    EXPECT_TRUE(held.ok()) << held.status();
  }

  const TempFolder folder_;
  // Nobody is kept from anything unless a test asks for it.
  DecisionRules rules_{.control_percent = 0, .new_per_week = DecisionRules::k_new_per_week_max};
  std::uint64_t version_ = 0;
  catalog::ProductNumbers numbers_;
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::Catalog::in_memory({}, numbers_);
  Published<OfferBook> offers_{std::make_shared<const OfferBook>()};
  std::unique_ptr<store::Database> database_;
  std::optional<CommitterOnStore> on_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<CouponDecisionLog> decisions_;
  std::unique_ptr<Desk> desk_;
};

}  // namespace vitrine::coupons
