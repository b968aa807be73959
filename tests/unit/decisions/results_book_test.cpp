#include "server/decisions/results_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/decisions/support.h"

namespace vitrine::decisions {
namespace {

constexpr UserNumber k_ann{7};
constexpr UserNumber k_ben{8};

class ResultsBookTest : public ::testing::Test {
 protected:
  ResultsBookTest() {
    log_->on_written([this](const Decision& decision) { book_.served(decision); });
    writer_.emplace(*database_);
  }

  // Shown to Ann at noon.
  std::string show(std::vector<std::string> products, TimeMs time_ms = k_noon_ms) {
    Decision decision = decision_at(time_ms, std::move(products));
    std::string id = decision.recommendation_id;
    log_->record(writer_->committer, std::move(decision));
    EXPECT_TRUE(
        writer_->committer.submit_and_wait([](events::Batch&) { return absl::OkStatus(); }).ok());
    return id;
  }
  void happens(EventType type, std::string product, std::string recommendation = {},
               UserNumber user = k_ann, TimeMs time_ms = k_noon_ms) {
    book_.apply(
        entry_of(++position_, user, type, std::move(product), time_ms, std::move(recommendation)));
  }
  Counts totals() const { return all(book_).totals; }
  static Results all(const ResultsBook& book, Grouping by = {}) {
    return book.read({.placement = "home",
                      .from_day = k_noon_ms / k_day_ms - 100,
                      .until_day = k_noon_ms / k_day_ms + 100,
                      .by = by});
  }

  TempFolder folder_;
  Metrics metrics_;
  std::unique_ptr<store::Database> database_ = open_store(folder_ / "store");
  std::unique_ptr<DecisionLog> log_ = *DecisionLog::open(*database_, metrics_, {});
  ResultsBook book_{*log_};
  std::optional<CommitterOnStore> writer_;
  Position position_ = 0;
};

TEST_F(ResultsBookTest, ServedIsNotSeen) {
  const std::string id = show({"p1", "p2", "p3"});
  happens(EventType::impression, "p1", id);
  happens(EventType::impression, "p2", id);
  happens(EventType::click, "p2", id);

  EXPECT_EQ(totals().served, 3U);
  EXPECT_EQ(totals().impressions, 2U);
  EXPECT_EQ(totals().clicks, 1U);
}

TEST_F(ResultsBookTest, TheSameImpressionOrClickOfAnAnswerCountsOnce) {
  const std::string id = show({"p1"});
  for (int i = 0; i < 3; ++i) {
    happens(EventType::impression, "p1", id);
    happens(EventType::click, "p1", id);
    happens(EventType::view, "p1", id);
    happens(EventType::cart_add, "p1", id);
  }
  EXPECT_EQ(totals().impressions, 1U);
  EXPECT_EQ(totals().clicks, 1U);
  EXPECT_EQ(totals().cart_adds, 1U);
}

TEST_F(ResultsBookTest, WhatWasNotShownCountsForNobody) {
  const std::string id = show({"p1"});
  happens(EventType::click, "p9", id);
  happens(EventType::click, "p1", make_ulid(k_noon_ms));
  happens(EventType::click, "p1");
  happens(EventType::purchase, "p9", id);
  EXPECT_EQ(totals().clicks, 0U);
  EXPECT_EQ(totals().purchases, 0U);
}

TEST_F(ResultsBookTest, CountsByDaySourcePositionAndModel) {
  const std::string id = show({"p1", "p2"});
  happens(EventType::click, "p2", id);
  happens(EventType::impression, "p2", id, k_ann, k_noon_ms + k_day_ms);

  const Results results =
      all(book_, {.day = true, .source = true, .position = true, .model_version = true});
  ASSERT_EQ(results.rows.size(), 3U);
  EXPECT_EQ(results.rows[0].cell.position, 1U);
  EXPECT_EQ(results.rows[0].counts.served, 1U);
  EXPECT_EQ(results.rows[0].counts.clicks, 0U);
  for (const ResultsRow& row : results.rows) {
    EXPECT_EQ(row.cell.source, "personal");
    EXPECT_EQ(row.cell.model_version, "m1");
  }
  const Results by_day = all(book_, {.day = true});
  ASSERT_EQ(by_day.rows.size(), 2U);
  EXPECT_EQ(by_day.rows[0].counts.clicks, 1U);
  EXPECT_EQ(by_day.rows[1].cell.day, k_noon_ms / k_day_ms + 1);
  EXPECT_EQ(by_day.rows[1].counts.impressions, 1U);
}

TEST_F(ResultsBookTest, APurchaseThatNamesItsAnswerCountsForIt) {
  const std::string id = show({"p1", "p2"});
  happens(EventType::purchase, "p1", id);
  happens(EventType::purchase, "p2", id);
  EXPECT_EQ(totals().purchases, 2U);
  EXPECT_EQ(totals().orders, 1U) << "two lines of one order";
  EXPECT_EQ(totals().revenue.at("EUR"), Money{4 * 1990});
}

TEST_F(ResultsBookTest, APurchaseWithoutAnIdCountsForTheLastClickOfSevenDays) {
  const std::string earlier = show({"x", "p1"});
  const std::string later = show({"p1"});
  happens(EventType::click, "p1", earlier);
  happens(EventType::click, "p1", later, k_ann, k_noon_ms + k_hour_ms);
  happens(EventType::purchase, "p1", "", k_ann, k_noon_ms + 7 * k_day_ms);
  happens(EventType::purchase, "p1", "", k_ben, k_noon_ms + k_day_ms);

  const Results results = all(book_, {.position = true});
  ASSERT_EQ(totals().purchases, 1U) << "Ben never clicked";
  EXPECT_EQ(results.rows[0].counts.purchases, 1U) << "the last touch was at position 1";
}

TEST_F(ResultsBookTest, AClickIsForgottenAfterSevenDays) {
  const std::string id = show({"p1"});
  happens(EventType::click, "p1", id);
  happens(EventType::purchase, "p1", "", k_ann, k_noon_ms + 7 * k_day_ms + 1);
  happens(EventType::purchase, "p1", id, k_ann, k_noon_ms + 8 * k_day_ms);
  happens(EventType::purchase, "p1", "", k_ann, k_noon_ms - 1);
  EXPECT_EQ(totals().purchases, 0U);
}

TEST_F(ResultsBookTest, WhatAVisitorClickedIsTheUsersAfterTheyLogIn) {
  const std::string id = show({"p1"});
  happens(EventType::click, "p1", id, k_ben);
  LogEntry link;
  link.position = ++position_;
  link.what = VisitorLink{.visitor = k_ben, .from_user = k_ben, .to_user = k_ann};
  book_.apply(link);
  happens(EventType::purchase, "p1", "", k_ann, k_noon_ms + k_hour_ms);
  EXPECT_EQ(totals().purchases, 1U);
}

// The same life lived twice, the second time with a checkpoint and a restart in the middle.
TEST_F(ResultsBookTest, ACheckpointAndWhatCameAfterEqualTheWhole) {
  std::string saved;
  Position saved_at = 0;
  for (int i = 0; i < 40; ++i) {
    const std::string id = show({"p1", "p2"}, k_noon_ms + i);
    happens(EventType::impression, "p1", id);
    happens(EventType::click, i % 2 == 0 ? "p1" : "p2", id, UserNumber(100 + i % 5));
    if (i == 20) {
      saved = book_.checkpoint();
      saved_at = position_;
    }
  }
  happens(EventType::purchase, "p1", "", UserNumber(100), k_noon_ms + k_hour_ms);

  ResultsBook restored(*log_);
  ASSERT_TRUE(restored.restore(saved, saved_at).ok());
  EXPECT_EQ(restored.position(), saved_at);
  // What the log holds after the checkpoint: told apart by the ids of the 41st entry on.
  EXPECT_EQ(all(restored).totals.served, 42U);
  ASSERT_TRUE(restored.catch_up().ok());
  EXPECT_EQ(all(restored).totals.served, 80U);
  EXPECT_EQ(all(restored).totals.clicks, 21U);
  // The clicks of before the checkpoint are remembered by person.
  restored.apply(
      entry_of(saved_at + 1, UserNumber(100), EventType::purchase, "p1", k_noon_ms + k_hour_ms));
  EXPECT_EQ(all(restored).totals.purchases, 1U);
  EXPECT_EQ(all(restored).totals.purchases, totals().purchases);
}

TEST_F(ResultsBookTest, ACheckpointIsTheSameForTheSameStateAndRefusesWhatItIsNot) {
  const std::string id = show({"p1", "p2"});
  happens(EventType::click, "p2", id);
  happens(EventType::purchase, "p2", id);
  const std::string saved = book_.checkpoint();
  ResultsBook restored(*log_);
  ASSERT_TRUE(restored.restore(saved, position_).ok());
  EXPECT_EQ(restored.checkpoint(), saved);

  ResultsBook other(*log_);
  EXPECT_FALSE(other.restore("nonsense", 1).ok());
  EXPECT_EQ(other.position(), 0U);
}

TEST_F(ResultsBookTest, WithoutACheckpointTheServedAreCountedAnew) {
  show({"p1", "p2"});
  show({"p1"}, k_noon_ms - 3 * k_day_ms);
  ResultsBook fresh(*log_);
  ASSERT_TRUE(fresh.catch_up().ok());
  EXPECT_EQ(all(fresh).totals.served, 3U);
  ASSERT_TRUE(fresh.catch_up().ok());
  EXPECT_EQ(all(fresh).totals.served, 3U) << "each once";
}

}  // namespace
}  // namespace vitrine::decisions
