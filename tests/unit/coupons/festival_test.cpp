// A cart on the 18th of June, with the offers of a Chinese shop; every figure was worked out by
// hand.
#include <gmock/gmock.h>

#include "server/coupons/stacking.h"
#include "tests/unit/coupons/carts.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;

// Dress 399.00, three shirts of 89.00, cream 158.00, shipping 12.00.
Cart festival_cart() {
  return cart_of({{"1", "dress", {39'900}}, {"2", "shirt", {8900}, 3}, {"3", "cream", {15'800}}},
                 1200);
}

// The second piece at half price (shirts), 10 % for the new customer up to 30.00, 50.00 off every
// full 300.00, 60.00 off clothes from 400.00 on, free shipping.
std::vector<Candidate> festival_offers(Offers& offers) {
  const Effect second_half{
      .kind = Kind::nth_item, .repeats = true, .off_basis_points = 5000, .nth = 2};
  std::vector<Candidate> all;
  all.push_back({offers.make("second-half", second_half, {}, {false, true, false}),
                 {.offer_class = "piece"}});
  all.push_back({offers.make("newcomer", {.kind = Kind::percent, .off_basis_points = 1000},
                             {.max_discount = Money{3000}}),
                 {.offer_class = "newcomer"}});
  all.push_back(
      {offers.reduction("618-every-300", {{{30'000}, {5000}}}, true), {.offer_class = "platform"}});
  all.push_back({offers.make("clothes", {.kind = Kind::full_reduction},
                             {.tiers = {{{40'000}, {6000}}}}, {true, true, false}),
                 {.offer_class = "category"}});
  all.push_back(
      {offers.make("shipping", {.kind = Kind::free_shipping}, {}), {.offer_class = "shipping"}});
  return all;
}

TEST(FestivalTest, AllOffersTogetherComeToThePriceWorkedOutByHand) {
  Offers offers(3);
  const Choice choice = choose(festival_cart(), festival_offers(offers));
  ASSERT_THAT(choice.chosen, ElementsAre(0, 1, 2, 3, 4));
  const std::vector<Cut>& cuts = choice.priced.cuts;
  // 89.00 / 2; 779.50 are left.
  EXPECT_THAT(minors(cuts[0].by_line), ElementsAre(0, 4450, 0));
  // 77.95, capped: 30.00 over 399.00 : 222.50 : 158.00.
  EXPECT_THAT(minors(cuts[1].by_line), ElementsAre(1536, 856, 608));
  // Twice 300.00 in 779.50: 100.00 over 383.64 : 213.94 : 151.92.
  EXPECT_THAT(minors(cuts[2].by_line), ElementsAre(5119, 2854, 2027));
  // Clothes are 621.50: 60.00 over 332.45 : 185.40.
  EXPECT_THAT(minors(cuts[3].by_line), ElementsAre(3852, 2148, 0));
  EXPECT_EQ(cuts[4].shipping.minor, 1200);
  EXPECT_THAT(minors(choice.priced.by_line), ElementsAre(10'507, 10'308, 2635));
  EXPECT_EQ(choice.priced.discount.minor, 24'650);
  EXPECT_EQ(choice.priced.payable.minor, 58'950);
  // The next 50.00 are 120.50 away.
  EXPECT_EQ(cuts[2].next_gap->missing.minor, 12'050);
}

TEST(FestivalTest, ABudgetThatEndsCutsTheLastReduction) {
  Offers offers(3);
  std::vector<Candidate> all = festival_offers(offers);
  all[2].applied.left = Money{4000};
  const Choice choice = choose(festival_cart(), all);
  EXPECT_EQ(choice.priced.discount.minor, 24'650 - 6000);
  EXPECT_EQ(choice.priced.payable.minor, 58'950 + 6000);
}

TEST(FestivalTest, TheCouponThatStacksWithNothingLosesAgainstTheOthers) {
  Offers offers(3);
  std::vector<Candidate> all = festival_offers(offers);
  all[3].stacking.is_exclusive = true;
  const Choice choice = choose(festival_cart(), all);
  EXPECT_THAT(choice.chosen, ElementsAre(0, 1, 2, 4));
  EXPECT_EQ(choice.priced.discount.minor, 24'650 - 6000);
}

}  // namespace
}  // namespace vitrine::coupons
