// The server as it was: nothing of what came later, everything of what came before.
#include "server/rehearsal/rehearsal.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "server/rehearsal/placement_ranking.h"
#include "tests/unit/rehearsal/weekly_shop.h"
#include "training/split.h"

namespace vitrine::rehearsal {
namespace {

using test::k_first_ms;
using test::k_week_ms;

constexpr TimeMs k_moment = k_first_ms + 15 * k_week_ms;

class RehearsalTest : public ::testing::Test {
 protected:
  RehearsalTest() {
    training::SplitBuilder builder{training::DatasetOptions{}};
    list_.for_each([&](const training::Interaction& one) { builder.add_by_time(one, k_moment); });
    split_ = builder.build().value();
    trained_ = training::train(split_.train, test::small_options(), {}, FakeClock(k_moment), {}, {},
                               test::described())
                   .value();
  }
  void play(Rehearsal& rehearsal) {
    list_.for_each([&](const training::Interaction& one) { rehearsal.take(one); });
    ASSERT_TRUE(
        rehearsal.open(test::described(), trained_.model, recommend::PlacementBook::shipped())
            .ok());
  }
  static std::vector<std::string> home_of(const Rehearsal& rehearsal, std::string_view user) {
    const auto answer =
        rehearsal.recommender().recommend({.known_user = rehearsal.user(user), .limit = 20});
    std::vector<std::string> ids;
    for (const auto& product : answer.value().products) ids.push_back(product.product_id);
    return ids;
  }

  training::InteractionList list_ = test::weekly_shop();
  training::Split split_;
  training::TrainOutcome trained_;
};

TEST_F(RehearsalTest, AnswersAsIfNothingHadHappenedSince) {
  Rehearsal whole(k_moment);
  play(whole);
  Rehearsal cut(k_moment);
  list_.for_each([&](const training::Interaction& one) {
    if (one.time_ms < k_moment) cut.take(one);
  });
  ASSERT_TRUE(
      cut.open(test::described(), trained_.model, recommend::PlacementBook::shipped()).ok());

  EXPECT_EQ(home_of(whole, "u3"), home_of(cut, "u3"));
  EXPECT_THAT(home_of(whole, "u3"), testing::Not(testing::IsEmpty()));
}

TEST_F(RehearsalTest, KnowsNobodyWhoDidNothingYet) {
  Rehearsal rehearsal(k_moment);
  rehearsal.take(
      {.user = "late", .product = "p1", .order = "o", .time_ms = k_moment, .weight = {}});
  play(rehearsal);

  EXPECT_EQ(rehearsal.user("late"), k_nobody);
  EXPECT_NE(rehearsal.user("u3"), k_nobody);
}

TEST_F(RehearsalTest, LeavesOutProductsThatWereMadeLater) {
  std::vector<Product> products = test::described();
  Product later;
  later.product_id = "later";
  later.created_at_ms = k_moment + 1;
  products.push_back(later);
  Rehearsal rehearsal(k_moment);
  list_.for_each([&](const training::Interaction& one) { rehearsal.take(one); });
  ASSERT_TRUE(rehearsal.open(products, trained_.model, recommend::PlacementBook::shipped()).ok());

  EXPECT_FALSE(rehearsal.numbers().find("later"));
}

TEST_F(RehearsalTest, TakesInWhatHappensAsTimeGoesOn) {
  Rehearsal rehearsal(k_moment);
  play(rehearsal);
  ASSERT_EQ(rehearsal.user("new"), k_nobody);

  rehearsal.go_on_to(k_moment + 2);
  rehearsal.take({.user = "new",
                  .product = "p7",
                  .order = {},
                  .type = EventType::view,
                  .time_ms = k_moment + 1,
                  .weight = {}});

  ASSERT_NE(rehearsal.user("new"), k_nobody);
  const auto answer =
      rehearsal.recommender().recommend({.known_user = rehearsal.user("new")}).value();
  EXPECT_TRUE(answer.personalized);
}

TEST_F(RehearsalTest, RanksAPlacementBesideTheBaselines) {
  Rehearsal rehearsal(k_moment);
  play(rehearsal);
  const auto rank = placement_ranking(rehearsal, split_.train, "home").value();
  const auto result = training::evaluate(
      split_, rank, {.cutoffs = {5}, .repeats = training::Repeats::allowed, .threads = 1});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(result->metrics.at("recall@5"), 0.3) << "staples make four fifths of what is bought";
}

TEST_F(RehearsalTest, RefusesToJudgePlacementsThatNeedMoreThanAPerson) {
  Rehearsal rehearsal(k_moment);
  play(rehearsal);
  EXPECT_EQ(placement_ranking(rehearsal, split_.train, "cart").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(placement_ranking(rehearsal, split_.train, "attic").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vitrine::rehearsal
