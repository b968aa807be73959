#include "server/coupons/pricing.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "tests/unit/coupons/carts.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;

Cart two_lines() {
  return cart_of({{"a", "shirt", {3000}, 2}, {"b", "mug", {1000}, 4}}, 500);  // 60.00 and 40.00
}

Priced price_one(const Cart& cart, const Applied& offer) {
  return price(cart, std::vector<Applied>{offer});
}

TEST(PricingTest, AFullReductionTakesTheHighestTierThatIsReached) {
  Offers offers(2);
  const Applied offer =
      offers.reduction("o", {{{5000}, {500}}, {{10'000}, {2000}}, {{20'000}, {5000}}});
  const Priced priced = price_one(two_lines(), offer);
  EXPECT_THAT(minors(priced.by_line), ElementsAre(1200, 800));
  EXPECT_EQ(priced.payable.minor, 8500);
  ASSERT_TRUE(priced.cuts[0].next_gap);
  EXPECT_EQ(priced.cuts[0].next_gap->missing.minor, 10'000);
  EXPECT_EQ(priced.cuts[0].next_gap->unlocks.minor, 5000);
}

TEST(PricingTest, EveryFullThresholdCountsWhereItRepeatsUpToTheCap) {
  Offers offers(2);
  Applied offer = offers.reduction("o", {{{3000}, {400}}}, true);
  EXPECT_EQ(price_one(two_lines(), offer).discount.minor, 1200);
  const Amounts capped{.currency = "EUR", .max_discount = Money{1000}, .tiers = {{{3000}, {400}}}};
  offer.amounts = &capped;
  EXPECT_EQ(price_one(two_lines(), offer).discount.minor, 1000);
}

TEST(PricingTest, WhatIsMissingToTheThresholdIsSaid) {
  Offers offers(2);
  const Priced priced = price_one(two_lines(), offers.reduction("o", {{{11'200}, {2000}}}));
  EXPECT_EQ(priced.discount.minor, 0);
  EXPECT_EQ(priced.cuts[0].gap,
            (Gap{.reason = Gap::Reason::spend, .missing = {1200}, .unlocks = {2000}}));
}

TEST(PricingTest, APercentageIsRoundedOnceForTheOrderAndPerLineWhereItIsThePriceTag) {
  const Cart cart = cart_of({{"a", "x", {5}}, {"b", "y", {5}}, {"c", "z", {5}}});
  Offers offers(3);
  EXPECT_EQ(price_one(cart, offers.percent("o", 1000)).discount.minor, 2);
  const Applied by_line =
      offers.make("l", {.kind = Kind::percent, .off_basis_points = 1000, .by_line = true}, {});
  EXPECT_EQ(price_one(cart, by_line).discount.minor, 3);
}

TEST(PricingTest, OnlyCoveredLinesCountAndGetTheDiscount) {
  Offers offers(2);
  Applied offer = offers.make("o", {.kind = Kind::full_reduction}, {.tiers = {{{4000}, {1000}}}},
                              {false, true});
  EXPECT_THAT(minors(price_one(two_lines(), offer).by_line), ElementsAre(0, 1000));
  offer.covers = {false, false};
  EXPECT_EQ(price_one(two_lines(), offer).cuts[0].gap->reason, Gap::Reason::products);
  offer.covers = {false, true};
  offer.min_quantity = 5;
  EXPECT_EQ(price_one(two_lines(), offer).cuts[0].gap,
            (Gap{.reason = Gap::Reason::quantity, .pieces = 1}));
}

TEST(PricingTest, TheCheapestPiecesAreTheNthOnes) {
  Offers offers(2);
  const Applied every_second = offers.make(
      "n", {.kind = Kind::nth_item, .repeats = true, .off_basis_points = 5000, .nth = 2}, {});
  // Six pieces: three are half price, all mugs.
  EXPECT_THAT(minors(price_one(two_lines(), every_second).by_line), ElementsAre(0, 1500));
  const Applied once =
      offers.make("n", {.kind = Kind::nth_item, .off_basis_points = 10'000, .nth = 6}, {});
  EXPECT_THAT(minors(price_one(two_lines(), once).by_line), ElementsAre(0, 1000));
  const Applied too_many =
      offers.make("n", {.kind = Kind::nth_item, .off_basis_points = 10'000, .nth = 7}, {});
  EXPECT_EQ(price_one(two_lines(), too_many).cuts[0].gap->pieces, 1);
}

TEST(PricingTest, ASetCostsItsPriceAsOftenAsItIsWhole) {
  Offers offers(2);
  const Applied set = offers.make("b", {.kind = Kind::bundle, .set = {{"shirt", 1}, {"mug", 2}}},
                                  {.price = {4000}});
  // 30.00 + 2 x 10.00 for 40.00, twice.
  EXPECT_EQ(price_one(two_lines(), set).discount.minor, 2000);
  const Applied lacking = offers.make("b", {.kind = Kind::bundle, .set = {{"shirt", 3}}}, {});
  EXPECT_EQ(price_one(two_lines(), lacking).cuts[0].gap->reason, Gap::Reason::products);
  const Applied dear =
      offers.make("b", {.kind = Kind::bundle, .set = {{"mug", 1}}}, {.price = {9000}});
  EXPECT_EQ(price_one(two_lines(), dear).discount.minor, 0);
}

TEST(PricingTest, AGiftInTheCartCostsItsPriceAndOneThatIsMissingIsToBeAdded) {
  Offers offers(2);
  const Applied gift =
      offers.make("g", {.kind = Kind::exchange, .gift_product_id = "mug", .gift_quantity = 5},
                  {.price = {100}}, {true, false});
  const Priced priced = price_one(two_lines(), gift);
  EXPECT_THAT(minors(priced.by_line), ElementsAre(0, 3600));
  EXPECT_EQ(priced.cuts[0].gift, (Gift{"mug", 1, {100}}));
  EXPECT_EQ(priced.payable.minor, 10'500 - 3600 + 100);
}

TEST(PricingTest, ShippingIsFreeUpToTheCapAndPointsCountWhatIsPaid) {
  Offers offers(2);
  const Applied shipping =
      offers.make("s", {.kind = Kind::free_shipping}, {.max_discount = Money{300}});
  EXPECT_EQ(price_one(two_lines(), shipping).shipping_discount.minor, 300);
  const Applied points =
      offers.make("p", {.kind = Kind::points, .multiplier_hundredths = 250, .bonus_points = 7}, {});
  const Priced priced = price(two_lines(), std::vector<Applied>{points, offers.percent("o", 1050)});
  EXPECT_EQ(priced.payable.minor, 9450);  // 89.50 of it for the lines
  EXPECT_EQ(priced.points, 89 * 250 / 100 + 7);
}

TEST(PricingTest, AnOrderOfferTakesNoOtherBelowItsThreshold) {
  Offers offers(2);
  const std::vector<Applied> both = {offers.reduction("z", {{{10'000}, {1000}}}),
                                     offers.percent("a", 5000)};
  EXPECT_EQ(price(two_lines(), both).discount.minor, 6000);
  EXPECT_EQ(price(two_lines(), std::vector<Applied>{both[1], both[0]}).discount.minor, 6000);
}

TEST(PricingTest, WhatABudgetHasLeftIsTheMost) {
  Offers offers(2);
  Applied offer = offers.percent("o", 5000);
  offer.left = Money{123};
  EXPECT_EQ(price_one(two_lines(), offer).discount.minor, 123);
}

// Any cart, any offers: sums are exact, nothing is negative, the order of lines says nothing.
class AnyCart {
 public:
  explicit AnyCart(std::uint64_t seed) : random_(seed) {
    for (std::uint64_t i = 0, count = 1 + random_.below(6); i < count; ++i) {
      cart_.lines.push_back({"l" + std::to_string(i),
                             "p" + std::to_string(random_.below(4)),
                             {amount(0, 5000)},
                             amount(1, 5)});
    }
    cart_.shipping = {amount(0, 900)};
    cart_.currency = "EUR";
    for (std::uint64_t i = 0, count = 1 + random_.below(5); i < count; ++i) add_offer(i);
  }
  std::int64_t amount(std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  const Cart& cart() const { return cart_; }
  const std::vector<Applied>& offers() const { return applied_; }

  // The same with its lines in another order.
  std::pair<Cart, std::vector<Applied>> shuffled(std::vector<std::size_t>& order) {
    order.resize(cart_.lines.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
    Cart cart = cart_;
    std::vector<Applied> applied = applied_;
    for (std::size_t i = 0; i < order.size(); ++i) {
      cart.lines[i] = cart_.lines[order[i]];
      for (std::size_t o = 0; o < applied.size(); ++o) {
        applied[o].covers[i] = applied_[o].covers[order[i]];
      }
    }
    return {cart, applied};
  }

 private:
  void add_offer(std::uint64_t i) {
    Effect effect{.kind = k_kinds[random_.below(std::size(k_kinds))],
                  .repeats = random_.below(2) == 0,
                  .off_basis_points = amount(0, 10'000),
                  .by_line = random_.below(2) == 0,
                  .gift_product_id = "p1",
                  .gift_quantity = amount(1, 3),
                  .set = {{"p0", amount(1, 2)}, {"p2", amount(1, 2)}},
                  .nth = amount(2, 4),
                  .multiplier_hundredths = amount(0, 300),
                  .bonus_points = amount(0, 50)};
    if (random_.below(3) == 0) effect.max_quantity = amount(1, 3);
    Amounts amounts{.min_subtotal = {amount(0, 4000)},
                    .tiers = {{{amount(1, 3000)}, {amount(1, 4000)}}},
                    .price = {amount(0, 3000)}};
    if (random_.below(3) == 0) amounts.max_discount = Money{amount(0, 2000)};
    std::vector<bool> covers;
    for (std::size_t l = 0; l < cart_.lines.size(); ++l) covers.push_back(random_.below(4) != 0);
    Applied applied = offers_.make("o" + std::to_string(i), effect, amounts, covers);
    applied.priority = amount(0, 2);
    if (random_.below(5) == 0) applied.left = Money{amount(0, 1000)};
    applied_.push_back(std::move(applied));
  }

  Random random_;
  Cart cart_;
  Offers offers_{0};
  std::vector<Applied> applied_;
};

TEST(PricingTest, SumsAreExactNothingIsNegativeAndTheOrderOfLinesSaysNothing) {
  std::int64_t discounted = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    AnyCart any(seed);
    const Priced priced = price(any.cart(), any.offers());
    std::vector<std::int64_t> by_line(any.cart().lines.size());
    Money total;
    for (const Cut& cut : priced.cuts) {
      total.minor += cut.total().minor;
      for (std::size_t i = 0; i < by_line.size(); ++i) {
        ASSERT_GE(cut.by_line[i].minor, 0) << seed;
        by_line[i] += cut.by_line[i].minor;
      }
    }
    ASSERT_EQ(by_line, minors(priced.by_line)) << seed;
    ASSERT_EQ(total, priced.discount) << seed;
    ASSERT_GE(priced.payable.minor, 0) << seed;
    ASSERT_LE(priced.shipping_discount, any.cart().shipping) << seed;
    for (std::size_t i = 0; i < by_line.size(); ++i) {
      ASSERT_LE(by_line[i], any.cart().lines[i].amount().minor) << seed;
    }
    discounted += total.minor > 0 ? 1 : 0;

    std::vector<std::size_t> order;
    const auto [cart, offers] = any.shuffled(order);
    const Priced other = price(cart, offers);
    ASSERT_EQ(other.payable, priced.payable) << seed;
    for (std::size_t i = 0; i < order.size(); ++i) {
      ASSERT_EQ(other.by_line[i], priced.by_line[order[i]]) << seed;
    }
  }
  EXPECT_GT(discounted, 10'000);
}

}  // namespace
}  // namespace vitrine::coupons
