#include "server/decisions/decision_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "server/store/key.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/decisions/support.h"

namespace vitrine::decisions {
namespace {

class DecisionLogTest : public ::testing::Test {
 protected:
  void open(const DecisionLog::Options& options = {}) {
    writer_.reset();
    log_ = *DecisionLog::open(*database_, metrics_, options);
    writer_.emplace(*database_);
    writer_->clock.set(k_noon_ms);
  }
  // Everything recorded before is on disk when it returns.
  void settle() {
    ASSERT_TRUE(
        writer_->committer.submit_and_wait([](events::Batch&) { return absl::OkStatus(); }).ok());
  }
  std::string record(Decision decision) {
    std::string id = decision.recommendation_id;
    log_->record(writer_->committer, std::move(decision));
    return id;
  }
  bool has(std::string_view id) { return log_->find(id)->has_value(); }

  TempFolder folder_;
  Metrics metrics_;
  std::unique_ptr<store::Database> database_ = open_store(folder_ / "store");
  std::unique_ptr<DecisionLog> log_;
  std::optional<CommitterOnStore> writer_;
};

// A key apart from the newest would make every compaction one of the whole family.
TEST_F(DecisionLogTest, WritesNothingButDecisionsInOrderOfTimeToTheirFamily) {
  open();
  record(decision_at(k_noon_ms, {"p1"}));
  settle();
  std::size_t count = 0;
  const auto cursor = database_->walk(store::Family::decisions, "", false);
  for (; cursor->valid(); cursor->next(), ++count) {
    EXPECT_EQ(time_in_ulid(cursor->key()), k_noon_ms) << cursor->key();
  }
  EXPECT_EQ(count, 1U);
}

TEST_F(DecisionLogTest, ReadsItsStateWhereEarlierVersionsKeptIt) {
  store::WriteSet earlier;
  earlier.put(store::Family::decisions, "#state",
              store::key_of(std::uint64_t{9}) + store::key_of(std::uint64_t{4}));
  ASSERT_TRUE(database_->write(std::move(earlier)).ok());
  open();
  EXPECT_EQ(log_->size(), 5U);
  const std::string id = record(decision_at(k_noon_ms, {"p1"}));
  settle();
  EXPECT_EQ((*log_->find(id))->sequence, 10U);
  open();
  EXPECT_EQ(log_->size(), 6U);
}

TEST_F(DecisionLogTest, KeepsWhatWasShownAndFindsItByItsId) {
  open();
  Decision shown = decision_at(k_noon_ms, {"p1", "p2"});
  shown.shown[1].propensity = 0.02;
  const std::string id = record(shown);
  settle();

  const Decision found = **log_->find(id);
  EXPECT_EQ(found.recommendation_id, id);
  EXPECT_EQ(found.time_ms, k_noon_ms);
  EXPECT_EQ(found.sequence, 1U);
  EXPECT_EQ(found.placement, "home");
  EXPECT_EQ(found.model_version, "m1");
  EXPECT_EQ(found.user, UserNumber(7));
  EXPECT_EQ(found.place_of("p2"), 1U);
  EXPECT_EQ(found.place_of("p3"), std::nullopt);
  EXPECT_EQ(found.shown[0].propensity, std::nullopt);
  EXPECT_EQ(found.shown[1].propensity, 0.02);
  EXPECT_FALSE(has(make_ulid(k_noon_ms)));
  EXPECT_FALSE(has("no ulid"));
}

// Whoever sends an event after its answer is written after it.
TEST_F(DecisionLogTest, ACommandSubmittedLaterFindsEveryDecisionRecordedBefore) {
  open();
  for (int i = 0; i < 300; ++i) {
    const std::string id = record(decision_at(k_noon_ms + i, {"p"}));
    if (i % 7 != 0) continue;
    settle();
    ASSERT_TRUE(has(id)) << i;
  }
  settle();
  EXPECT_EQ(log_->size(), 300U);
}

TEST_F(DecisionLogTest, TellsOfDecisionsInTheOrderOfTheirSequenceAlsoAfterARestart) {
  open();
  std::vector<std::uint64_t> told;
  log_->on_written([&](const Decision& decision) { told.push_back(decision.sequence); });
  record(decision_at(k_noon_ms, {"p"}));
  record(decision_at(k_noon_ms, {"p"}));
  settle();
  open();
  log_->on_written([&](const Decision& decision) { told.push_back(decision.sequence); });
  record(decision_at(k_noon_ms, {"p"}));
  settle();
  EXPECT_THAT(told, testing::ElementsAre(1, 2, 3));
}

TEST_F(DecisionLogTest, ForgetsWhatIsOlderThanItsDays) {
  open({.waiting_max = 2048, .days_kept = 35, .decisions_max = 1000});
  const std::string old = record(decision_at(k_noon_ms - 36 * k_day_ms, {"p"}));
  const std::string young = record(decision_at(k_noon_ms - 34 * k_day_ms, {"p"}));
  settle();
  record(decision_at(k_noon_ms, {"p"}));
  settle();

  EXPECT_FALSE(has(old));
  EXPECT_TRUE(has(young));
  writer_->clock.advance(2 * k_day_ms);
  record(decision_at(k_noon_ms + 2 * k_day_ms, {"p"}));
  settle();
  EXPECT_FALSE(has(young));
  EXPECT_EQ(log_->size(), 2U);
}

TEST_F(DecisionLogTest, ForgetsTheOldestBeyondItsNumber) {
  open({.waiting_max = 2048, .days_kept = 35, .decisions_max = 10});
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) {
    ids.push_back(record(decision_at(k_noon_ms + i, {"p"})));
    settle();
  }
  EXPECT_LE(log_->size(), 11U);
  EXPECT_FALSE(has(ids[0]));
  EXPECT_TRUE(has(ids[39]));
}

TEST_F(DecisionLogTest, DropsAndCountsWhatComesWhileTooMuchWaits) {
  open({.waiting_max = 5, .days_kept = 35, .decisions_max = 1000});
  std::promise<void> is_held;
  std::promise<void> release;
  auto held = std::async(std::launch::async, [&] {
    return writer_->committer.submit_and_wait([&](events::Batch&) {
      is_held.set_value();
      release.get_future().wait();
      return absl::OkStatus();
    });
  });
  is_held.get_future().wait();
  for (int i = 0; i < 9; ++i) record(decision_at(k_noon_ms + i, {"p"}));
  release.set_value();
  ASSERT_TRUE(held.get().ok());
  settle();

  EXPECT_EQ(log_->size(), 5U);
  EXPECT_THAT(metrics_.text(), testing::HasSubstr("vitrine_decisions_dropped_total 4"));
}

TEST_F(DecisionLogTest, HandsOutWhatIsKeptAboutAPersonAndNobodyElse) {
  open();
  record(decision_at(k_noon_ms, {"p1"}, UserNumber(7)));
  record(decision_at(k_noon_ms, {"p2"}, UserNumber(8)));
  settle();
  const events::DataSubject seven{
      .user_ids = {}, .visitor_ids = {}, .people = {UserNumber(7)}, .histories = {UserNumber(7)}};
  const std::string exported = *log_->export_person(seven);
  EXPECT_THAT(exported, testing::HasSubstr("p1"));
  EXPECT_THAT(exported, testing::Not(testing::HasSubstr("p2")));
}

TEST(UlidTest, TellsItsTime) {
  const std::string ulid = make_ulid(k_noon_ms);
  EXPECT_EQ(time_in_ulid(ulid), k_noon_ms);
  EXPECT_EQ(ulid_time(k_noon_ms), ulid.substr(0, 10));
  EXPECT_EQ(time_in_ulid("too short"), std::nullopt);
}

}  // namespace
}  // namespace vitrine::decisions
