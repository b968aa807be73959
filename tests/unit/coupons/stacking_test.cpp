#include "server/coupons/stacking.h"

#include <gmock/gmock.h>

#include "tests/unit/coupons/carts.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Cart hundred() { return cart_of({{"a", "x", {10'000}}}); }

TEST(StackingTest, OneOfAClassAndOnlyWhatBothLetIn) {
  const Stacking plain{};
  const Stacking vip{.offer_class = "vip"};
  const Stacking alone{.offer_class = "alone", .is_exclusive = true};
  const Stacking picky{.offer_class = "picky", .with = {"vip"}};
  const Stacking many{.offer_class = "many", .with = {"many"}};
  EXPECT_FALSE(go_together(plain, plain));
  EXPECT_TRUE(go_together(plain, vip));
  EXPECT_FALSE(go_together(alone, vip));
  EXPECT_TRUE(go_together(vip, picky));
  EXPECT_FALSE(go_together(plain, picky));
  EXPECT_TRUE(go_together(many, many));
  EXPECT_FALSE(go_together(many, plain));
}

TEST(StackingTest, WhatSavesMostTogetherIsTaken) {
  Offers offers(1);
  const std::vector<Candidate> candidates = {
      {offers.percent("a", 3000), {.offer_class = "big", .is_exclusive = true}},
      {offers.percent("b", 2000), {.offer_class = "one"}},
      {offers.reduction("c", {{{5000}, {1500}}}), {.offer_class = "two"}},
      {offers.reduction("d", {{{5000}, {1400}}}), {.offer_class = "two"}}};
  const Choice choice = choose(hundred(), candidates);
  EXPECT_THAT(choice.chosen, ElementsAre(1, 2));
  EXPECT_EQ(choice.priced.discount.minor, 3500);
}

TEST(StackingTest, WhatAddsNothingIsKeptForAnotherTime) {
  Offers offers(1);
  const std::vector<Candidate> candidates = {
      {offers.percent("a", 10'000), {.offer_class = "one"}},
      {offers.percent("b", 1000), {.offer_class = "two"}},
      {offers.reduction("c", {{{20'000}, {1400}}}), {.offer_class = "three"}}};
  EXPECT_THAT(choose(hundred(), candidates).chosen, ElementsAre(0));
  EXPECT_THAT(choose(hundred(), std::span(candidates).subspan(2)).chosen, IsEmpty());
}

// Taken off the line, the half price leaves too little for the reduction.
TEST(StackingTest, ALineOfferGivesWayWhereItWouldCostMore) {
  Offers offers(1);
  const std::vector<Candidate> candidates = {
      {offers.make("line", {.kind = Kind::percent, .off_basis_points = 500, .by_line = true}, {}),
       {.offer_class = "one"}},
      {offers.reduction("order", {{{10'000}, {2000}}}), {.offer_class = "two"}}};
  EXPECT_THAT(choose(hundred(), candidates).chosen, ElementsAre(1));
}

TEST(StackingTest, OfEqualOnesTheSmallerIdIsTaken) {
  Offers offers(1);
  const std::vector<Candidate> candidates = {{offers.percent("b", 1000), {}},
                                             {offers.percent("a", 1000), {}}};
  EXPECT_THAT(choose(hundred(), candidates).chosen, ElementsAre(1));
}

}  // namespace
}  // namespace vitrine::coupons
