#include "server/app/log_interactions.h"

#include <gmock/gmock.h>

#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::app {
namespace {

using ::testing::ElementsAre;

class LogInteractionsTest : public ::testing::Test {
 protected:
  void append(UserNumber user, std::string product_id, std::string session_id = {},
              std::string order_id = {}) {
    Event event;
    event.event_id = "e" + std::to_string(++events_);
    event.type = EventType::purchase;
    event.product_id = std::move(product_id);
    event.session_id = std::move(session_id);
    event.market = "DE";
    event.quantity = 6;
    event.order_id = std::move(order_id);
    LogEntry entry;
    entry.user = user;
    entry.what = event;
    append(std::move(entry));
  }
  void link(UserNumber visitor, UserNumber from, UserNumber to) {
    LogEntry entry;
    entry.what = VisitorLink{visitor, from, to};
    append(std::move(entry));
  }

  void append_entry(UserNumber user, decltype(LogEntry::what) what) {
    LogEntry entry;
    entry.user = user;
    entry.what = std::move(what);
    append(std::move(entry));
  }
  static Event line(std::string product_id, OrderTelling telling = OrderTelling::first) {
    Event event;
    event.event_id = product_id;
    event.type = EventType::purchase;
    event.product_id = std::move(product_id);
    event.order_id = "o1";
    event.quantity = 6;
    event.telling = telling;
    return event;
  }

  // "person:product" for each interaction.
  std::vector<std::string> read() {
    std::vector<std::string> read;
    const absl::StatusOr<LogFacts> facts = read_log_interactions(
        *database_,
        [&](const training::Interaction& one) {
          read.push_back(std::string(one.user) + ":" + std::string(one.product));
          EXPECT_EQ(one.quantity, 6);
          places_.push_back(std::string(one.session) + "@" + std::string(one.market));
        },
        {});
    EXPECT_TRUE(facts.ok()) << facts.status();
    EXPECT_EQ(facts->interactions, read.size());
    return read;
  }
  // "session@market" for each interaction that was read.
  std::vector<std::string> places_;

 private:
  void append(LogEntry entry) {
    const auto appended = on_.committer.submit_and_wait([&](events::Batch& batch) {
      batch.append(entry);
      return absl::OkStatus();
    });
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
  int events_ = 0;
};

constexpr UserNumber k_visitor{1};
constexpr UserNumber k_ann{2};
constexpr UserNumber k_bob{3};

TEST_F(LogInteractionsTest, CountsAVisitorsPastForTheUserItTurnedOutToBe) {
  append(k_visitor, "before");
  link(k_visitor, k_visitor, k_ann);
  append(k_ann, "after");
  EXPECT_THAT(read(), ElementsAre("2:before", "2:after"));
}

TEST_F(LogInteractionsTest, LeavesHistoryWhereItIsWhenAVisitorChangesHands) {
  append(k_visitor, "before");
  link(k_visitor, k_visitor, k_ann);
  append(k_ann, "hers");
  link(k_visitor, k_ann, k_bob);
  append(k_bob, "his");
  EXPECT_THAT(read(), ElementsAre("2:before", "2:hers", "3:his"));
}

TEST_F(LogInteractionsTest, TakesASessionOfNobodyKnownForAPerson) {
  append(k_nobody, "p", "s1");
  append(k_nobody, "q", "", "order");
  EXPECT_THAT(read(), ElementsAre("session:s1:p", ":q"));
}

TEST_F(LogInteractionsTest, TellsSessionAndMarketAlsoOfKnownPeople) {
  append(k_ann, "p", "s1");
  append(k_ann, "q");
  read();
  EXPECT_THAT(places_, ElementsAre("s1@DE", "@DE"));
}

TEST_F(LogInteractionsTest, LeavesOutWhatIsAboutNoProduct) {
  append(k_ann, "");
  append(k_ann, "p");
  EXPECT_THAT(read(), ElementsAre("2:p"));
}

TEST_F(LogInteractionsTest, AnOrderToldTwiceIsThereOnce) {
  append_entry(k_ann, line("old"));
  append_entry(k_ann, OrderTakeover{.order_id = "o1"});
  append_entry(k_ann, line("new", OrderTelling::again));
  append_entry(k_ann, line("older", OrderTelling::superseded));
  EXPECT_THAT(read(), ElementsAre("2:new"));
}

TEST_F(LogInteractionsTest, AnOrderTakenBackAsAWholeIsNotThere) {
  append_entry(k_visitor, line("gone"));
  link(k_visitor, k_visitor, k_ann);
  append_entry(k_bob, line("kept"));
  Event cancel;
  cancel.type = EventType::cancel;
  cancel.order_id = "o1";
  append_entry(k_ann, cancel);
  EXPECT_THAT(read(), ElementsAre("3:kept"));
}

TEST_F(LogInteractionsTest, WhatProgramsDidIsLeftOutAlsoWhereThatShowedLate) {
  Event view = line("before");
  view.order_id = "";
  view.received_ms = 500;
  append_entry(k_bob, view);
  view.product_id = "in the burst";
  view.received_ms = 1500;
  append_entry(k_bob, view);
  append_entry(k_bob, BotFlag{.since_ms = 1000, .until_ms = 2000});
  view.product_id = "flagged";
  view.received_ms = 3000;
  view.is_bot = true;
  append_entry(k_bob, view);
  EXPECT_THAT(read(), ElementsAre("3:before"));
}

}  // namespace
}  // namespace vitrine::app
