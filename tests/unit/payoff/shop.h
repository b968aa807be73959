// A shop with a campaign on a real store: decisions, orders and redemptions as the server keeps
// them, on a clock that is moved by hand.
#pragma once

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "server/payoff/campaign_report.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::payoff {

class ShopTest : public testing::Test {
 protected:
  ShopTest() {
    coupons::Campaign spring{.id = "spring", .state = coupons::CampaignState::active, .version = 1};
    spring.holdout_share = 0.2;
    use(spring);
    // 5.00 off 20.00 under the public code FIVE.
    coupons::Offer five{.id = "five", .campaign = "spring", .code = "FIVE", .version = 1};
    five.amounts["*"] = {.currency = "EUR", .tiers = {{{2000}, {500}}}};
    use(five);
    coupons::Offer other = five;
    other.id = "other";
    other.code = "OTHER";
    use(other);
  }

  template <class Value>
  void use(Value value) {
    offers_.publish(
        std::make_shared<const coupons::OfferBook>(offers_.current()->with(std::move(value))));
  }
  // A mug costs the shop so much.
  void sell_mugs_at(const std::string& cost) {
    Product mug;
    mug.product_id = "mug";
    mug.currency = "EUR";
    mug.attributes["cost"] = cost;
    priced_ = catalog::Catalog::in_memory({mug}, numbers_);
  }

  UserNumber user(const std::string& user_id, const std::string& visitor_id = "") {
    UserNumber number;
    in_batch([&](events::Batch& batch) {
      number = identities_->resolve(batch, user_id, visitor_id).user;
    });
    return number;
  }
  template <class Stage>
  void in_batch(Stage stage) {
    ASSERT_TRUE(on_.committer
                    .submit_and_wait([&](events::Batch& batch) {
                      stage(batch);
                      return absl::OkStatus();
                    })
                    .ok());
  }

  coupons::CouponDecision decision(UserNumber user, training::Assignment assignment) {
    const bool is_offered = assignment == training::Assignment::offered;
    return {
        .decision_id = make_ulid(on_.clock.now_ms()),
        .campaign = "spring",
        .time_ms = on_.clock.now_ms(),
        .user = user,
        .person = user,
        .offer = "five",
        .propensity = 1,
        .assignment = assignment,
        .outcome = is_offered ? coupons::DecisionOutcome::granted : coupons::DecisionOutcome::ghost,
        .policy = "direct"};
  }
  void decide(const coupons::CouponDecision& decision) {
    in_batch([&](events::Batch& batch) { decisions_->stage(batch, decision); });
  }
  void decide(UserNumber user, training::Assignment assignment) {
    decide(decision(user, assignment));
  }

  Event event(EventType type, const std::string& order, std::int64_t pieces = 1) {
    Event event;
    event.event_id = order + std::to_string(++events_);
    event.type = type;
    event.time_ms = on_.clock.now_ms();
    event.order_id = order;
    event.product_id = "mug";
    event.quantity = pieces;
    return event;
  }
  static void append(events::Batch& batch, UserNumber user, Event event) {
    LogEntry entry;
    entry.user = user;
    entry.source = "test";
    entry.what = std::move(event);
    batch.append(std::move(entry));
  }
  // `pieces` mugs of 20.00 each.
  Event purchase(const std::string& order, std::int64_t pieces = 1) {
    Event bought = event(EventType::purchase, order, pieces);
    bought.price = Money{2000};
    bought.currency = "EUR";
    return bought;
  }
  void tell(UserNumber user, const Event& event) {
    in_batch([&](events::Batch& batch) { append(batch, user, event); });
  }

  using Outcome = absl::StatusOr<coupons::Desk::Outcome>;
  // Sends it and goes on; `settle` waits.
  void redeem(const std::string& user_id, const std::string& order, std::int64_t pieces = 1) {
    coupons::Checkout checkout{.cart = {.lines = {{"a", "mug", {2000}, pieces}}, .currency = "EUR"},
                               .order_id = order,
                               .user_id = user_id,
                               .codes = {"FIVE"},
                               .request_hash = order};
    auto promise = std::make_shared<std::promise<Outcome>>();
    waiting_.push_back(promise->get_future());
    ASSERT_TRUE(desk_
                    ->redeem(std::move(checkout),
                             [promise](Outcome outcome) { promise->set_value(std::move(outcome)); })
                    .ok());
  }
  void settle() {
    for (std::future<Outcome>& one : waiting_) {
      const Outcome outcome = one.get();
      EXPECT_TRUE(outcome.ok() && outcome->order);
    }
    waiting_.clear();
  }

  CampaignReport report(CampaignReporter::Question question = {.campaign = "spring"}) {
    const CampaignReporter reporter({.database = *database_,
                                     .profiles = profiles_,
                                     .identities = *identities_,
                                     .catalog = priced_ ? *priced_ : *catalog_,
                                     .desk = *desk_,
                                     .decisions = *decisions_,
                                     .clock = on_.clock});
    auto report = reporter.report(question);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : CampaignReport();
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  catalog::ProductNumbers numbers_;
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::Catalog::in_memory({}, numbers_);
  Published<coupons::OfferBook> offers_{std::make_shared<const coupons::OfferBook>()};
  profiles::ProfileBook profiles_{numbers_};
  Metrics metrics_;
  std::unique_ptr<coupons::CouponDecisionLog> decisions_ =
      coupons::CouponDecisionLog::open(*database_, metrics_, {}).value();
  std::unique_ptr<identity::IdentityBook> identities_ =
      identity::IdentityBook::open(*database_).value();
  CommitterOnStore on_{*database_, {&profiles_}};
  std::unique_ptr<coupons::Desk> desk_ = coupons::Desk::open({.database = *database_,
                                                              .committer = on_.committer,
                                                              .identities = *identities_,
                                                              .catalog = *catalog_,
                                                              .offers = offers_,
                                                              .clock = on_.clock,
                                                              .metrics = metrics_})
                                             .value();
  std::unique_ptr<catalog::Catalog> priced_;
  std::vector<std::future<Outcome>> waiting_;
  int events_ = 0;
};

}  // namespace vitrine::payoff
