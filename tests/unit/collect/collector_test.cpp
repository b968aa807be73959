#include "server/collect/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/status.h"
#include "server/events/event_log.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::collect {
namespace {

using testing::HasSubstr;

IncomingEvent view_of(std::string event_id, std::string user_id, std::string visitor_id = {}) {
  IncomingEvent incoming;
  incoming.raw = "raw of " + event_id;
  incoming.event.event_id = std::move(event_id);
  incoming.event.user_id = std::move(user_id);
  incoming.event.visitor_id = std::move(visitor_id);
  incoming.event.product_id = "p1";
  incoming.event.time_ms = CommitterOnStore::k_now_ms;
  incoming.event.received_ms = CommitterOnStore::k_now_ms;
  return incoming;
}

// Everything a collector needs, on a folder that outlives it.
struct Parts {
  explicit Parts(const std::filesystem::path& folder, const Collector::Options& options = {})
      : database(open_store(folder)),
        on(*database),
        identities(std::move(identity::IdentityBook::open(*database)).value()),
        quarantine(std::move(events::Quarantine::open(*database, {})).value()),
        collector(*database, on.committer, *identities, *quarantine, on.clock, on.metrics,
                  options) {}
  ~Parts() { on.committer.stop(); }

  CollectOutcome collect(std::vector<IncomingEvent> batch, std::string source = "shop",
                         bool is_import = false) {
    std::promise<absl::StatusOr<CollectOutcome>> answered;
    const absl::Status submitted =
        collector.collect(std::move(batch), std::move(source), is_import,
                          [&](auto outcome) { answered.set_value(std::move(outcome)); });
    EXPECT_TRUE(submitted.ok()) << submitted;
    auto outcome = answered.get_future().get();
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return std::move(outcome).value();
  }
  std::vector<LogEntry> log() const {
    std::vector<LogEntry> entries;
    EXPECT_TRUE(events::make_local_event_log(*database)
                    ->read(0,
                           [&](LogEntry&& entry) {
                             entries.push_back(std::move(entry));
                             return true;
                           })
                    .ok());
    return entries;
  }

  const std::unique_ptr<store::Database> database;
  CommitterOnStore on;
  const std::unique_ptr<identity::IdentityBook> identities;
  const std::unique_ptr<events::Quarantine> quarantine;
  Collector collector;
};

class CollectorTest : public testing::Test {
 protected:
  const TempFolder folder_;
};

TEST_F(CollectorTest, AnAcceptedEventIsInTheLogWithNumbersInPlaceOfIds) {
  Parts parts(folder_.path());
  const auto outcome = parts.collect({view_of("e1", "u1")});
  EXPECT_EQ(outcome.accepted, 1U);
  EXPECT_EQ(outcome.duplicates, 0U);
  EXPECT_EQ(outcome.token, 1U);
  const auto log = parts.log();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log[0].user, parts.identities->find("u1", "").user);
  EXPECT_EQ(log[0].source, "shop");
  EXPECT_EQ(log[0].event()->event_id, "e1");
  EXPECT_EQ(log[0].event()->user_id, "");
  EXPECT_EQ(encode(log[0]).find("u1"), std::string::npos);
}

TEST_F(CollectorTest, ADuplicateIsCountedAndStoredOnceInACallAcrossCallsAndAfterReopening) {
  {
    Parts parts(folder_.path());
    const auto first =
        parts.collect({view_of("e1", "u1"), view_of("e1", "u1"), view_of("e2", "u1")});
    EXPECT_EQ(first.accepted, 2U);
    EXPECT_EQ(first.duplicates, 1U);
    const auto second = parts.collect({view_of("e2", "u1"), view_of("e3", "u1")});
    EXPECT_EQ(second.accepted, 1U);
    EXPECT_EQ(second.duplicates, 1U);
  }
  Parts parts(folder_.path());
  const auto third = parts.collect({view_of("e1", "u1"), view_of("e3", "u1")});
  EXPECT_EQ(third.accepted, 0U);
  EXPECT_EQ(third.duplicates, 2U);
  EXPECT_EQ(third.token, 3U) << "all duplicates: the current position";
  EXPECT_EQ(parts.log().size(), 3U);
}

TEST_F(CollectorTest, EventIdsAreUniqueWithinASource) {
  Parts parts(folder_.path());
  EXPECT_EQ(parts.collect({view_of("e1", "u1")}, "shop").accepted, 1U);
  EXPECT_EQ(parts.collect({view_of("e1", "u1")}, "app").accepted, 1U);
  EXPECT_EQ(parts.collect({view_of("e1", "u1")}, "app").duplicates, 1U);
}

TEST_F(CollectorTest, AnEventWithoutAnIdGetsOneOfItsOwn) {
  Parts parts(folder_.path());
  EXPECT_EQ(parts.collect({view_of("", "u1"), view_of("", "u1")}).accepted, 2U);
  const auto log = parts.log();
  EXPECT_EQ(log[0].event()->event_id.size(), 26U);
  EXPECT_NE(log[0].event()->event_id, log[1].event()->event_id);
}

TEST_F(CollectorTest, AnEventWithBothIdsMovesTheVisitorBeforeItself) {
  Parts parts(folder_.path());
  const auto outcome =
      parts.collect({view_of("e1", "", "v1"), view_of("e2", "u1", "v1"), view_of("e3", "", "v1")});
  EXPECT_EQ(outcome.accepted, 3U);
  EXPECT_EQ(outcome.token, 4U) << "three events and a link";
  const auto log = parts.log();
  ASSERT_EQ(log.size(), 4U);
  const UserNumber user = parts.identities->find("u1", "").user;
  EXPECT_EQ(log[0].user, log[0].visitor);
  ASSERT_NE(log[1].link(), nullptr);
  EXPECT_EQ(log[1].link()->to_user, user);
  EXPECT_EQ(log[2].user, user);
  EXPECT_EQ(log[3].user, user) << "the visitor is the user from now on";
  EXPECT_EQ(log[3].visitor, log[0].visitor);
}

TEST_F(CollectorTest, ASessionOrAnOrderAloneIsNobodys) {
  Parts parts(folder_.path());
  IncomingEvent incoming = view_of("e1", "");
  incoming.event.session_id = "s1";
  EXPECT_EQ(parts.collect({incoming}).accepted, 1U);
  const auto log = parts.log();
  EXPECT_EQ(log[0].user, k_nobody);
  EXPECT_EQ(log[0].visitor, k_nobody);
  EXPECT_EQ(log[0].event()->session_id, "s1");
}

TEST_F(CollectorTest, RefusedEventsGoToQuarantineAndTheOthersPass) {
  Parts parts(folder_.path());
  IncomingEvent nameless = view_of("e2", "");
  IncomingEvent unread = view_of("e4", "u1");
  unread.refusal = EventRefusal{"unknown_type", "type", "type must be ..."};
  const auto outcome = parts.collect({view_of("e1", "u1"), nameless, view_of("e3", "u1"), unread});
  EXPECT_EQ(outcome.accepted, 2U);
  ASSERT_EQ(outcome.rejected.size(), 2U);
  EXPECT_EQ(outcome.rejected[0].index, 1U);
  EXPECT_EQ(outcome.rejected[0].code, "missing_id");
  EXPECT_EQ(outcome.rejected[1].index, 3U);
  EXPECT_EQ(outcome.rejected[1].code, "unknown_type");

  const auto kept = parts.quarantine->list({}, 0, 10).value().events;
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].raw, "raw of e4");
  EXPECT_EQ(kept[1].raw, "raw of e2");
  EXPECT_EQ(kept[1].code, "missing_id");
  EXPECT_EQ(kept[1].source, "shop");
  EXPECT_THAT(parts.on.metrics.text(), HasSubstr("code=\"missing_id\"} 1"));
}

TEST_F(CollectorTest, ABatchOfOnlyRefusedEventsIsAnsweredLikeAnyOther) {
  Parts parts(folder_.path());
  const auto outcome = parts.collect({view_of("e1", "")});
  EXPECT_EQ(outcome.accepted, 0U);
  EXPECT_EQ(outcome.rejected.size(), 1U);
  EXPECT_EQ(outcome.token, 0U);
  EXPECT_EQ(parts.quarantine->size(), 1U);
  EXPECT_EQ(parts.collect({}).accepted, 0U);
}

TEST_F(CollectorTest, LiveTimesAreClampedAndMarkedAndImportedOnesKept) {
  Parts parts(folder_.path());
  IncomingEvent old = view_of("e1", "u1");
  old.event.time_ms = 1'291'193'100'000;
  parts.collect({old}, "shop", false);
  old.event.event_id = "e2";
  parts.collect({old}, "import", true);
  const auto log = parts.log();
  EXPECT_EQ(log[0].event()->time_ms, CommitterOnStore::k_now_ms - 30 * k_day_ms);
  EXPECT_TRUE(log[0].event()->time_clamped);
  EXPECT_EQ(log[1].event()->time_ms, 1'291'193'100'000);
  EXPECT_FALSE(log[1].event()->time_clamped);
}

TEST_F(CollectorTest, TooManyEventsOfOneCallAreRefusedWithTheLimit) {
  Parts parts(folder_.path(), {.limits = {}, .batch_events_max = 2});
  const absl::Status status =
      parts.collector.collect({view_of("a", "u"), view_of("b", "u"), view_of("c", "u")}, "shop",
                              false, [](auto) { ADD_FAILURE() << "must not be called"; });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(message_of(status)), HasSubstr("at most 2 entries, got 3"));
  EXPECT_TRUE(parts.log().empty());
}

}  // namespace
}  // namespace vitrine::collect
