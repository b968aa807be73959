// One order may be told by the browser and by the backend, and taken back by its id alone.
#include <gtest/gtest.h>

#include <future>

#include "server/collect/collector.h"
#include "server/events/event_log.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::collect {
namespace {

class OrdersTest : public testing::Test {
 protected:
  ~OrdersTest() override { on_.committer.stop(); }

  // A line, an hour before now unless said otherwise.
  IncomingEvent line(std::string event_id, EventType type, std::string visitor_id,
                     TimeMs age_ms = k_hour_ms) {
    IncomingEvent incoming;
    incoming.event.event_id = std::move(event_id);
    incoming.event.type = type;
    incoming.event.visitor_id = std::move(visitor_id);
    incoming.event.order_id = "o1";
    if (type == EventType::purchase) incoming.event.product_id = "cup";
    incoming.event.time_ms = CommitterOnStore::k_now_ms - age_ms;
    incoming.event.received_ms = CommitterOnStore::k_now_ms;
    return incoming;
  }
  static IncomingEvent from_page(IncomingEvent incoming) {
    incoming.event.is_unverified = true;
    incoming.trust = identity::Trust::claimed;
    return incoming;
  }
  void collect(std::string source, std::vector<IncomingEvent> batch) {
    std::promise<void> answered;
    ASSERT_TRUE(collector_
                    .collect(std::move(batch), std::move(source), false,
                             [&](const auto& outcome) {
                               EXPECT_TRUE(outcome.ok()) << outcome.status();
                               answered.set_value();
                             })
                    .ok());
    answered.get_future().wait();
  }
  // "first again superseded !takeover" in the order of the log, without links.
  std::string log() const {
    std::string told;
    EXPECT_TRUE(events::make_local_event_log(*database_)
                    ->read(0,
                           [&](LogEntry&& entry) {
                             constexpr const char* k_names[] = {"first", "again", "superseded"};
                             if (entry.takeover() != nullptr) told += "!takeover ";
                             if (const Event* event = entry.event()) {
                               told += event->type == EventType::purchase
                                           ? k_names[static_cast<int>(event->telling)]
                                           : std::string(name_of(event->type));
                               told += " ";
                               last_user_ = entry.user;
                             }
                             return true;
                           })
                    .ok());
    return told;
  }
  UserNumber visitor(std::string_view id) const { return identities_->find("", id).user; }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
  const std::unique_ptr<identity::IdentityBook> identities_ =
      std::move(identity::IdentityBook::open(*database_)).value();
  const std::unique_ptr<events::Quarantine> quarantine_ =
      std::move(events::Quarantine::open(*database_, {})).value();
  Collector collector_{
      *database_, on_.committer, *identities_, *quarantine_, on_.clock, on_.metrics, {}};
  mutable UserNumber last_user_;
};

TEST_F(OrdersTest, LinesOfOneMessageAreOneTelling) {
  collect("segment:a",
          {line("m1#0", EventType::purchase, "v"), line("m1#1", EventType::purchase, "v")});
  collect("segment:a", {line("m1#2", EventType::purchase, "v")});
  EXPECT_EQ(log(), "first first first ");
}

TEST_F(OrdersTest, TheLaterWordHolds) {
  collect("segment:a", {line("m1#0", EventType::purchase, "v", 3 * k_hour_ms)});
  collect("segment:a", {line("m2#0", EventType::purchase, "v", 2 * k_hour_ms),
                        line("m2#1", EventType::purchase, "v", 2 * k_hour_ms)});
  collect("api", {line("late", EventType::purchase, "v", 4 * k_hour_ms)});
  EXPECT_EQ(log(), "first !takeover again again superseded ");
}

TEST_F(OrdersTest, TheBackendsWordIsBetterThanThePages) {
  collect("segment:page", {from_page(line("m1#0", EventType::purchase, "v", k_hour_ms))});
  collect("segment:shop", {line("m2#0", EventType::purchase, "v", 9 * k_hour_ms)});
  collect("segment:page", {from_page(line("m3#0", EventType::purchase, "forger", 0))});
  EXPECT_EQ(log(), "first !takeover again superseded ");
}

TEST_F(OrdersTest, NativeLinesUnderOneKeyAreOneTelling) {
  collect("api", {line("a", EventType::purchase, "v", 2 * k_hour_ms)});
  collect("api", {line("b", EventType::purchase, "v", k_hour_ms)});
  EXPECT_EQ(log(), "first first ");
}

TEST_F(OrdersTest, WhatNamesTheOrderAloneReachesWhoHasIt) {
  IncomingEvent bought = line("m1#0", EventType::purchase, "v");
  collect("api", {bought});
  collect("api", {line("r", EventType::cancel, "")});
  log();
  EXPECT_EQ(last_user_, visitor("v"));
  EXPECT_NE(last_user_, k_nobody);

  // Also after the visitor became a user.
  IncomingEvent login = line("l", EventType::login, "v");
  login.event.user_id = "ann";
  collect("api", {login, line("r2", EventType::refund, "")});
  log();
  EXPECT_EQ(last_user_, identities_->find("ann", "").user);
}

TEST_F(OrdersTest, APageTakesBackNobodyElsesOrder) {
  collect("api", {line("m1#0", EventType::purchase, "v")});
  collect("api:page", {from_page(line("r", EventType::cancel, "forger"))});
  log();
  EXPECT_EQ(last_user_, visitor("forger"));
  collect("api:page", {from_page(line("r2", EventType::cancel, ""))});
  log();
  EXPECT_EQ(last_user_, k_nobody);
}

}  // namespace
}  // namespace vitrine::collect
