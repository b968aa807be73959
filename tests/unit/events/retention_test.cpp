#include "server/events/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/events/event_log.h"
#include "server/store/key.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/events/support.h"

namespace vitrine::events {
namespace {

using store::Family;
using testing::ElementsAre;
using testing::HasSubstr;

class RetentionTest : public testing::Test {
 protected:
  static constexpr Retention::Options k_options{
      .key_days = 7, .behaviour_days = 30, .order_days = 90, .interval_ms = 1};

  // As the collector does it: an entry and the key that recognises its event.
  void append(const std::string& id, EventType type = EventType::view,
              const std::string& source = "api", TimeMs age_ms = 0) {
    LogEntry entry = entry_of(id);
    entry.source = source;
    Event event = *entry.event();
    event.type = type;
    event.received_ms = on_.clock.now_ms();
    event.time_ms = event.received_ms - age_ms;
    entry.what = event;
    const auto appended = on_.committer.submit_and_wait([&](Batch& batch) {
      const Position position = batch.append(entry);
      batch.put(Family::dedupe, key_of(id, source), store::key_of(position));
      return absl::OkStatus();
    });
    ASSERT_TRUE(appended.ok()) << appended.status();
  }
  void link(UserNumber visitor, UserNumber user) {
    const auto appended = on_.committer.submit_and_wait([&](Batch& batch) {
      batch.append(
          {.user = user,
           .visitor = visitor,
           .source = "api",
           .what = VisitorLink{.visitor = visitor, .from_user = visitor, .to_user = user}});
      return absl::OkStatus();
    });
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  std::string key_of(const std::string& id, const std::string& source) const {
    return store::hashed_key(database_->secret(), "event", source, id);
  }
  bool is_recognised(const std::string& id, const std::string& source = "api") const {
    return database_->get(Family::dedupe, key_of(id, source)).value().has_value();
  }
  RetentionState state() const { return read_retention_state(*database_).value(); }
  // The days pass, and everything they end goes; `is_done` is what the end looks like.
  void pass(std::int64_t days, const std::function<bool(const RetentionState&)>& is_done) {
    on_.clock.advance(days * k_day_ms);
    Retention retention(*database_, on_.committer, on_.clock, on_.metrics, *on_.log, k_options);
    const std::int64_t deadline_us = steady_us() + 20'000'000;
    while (!is_done(state()) && steady_us() < deadline_us) std::this_thread::yield();
    EXPECT_TRUE(is_done(state()));
  }
  std::vector<std::string> logged() const {
    std::vector<std::string> ids;
    const absl::Status read = make_local_event_log(*database_)->read(0, [&](LogEntry&& entry) {
      ids.push_back(entry.event() == nullptr ? "link" : entry.event()->event_id);
      return true;
    });
    EXPECT_TRUE(read.ok()) << read;
    return ids;
  }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
};

TEST_F(RetentionTest, KeysOfLiveEventsPassAndThoseOfImportsStay) {
  append("live");
  append("tracked", EventType::view, "segment:k1");
  append("imported", EventType::view, "import");
  append("imported-as-api", EventType::view, "api", 60 * k_day_ms);
  on_.clock.advance(4 * k_day_ms);
  append("young");

  pass(4, [](const RetentionState& state) { return state.keys_until == 4; });

  EXPECT_FALSE(is_recognised("live"));
  EXPECT_FALSE(is_recognised("tracked", "segment:k1"));
  EXPECT_TRUE(is_recognised("imported", "import"));
  EXPECT_TRUE(is_recognised("imported-as-api"));
  EXPECT_TRUE(is_recognised("young"));
  EXPECT_EQ(logged().size(), 5U) << "the entries have their own time";
  EXPECT_THAT(on_.metrics.text(), HasSubstr("vitrine_retention_event_keys_total 2"));
}

TEST_F(RetentionTest, BehaviourPassesBeforeOrdersAndLinksAndTheNewestStay) {
  append("view");
  append("order", EventType::purchase);
  link(UserNumber(1), UserNumber(2));
  append("refund", EventType::refund);
  append("last view");

  pass(31, [](const RetentionState& state) { return state.behaviour_until == 4; });
  EXPECT_THAT(logged(), ElementsAre("order", "link", "refund", "last view"));

  pass(60, [](const RetentionState& state) { return state.orders_until == 4; });
  EXPECT_THAT(logged(), ElementsAre("link", "last view"));
  EXPECT_EQ(state().entries_removed, 3U);

  append("after");
  EXPECT_EQ(on_.committer.visible(), 6U) << "positions are never given twice";
}

TEST_F(RetentionTest, ManyPassInStepsAndARestartReplaysWhatIsLeft) {
  constexpr int k_views = 700;  // several steps
  for (int i = 0; i < k_views; ++i) append("view" + std::to_string(i));
  append("order", EventType::purchase);
  append("last");

  pass(31, [](const RetentionState& state) { return state.behaviour_until == k_views + 1; });

  class Ids final : public Projection {
   public:
    std::string_view name() const override { return "ids"; }
    void apply(const LogEntry& entry) override {
      at = entry.position;
      seen.push_back(entry.event()->event_id);
    }
    Position position() const override { return at; }
    std::vector<std::string> seen;
    Position at = 0;
  } ids;
  const std::array<Projection*, 1> all{&ids};
  const absl::Status replayed = replay(*make_local_event_log(*database_), *database_, all, {});
  EXPECT_TRUE(replayed.ok()) << replayed;
  EXPECT_THAT(ids.seen, ElementsAre("order", "last"));
  EXPECT_EQ(ids.position(), on_.committer.visible());
}

TEST_F(RetentionTest, AnEmptyEntryThatDidNotPassIsDataLoss) {
  append("a");
  append("b");
  const auto emptied = on_.committer.submit_and_wait([](Batch& batch) {
    batch.put(Family::log, store::key_of(Position{1}), {});
    return absl::OkStatus();
  });
  ASSERT_TRUE(emptied.ok());

  const absl::Status read =
      make_local_event_log(*database_)->read(0, [](LogEntry&&) { return true; });

  EXPECT_EQ(read.code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vitrine::events
