#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

constexpr TimeMs k_hour_ms = 3'600'000;

class RotationTest : public Shop {
 protected:
  RotationTest() {
    open_shelves();
    change_placement("home", [](Placement& placement) { placement.variety.explores_one_in = 0; });
    visitor_views("v", product_id("Kitchen", 0));
  }

  void sees(const std::string& id, int times, TimeMs age_ms = 0) {
    happen(std::vector<Deed>(
        static_cast<std::size_t>(times),
        {.visitor_id = "v", .type = EventType::impression, .product_id = id, .age_ms = age_ms}));
  }
  std::size_t place_of(const std::string& id) {
    const std::vector<std::string> shown = ids(home_of_visitor("v", 40));
    return static_cast<std::size_t>(std::ranges::find(shown, id) - shown.begin());
  }
  // Something shown near the top that is not the product of the last click.
  std::string a_product_near_the_top() { return ids(home_of_visitor("v", 3)).at(2); }
};

TEST_F(RotationTest, WhatWasSeenAndLeftAloneSinksByHowOftenItWasSeen) {
  const std::string id = a_product_near_the_top();
  const std::size_t before = place_of(id);

  sees(id, 2);
  const std::size_t after_two = place_of(id);
  sees(id, 8);

  EXPECT_GT(after_two, before);
  EXPECT_GT(place_of(id), after_two);
}

TEST_F(RotationTest, ServedIsNotSeen) {
  const std::string id = a_product_near_the_top();
  const std::size_t before = place_of(id);

  for (int i = 0; i < 20; ++i) home_of_visitor("v");

  EXPECT_EQ(place_of(id), before);
}

TEST_F(RotationTest, WhatThePersonTouchedAfterwardsIsNotLeftAlone) {
  const std::string id = a_product_near_the_top();
  sees(id, 10, k_hour_ms);
  const std::size_t ignored = place_of(id);

  visitor_views("v", id);

  EXPECT_LT(place_of(id), ignored);
}

TEST_F(RotationTest, ComesBackWithTime) {
  const std::string id = a_product_near_the_top();
  const std::size_t before = place_of(id);
  sees(id, 10, 15 * k_day_ms);

  EXPECT_EQ(place_of(id), before);
}

TEST_F(RotationTest, APlacementThatDoesNotRotateStaysAsItIs) {
  change_placement("home", [](Placement& placement) { placement.variety.rotates = false; });
  const std::string id = a_product_near_the_top();
  const std::size_t before = place_of(id);

  sees(id, 10);

  EXPECT_EQ(place_of(id), before);
}

TEST_F(RotationTest, KnowsNothingOfWhoeverDoesNotWantToBeKnown) {
  RecommendRequest request;
  request.visitor_id = "v";
  request.personalize = false;
  const std::vector<std::string> before = ids(ask(request));

  for (const std::string& id : before) sees(id, 3);

  EXPECT_EQ(ids(ask(request)), before);
}

}  // namespace
}  // namespace vitrine::recommend
