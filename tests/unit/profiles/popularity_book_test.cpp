#include "server/profiles/popularity_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <thread>

#include "base/random.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::profiles {
namespace {

class PopularityBookTest : public ::testing::Test {
 protected:
  std::vector<std::string> ids(const std::vector<PopularProduct>& list) {
    std::vector<std::string> ids;
    for (const PopularProduct& entry : list) ids.emplace_back(numbers_.id_of(entry.product));
    return ids;
  }
  double share(const std::vector<PopularProduct>& list, const std::string& product_id) {
    for (const PopularProduct& entry : list) {
      if (numbers_.id_of(entry.product) == product_id) return entry.score;
    }
    return 0;
  }

  catalog::ProductNumbers numbers_;
  PopularityBook book_{numbers_};
  Entries entries_;
};

TEST_F(PopularityBookTest, IsEmptyBeforeTheFirstEvent) {
  EXPECT_TRUE(book_.popular()->empty());
  EXPECT_TRUE(book_.trending()->empty());
}

TEST_F(PopularityBookTest, PutsTheMostWantedFirstAndEqualsByProductId) {
  book_.apply(entries_.view(1, "tea", k_now_ms));
  book_.apply(entries_.view(1, "cup", k_now_ms));
  book_.apply(entries_.view(2, "pot", k_now_ms));
  book_.apply(entries_.view(3, "pot", k_now_ms));

  EXPECT_THAT(ids(*book_.popular()), testing::ElementsAre("pot", "cup", "tea"));
  EXPECT_NEAR(share(*book_.popular(), "cup"), 0.5, 1e-9);
}

TEST_F(PopularityBookTest, CountsAPersonOnceForAProductAndDayWithTheStrongestDeed) {
  for (int i = 0; i < 50; ++i) book_.apply(entries_.view(1, "tea", k_now_ms));
  book_.apply(entries_.view(1, "pot", k_now_ms));
  book_.apply(entries_.event(1, EventType::cart_add, "pot", k_now_ms));
  book_.apply(entries_.event(1, EventType::purchase, "pot", k_now_ms));
  book_.apply(entries_.event(1, EventType::purchase, "cup", k_now_ms));

  const auto popular = book_.popular();

  EXPECT_NEAR(share(*popular, "pot"), 1, 1e-9);
  EXPECT_NEAR(share(*popular, "cup"), 1, 1e-9);
  EXPECT_NEAR(share(*popular, "tea"),
              default_weight(EventType::view) / default_weight(EventType::purchase), 1e-9);
}

TEST_F(PopularityBookTest, CountsEveryOrderWithoutACustomer) {
  book_.apply(entries_.event(0, EventType::purchase, "cup", k_now_ms, "o1"));
  book_.apply(entries_.event(0, EventType::purchase, "cup", k_now_ms, "o1"));
  book_.apply(entries_.event(0, EventType::purchase, "pot", k_now_ms, "o2"));
  book_.apply(entries_.event(0, EventType::purchase, "pot", k_now_ms, "o3"));

  EXPECT_NEAR(share(*book_.popular(), "cup"), 0.5, 1e-9);
}

TEST_F(PopularityBookTest, TrendsWhatIsNewAndKeepsPopularWhatWasWantedMuch) {
  for (std::uint32_t user = 1; user <= 10; ++user) {
    book_.apply(entries_.view(user, "classic", k_now_ms - 20 * k_day_ms));
  }
  for (std::uint32_t user = 1; user <= 3; ++user) {
    book_.apply(entries_.view(user, "fashion", k_now_ms));
  }

  EXPECT_THAT(ids(*book_.popular()), testing::ElementsAre("classic", "fashion"));
  EXPECT_THAT(ids(*book_.trending()), testing::ElementsAre("fashion", "classic"));
}

// The slow twin: every count decayed to the newest event's time and added up.
TEST_F(PopularityBookTest, AgreesWithAPlainRecountInAnyOrderOfTime) {
  Random random(11);
  std::map<std::string, double> popular;
  std::map<std::string, double> trending;
  for (std::uint32_t user = 1; user <= 3000; ++user) {
    const std::string product_id = "p" + std::to_string(random.below(60));
    const TimeMs age_ms = static_cast<TimeMs>(random.below(300)) * k_day_ms;
    book_.apply(entries_.view(user, product_id, k_now_ms - age_ms));
    const double age_days = static_cast<double>(age_ms) / k_day_ms;
    popular[product_id] += std::exp2(-age_days / 30);
    trending[product_id] += std::exp2(-age_days / 3);
  }

  for (const auto& [list, expected] :
       {std::pair(book_.popular(), popular), std::pair(book_.trending(), trending)}) {
    ASSERT_EQ(list->size(), expected.size());
    const double top = expected.at(std::string(numbers_.id_of(list->front().product)));
    double last = 1;
    for (const PopularProduct& entry : *list) {
      const double share = expected.at(std::string(numbers_.id_of(entry.product))) / top;
      EXPECT_NEAR(entry.score, share, 1e-9);
      EXPECT_LE(entry.score, last);
      last = entry.score;
    }
  }
}

TEST_F(PopularityBookTest, GivesTheFirstTwoThousandOnly) {
  for (std::uint32_t i = 0; i < 2100; ++i) {
    book_.apply(entries_.view(i + 1, "p" + std::to_string(i), k_now_ms + i * k_hour_ms));
  }

  ASSERT_EQ(book_.popular()->size(), PopularityBook::k_top_max);
  EXPECT_EQ(numbers_.id_of(book_.popular()->front().product), "p2099");
}

TEST_F(PopularityBookTest, IgnoresAnEntryItHasAlreadyAppliedAndWhatNobodyWants) {
  const LogEntry first = entries_.view(1, "cup", k_now_ms);
  book_.apply(first);
  book_.apply(entries_.view(2, "pot", k_now_ms));
  book_.apply(entries_.event(3, EventType::impression, "tea", k_now_ms));
  book_.apply(entries_.event(3, EventType::refund, "tea", k_now_ms));
  book_.apply(entries_.link(7, 7, 8));

  LogEntry again = first;
  again.user = UserNumber(99);
  book_.apply(again);

  EXPECT_THAT(ids(*book_.popular()), testing::ElementsAre("cup", "pot"));
  EXPECT_NEAR(share(*book_.popular(), "pot"), 1, 1e-9);
  EXPECT_EQ(book_.position(), 5U);
}

TEST_F(PopularityBookTest, IsReadWhileItIsWritten) {
  std::thread reader([&] {
    while (book_.position() < 2000) {
      const auto list = book_.popular();
      for (std::size_t i = 1; i < list->size(); ++i) {
        ASSERT_LE((*list)[i].score, (*list)[i - 1].score);
      }
    }
  });
  for (std::uint32_t i = 0; i < 2000; ++i) {
    book_.apply(entries_.view(i, "p" + std::to_string(i % 50), k_now_ms + i));
  }
  reader.join();

  EXPECT_EQ(book_.popular()->size(), 50U);
}

}  // namespace
}  // namespace vitrine::profiles
