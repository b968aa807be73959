// Which coupons are shown to whom, in a small shop with everything real.
#include "server/coupons/coupon_recommender.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/unit/recommend/shop.h"

namespace vitrine::coupons {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class CouponRecommenderTest : public recommend::Shop {
 protected:
  CouponRecommenderTest() { open_with({.control_percent = 0, .new_per_week = 100}); }
  ~CouponRecommenderTest() override { committer_->stop(); }

  void open_with(const DecisionRules& rules) {
    coupons_.reset();
    desk_.reset();
    if (!decisions_) decisions_ = CouponDecisionLog::open(*database_, metrics_, {}).value();
    desk_ = Desk::open({.database = *database_,
                        .committer = *committer_,
                        .identities = *identities_,
                        .catalog = *catalog_,
                        .offers = offers_,
                        .clock = clock_,
                        .metrics = metrics_,
                        .decisions = &*decisions_,
                        .rules = rules})
                .value();
    coupons_.emplace(CouponRecommender::Parts{.people = {.identities = *identities_,
                                                         .profiles = profiles_,
                                                         .popularity = popularity_,
                                                         .sessions = sessions_,
                                                         .catalog = *catalog_,
                                                         .live_model = model_,
                                                         .clock = clock_,
                                                         .metrics = metrics_,
                                                         .chance_seed = 5},
                                              .desk = *desk_,
                                              .decisions = *decisions_,
                                              .committer = *committer_,
                                              .log = *log_},
                     CouponRecommender::Options());
  }

  void campaign(std::string id = "spring", double holdout_share = 0) {
    Campaign made{.id = std::move(id),
                  .state = CampaignState::active,
                  .holdout_share = holdout_share,
                  .version = 1};
    offers_.publish(std::make_shared<const OfferBook>(offers_.current()->with(std::move(made))));
  }
  // To be claimed; 5.00 off 40.00 of what the condition says.
  static Offer claimed(std::string id, std::string_view products = "",
                       std::string campaign = "spring") {
    Offer offer{.id = std::move(id), .campaign = std::move(campaign), .trigger = Trigger::claimed};
    if (!products.empty()) {
      offer.conditions.products = recommend::ProductExpression::parse(products).value();
    }
    offer.amounts["*"] = {.currency = "EUR", .tiers = {{{4000}, {500}}}};
    offer.stacking.offer_class = offer.id;
    return offer;
  }
  static Offer of_shelf(std::string_view shelf, std::string campaign = "spring") {
    return claimed(std::string(shelf), fmt::format("\"{}\" in categories", shelf),
                   std::move(campaign));
  }
  void use(Offer offer) {
    offer.version = ++version_;
    ASSERT_TRUE(validate(offer).ok()) << validate(offer);
    offers_.publish(std::make_shared<const OfferBook>(offers_.current()->with(std::move(offer))));
  }
  void open_coupons() {
    open_shelves();
    campaign();
    for (const std::string_view shelf : recommend::k_shelves) use(of_shelf(shelf));
    coupons_->refresh();
  }
  CouponRequest asked(std::string user, std::size_t limit = 4, bool explore = false) {
    CouponRequest request{.explore = explore, .limit = limit};
    request.checkout.user_id = user;
    request.checkout.shopper.user = identities_->find(user, "").user;
    request.checkout.cart.currency = "EUR";
    return request;
  }
  CouponAnswer answer_to(const CouponRequest& request) {
    auto answer = coupons_->recommend(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *std::move(answer) : CouponAnswer{};
  }
  static std::vector<std::string> offers_in(const CouponAnswer& answer) {
    std::vector<std::string> ids;
    for (const RecommendedCoupon& coupon : answer.coupons) ids.push_back(coupon.terms.offer->id);
    return ids;
  }
  void buys(std::string user, std::string product) {
    happen({{.user_id = user,
             .type = EventType::purchase,
             .product_id = std::move(product),
             .order_id = "order of " + user}});
  }
  std::vector<CouponDecision> decisions() {
    EXPECT_TRUE(committer_->submit_and_wait([](events::Batch&) { return absl::OkStatus(); }).ok());
    std::vector<CouponDecision> all;
    EXPECT_TRUE(decisions_->for_each({}, [&](const auto& one) { all.push_back(one); }).ok());
    return all;
  }

  Published<OfferBook> offers_{std::make_shared<const OfferBook>()};
  std::uint64_t version_ = 0;
  std::unique_ptr<CouponDecisionLog> decisions_;
  std::unique_ptr<Desk> desk_;
  std::optional<CouponRecommender> coupons_;
};

TEST_F(CouponRecommenderTest, TheCouponOfWhatSomebodyLikesComesFirstAndSaysWhy) {
  open_coupons();
  happen({{.user_id = "ann", .product_id = "Garden-3"}, {.user_id = "bob"}});
  buys("bob", "Paper-1");
  const CouponAnswer anns = answer_to(asked("ann"));
  ASSERT_THAT(anns.coupons, SizeIs(4));
  EXPECT_EQ(anns.coupons[0].terms.offer->id, "Garden");
  EXPECT_EQ(anns.coupons[0].reason.kind, "looked_at");
  EXPECT_EQ(anns.coupons[0].reason.text, "Good for The Garden-3, which you looked at");
  EXPECT_EQ(anns.coupons[0].says, "5.00 EUR off from 40.00 EUR");
  EXPECT_TRUE(anns.personalized);
  const CouponAnswer bobs = answer_to(asked("bob"));
  EXPECT_EQ(bobs.coupons[0].terms.offer->id, "Paper");
  EXPECT_EQ(bobs.coupons[0].reason.text, "Good for The Paper-1, which you bought before");
}

// An index of its own, from the products a coupon covers: nobody ever used one of these.
TEST_F(CouponRecommenderTest, ATasteReachesCouponsOfProductsNobodyLookedAt) {
  open_shelves();
  campaign();
  use(claimed("near", "product_id == \"Toys-7\""));
  use(claimed("far", "product_id == \"Kitchen-7\""));
  coupons_->refresh();
  happen({{.user_id = "ann", .product_id = "Toys-1"}});
  const CouponAnswer answer = answer_to(asked("ann"));
  EXPECT_THAT(offers_in(answer), ElementsAre("near", "far"));
  EXPECT_GT(answer.coupons[0].chance, 2 * answer.coupons[1].chance);
  EXPECT_EQ(answer.coupons[0].reason.kind, "for_you");
}

TEST_F(CouponRecommenderTest, WithoutPersonalizationTheOrderIsEverybodys) {
  open_coupons();
  use([] {
    Offer best = claimed("best");
    best.amounts["*"].tiers = {{{9000}, {500}}};
    return best;
  }());
  coupons_->refresh();
  happen({{.user_id = "ann", .product_id = "Garden-3"}});
  CouponRequest refuses = asked("ann", 9);
  refuses.personalize = false;
  const CouponAnswer hers = answer_to(refuses);
  EXPECT_FALSE(hers.personalized);
  EXPECT_EQ(offers_in(hers), offers_in(answer_to(asked("nobody-yet", 9))));
  EXPECT_EQ(hers.coupons[0].terms.offer->id, "best");
  for (const RecommendedCoupon& coupon : hers.coupons) EXPECT_EQ(coupon.reason.kind, "value");
  // The person's own word counts like the request's.
  ASSERT_TRUE(committer_
                  ->submit_and_wait([&](events::Batch& batch) {
                    identities_->set_personalization(batch, identities_->find("ann", "").user,
                                                     true);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_FALSE(answer_to(asked("ann", 9)).personalized);
}

TEST_F(CouponRecommenderTest, ShowsOnlyWhatThePersonMayHave) {
  open_coupons();
  Offer first = claimed("first");
  first.conditions.first_order = true;
  use(first);
  Offer empty = claimed("empty");
  empty.limits = {{.measure = Measure::issued, .value = 0}};
  use(empty);
  Offer pounds = claimed("pounds");
  pounds.amounts["*"].currency = "GBP";
  use(pounds);
  Offer gold = claimed("gold");
  gold.conditions.levels = {"gold"};
  use(gold);
  use([] {
    Offer secret = claimed("secret");
    secret.trigger = Trigger::code;
    secret.code = "SECRET";
    return secret;
  }());
  coupons_->refresh();
  happen({{.user_id = "ann"}});
  CouponRequest request = asked("ann", 9);
  request.checkout.shopper.orders = 1;
  EXPECT_THAT(offers_in(answer_to(request)),
              ::testing::UnorderedElementsAre("Kitchen", "Garden", "Toys", "Paper"));
  request.checkout.shopper = {.user = request.checkout.shopper.user, .level = "gold"};
  const auto more = offers_in(answer_to(request));
  EXPECT_THAT(more, Contains("first"));
  EXPECT_THAT(more, Contains("gold"));
}

TEST_F(CouponRecommenderTest, AnExclusiveCouponIsShownAlone) {
  open_coupons();
  Offer alone = claimed("alone");
  alone.stacking.is_exclusive = true;
  alone.amounts["*"].tiers = {{{90'000}, {500}}};
  use(alone);
  coupons_->refresh();
  EXPECT_THAT(offers_in(answer_to(asked("ann", 9))), ElementsAre("alone"));
  use([] {
    Offer lesser = claimed("alone");
    lesser.stacking.is_exclusive = true;
    lesser.amounts["*"].tiers = {{{1000}, {999}}};
    return lesser;
  }());
  EXPECT_THAT(offers_in(answer_to(asked("ann", 9))), Not(Contains("alone")));
}

TEST_F(CouponRecommenderTest, OneIsDrawnWithTheProbabilityThatIsWrittenDown) {
  open_coupons();
  happen({{.user_id = "ann", .product_id = "Garden-3"}});
  constexpr int k_draws = 4000;
  std::map<std::string, int> drawn;
  for (int i = 0; i < k_draws; ++i) {
    const CouponAnswer answer = answer_to(asked("ann", 1, true));
    ++drawn[answer.coupons.empty() ? "" : answer.coupons[0].terms.offer->id];
  }
  const auto made = decisions();
  ASSERT_THAT(made, Not(IsEmpty()));
  const CouponDecision& one = made.front();
  EXPECT_EQ(one.policy, CouponRecommender::k_policy);
  ASSERT_THAT(one.arms, SizeIs(5));
  double sum = 0;
  for (const DecisionArm& arm : one.arms) {
    sum += arm.propensity;
    EXPECT_GE(arm.propensity, 0.01);
    const double expected = arm.propensity * k_draws;
    EXPECT_NEAR(drawn[arm.offer], expected, 5 * std::sqrt(expected)) << arm.offer;
  }
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST_F(CouponRecommenderTest, TheShortlistHoldsNineAndNoneWithTheFloor) {
  open_shelves();
  campaign();
  for (int i = 0; i < 40; ++i) use(claimed(fmt::format("c{}", i)));
  coupons_->refresh();
  answer_to(asked("ann", 9, true));
  const auto made = decisions();
  ASSERT_THAT(made, SizeIs(1));
  ASSERT_THAT(made[0].arms, SizeIs(10));
  for (const DecisionArm& arm : made[0].arms) EXPECT_GE(arm.propensity, 0.01);
  EXPECT_EQ(made[0].arms.back().offer, "");
}

TEST_F(CouponRecommenderTest, NothingIsShownOfACampaignThatSomebodyIsKeptFrom) {
  open_shelves();
  campaign("spring", 0.5);
  campaign("summer");
  use(of_shelf("Garden"));
  use(of_shelf("Paper", "summer"));
  coupons_->refresh();
  std::size_t ghosts = 0;
  std::vector<recommend::Deed> all;
  for (int i = 0; i < 60; ++i) all.push_back({.user_id = fmt::format("u{}", i)});
  happen(all);
  for (int i = 0; i < 60; ++i) {
    const auto shown = offers_in(answer_to(asked(fmt::format("u{}", i))));
    EXPECT_THAT(shown, Contains("Paper"));
    if (std::ranges::find(shown, "Garden") == shown.end()) ++ghosts;
  }
  EXPECT_GT(ghosts, 12U);
  EXPECT_LT(ghosts, 48U);
  std::map<std::pair<std::string, DecisionOutcome>, std::size_t> outcomes;
  for (const CouponDecision& decision : decisions()) {
    ++outcomes[{decision.campaign, decision.outcome}];
    const bool is_ghost = decision.outcome == DecisionOutcome::ghost;
    EXPECT_EQ(decision.assignment == training::Assignment::holdout, is_ghost);
  }
  EXPECT_EQ((outcomes[{"spring", DecisionOutcome::ghost}]), ghosts);
  EXPECT_EQ((outcomes[{"spring", DecisionOutcome::shown}]), 60 - ghosts);
  EXPECT_EQ((outcomes[{"summer", DecisionOutcome::shown}]), 60U);
}

TEST_F(CouponRecommenderTest, WhatWasGivenCountsAsShownAfterAWeek) {
  open_shelves();
  campaign();
  Offer gift = claimed("gift");
  gift.trigger = Trigger::granted;
  use(gift);
  std::promise<absl::Status> issued;
  ASSERT_TRUE(desk_
                  ->issue({.offer = "gift", .round = "1", .user_ids = {"ann", "bob", "cy"}},
                          [&](auto all) { issued.set_value(all.status()); })
                  .ok());
  ASSERT_TRUE(issued.get_future().get().ok());
  coupons_->refresh();
  EXPECT_EQ(coupons_->shelf()->find("gift")->counts.shown, 0U);
  clock_.advance(8 * k_day_ms);
  coupons_->refresh();
  EXPECT_EQ(coupons_->shelf()->find("gift")->counts.shown, 3U);
}

TEST_F(CouponRecommenderTest, WhoGotTwoNewCouponsThisWeekIsShownNoNewOnes) {
  open_coupons();
  open_with({.control_percent = 0, .new_per_week = 2});
  coupons_->refresh();
  happen({{.user_id = "ann"}});
  const auto claim = [&](std::string offer) {
    std::promise<bool> done;
    ASSERT_TRUE(desk_
                    ->issue({.offer = std::move(offer), .user_ids = {"ann"}, .is_claim = true},
                            [&](auto issued) { done.set_value(issued.ok()); })
                    .ok());
    ASSERT_TRUE(done.get_future().get());
  };
  claim("Toys");
  EXPECT_THAT(answer_to(asked("ann", 9)).coupons, SizeIs(4));
  claim("Paper");
  const CouponAnswer rest = answer_to(asked("ann", 9));
  EXPECT_THAT(offers_in(rest), ::testing::UnorderedElementsAre("Toys", "Paper"));
  for (const RecommendedCoupon& coupon : rest.coupons) {
    EXPECT_TRUE(coupon.grant.has_value());
    EXPECT_FALSE(coupon.is_to_be_claimed);
  }
  EXPECT_THAT(answer_to(asked("bob", 9)).coupons, SizeIs(4));
}

// Before anything is known of it, an offer made a moment ago is shown like any other.
TEST_F(CouponRecommenderTest, AnOfferIsShownBeforeTheShelfKnowsIt) {
  open_coupons();
  use(claimed("new"));
  EXPECT_THAT(offers_in(answer_to(asked("ann", 9))), Contains("new"));
  EXPECT_EQ(coupons_->shelf()->find("new"), nullptr);
  EXPECT_TRUE(coupons_->refresh());
  EXPECT_NE(coupons_->shelf()->find("new"), nullptr);
  EXPECT_FALSE(coupons_->refresh());
}

TEST_F(CouponRecommenderTest, ACouponThatIsUsedMoreOftenIsLearntToBe) {
  ShelfCoupon coupon{.mass = 0.25};
  const double before = rate_of(coupon, 0.25);
  EXPECT_NEAR(before, 0.02, 1e-12);
  coupon.counts = {.shown = 1000, .uses = 100};
  EXPECT_NEAR(rate_of(coupon, 0.25), 0.1, 0.005);
  coupon.counts = {.shown = 1000, .uses = 0};
  EXPECT_LT(rate_of(coupon, 0.25), before / 10);
  coupon.counts = {.shown = 0, .uses = 1000};  // used without being shown here
  EXPECT_LE(rate_of(coupon, 0.25), 1);
}

TEST_F(CouponRecommenderTest, ManyAreRefusedAndNothingIsAnAnswer) {
  EXPECT_THAT(answer_to(asked("ann")).coupons, IsEmpty());
  EXPECT_THAT(coupons_->recommend(asked("ann", 10)).status().message(),
              ::testing::HasSubstr("limit must be from 1 to 9, got 10"));
  EXPECT_FALSE(coupons_->recommend(asked("ann", 0)).ok());
}

}  // namespace
}  // namespace vitrine::coupons
