// What each source gives, asked through a placement of its own.
#include "server/recommend/sources/sources.h"

#include <gmock/gmock.h>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class EachSourceTest : public Shop {
 protected:
  void view_in_session(const std::string& session, const std::vector<std::string>& products) {
    for (const std::string& id : products) {
      happen({{.product_id = id, .session_id = session}});
      clock_.advance(1000);
    }
  }

  RecommendRequest from(const std::string& source) {
    Placement placement;
    placement.name = "only_" + source;
    placement.sources = {{source, 1}};
    recommender_->use(recommender_->placements()->with(placement));
    RecommendRequest request;
    request.placement = "only_" + source;
    return request;
  }

  static Product priced(const std::string& id, const std::string& category, std::int64_t cents) {
    Product product = make_product(id, category);
    product.price = Money{cents};
    product.currency = "EUR";
    return product;
  }
};

TEST_F(EachSourceTest, SessionGivesWhatSessionsLikeThisOneWentOnTo) {
  stock(shelf_products());
  view_in_session("first", {"Toys-1", "Paper-9"});
  view_in_session("second", {"Toys-1", "Paper-9", "Garden-2"});
  RecommendRequest request = from("session");
  request.session_id = "mine";
  EXPECT_THAT(ids(ask(request)), ElementsAre());

  view_in_session("mine", {"Toys-1"});

  const RecommendAnswer answer = ask(request);
  EXPECT_THAT(ids(answer), ElementsAre("Paper-9", "Garden-2"));
  EXPECT_EQ(answer.products.front().reason.text,
            "Shoppers who looked at The Toys-1 also looked at this");
  EXPECT_TRUE(answer.personalized);

  request.personalize = false;
  EXPECT_THAT(ids(ask(request)), ElementsAre()) << "a session is a person's";
}

TEST_F(EachSourceTest, SessionOfAVisitorEndsWithAPause) {
  stock(shelf_products());
  view_in_session("first", {"Toys-1", "Paper-9"});
  RecommendRequest request = from("session");
  request.visitor_id = "v1";
  visitor_views("v1", "Toys-1");
  EXPECT_THAT(ids(ask(request)), ElementsAre("Paper-9"));

  clock_.advance(profiles::SessionBook::k_session_gap_ms + 1);
  EXPECT_THAT(ids(ask(request)), ElementsAre());
}

TEST_F(EachSourceTest, SessionBeginsWithTheProductOfThePage) {
  stock(shelf_products());
  view_in_session("first", {"Toys-1", "Paper-9"});
  RecommendRequest request = from("session");
  request.product_id = "Toys-1";
  EXPECT_THAT(ids(ask(request)), ElementsAre("Paper-9"));
}

TEST_F(EachSourceTest, SessionFallsBackToTheModelWhenNobodyWasHereBefore) {
  open_shelves();
  visitor_views("v1", "Toys-1");
  RecommendRequest request = from("session");
  request.visitor_id = "v1";
  request.limit = 5;
  for (const std::string& id : ids(ask(request))) EXPECT_EQ(shelf_of(id), "Toys");
}

TEST_F(EachSourceTest, AlsoViewedKnowsAProductThatTheModelDoesNot) {
  open_shelves();
  stock({make_product("newcomer", "")});
  view_in_session("first", {"newcomer", "Paper-9"});
  RecommendRequest request = from("also_viewed");
  request.product_id = "newcomer";
  const RecommendAnswer answer = ask(request);
  EXPECT_THAT(ids(answer), ElementsAre("Paper-9"));
  EXPECT_EQ(answer.products.front().reason.product_id, "newcomer");
}

TEST_F(EachSourceTest, UpsellIsDearerOfTheSameCategoryAndNotTwiceAsDear) {
  stock({priced("cup", "Kitchen > Cups", 1000), priced("better cup", "Kitchen > Cups", 1500),
         priced("best cup", "Kitchen > Cups", 2000), priced("golden cup", "Kitchen > Cups", 2001),
         priced("cheap cup", "Kitchen > Cups", 999), priced("pan", "Kitchen > Pans", 1500)});
  for (const std::string id : {"cup", "better cup", "best cup", "golden cup", "cheap cup", "pan"}) {
    visitor_views("somebody", id);
  }
  RecommendRequest request = from("upsell");
  request.product_id = "cup";
  const RecommendAnswer answer = ask(request);
  EXPECT_THAT(ids(answer), testing::UnorderedElementsAre("better cup", "best cup"));
  EXPECT_EQ(answer.products.front().reason.text, "A step up from The cup");

  // Who never looked at more than 15 euros is not shown 20.
  for (const std::string id : {"cup", "better cup", "cheap cup"}) visitor_views("thrifty", id);
  request.visitor_id = "thrifty";
  EXPECT_THAT(ids(ask(request)), Not(Contains("best cup")));
}

TEST_F(EachSourceTest, NewIsWhatWasCreatedLast) {
  Product old = make_product("old", "");
  old.created_at_ms = clock_.now_ms() - 400 * k_day_ms;
  Product week = make_product("a week old", "");
  week.created_at_ms = clock_.now_ms() - 7 * k_day_ms;
  Product today = make_product("of today", "");
  today.created_at_ms = clock_.now_ms() - k_hour_ms;
  stock({today, week, old});
  const RecommendAnswer answer = ask(from("new"));
  EXPECT_THAT(ids(answer), ElementsAre("of today", "a week old", "old"));
  EXPECT_EQ(answer.products.front().reason.kind, "new");
  EXPECT_NE(answer.products.back().reason.kind, "new");
}

TEST_F(EachSourceTest, AProductAddedNowIsInTheNextAnswer) {
  open_shelves();
  stock({make_product("fresh", "Toys > Small")});
  RecommendRequest request = from("similar");
  request.product_id = "fresh";
  request.limit = 5;
  const RecommendAnswer answer = ask(request);
  EXPECT_EQ(answer.products.size(), 5U);
  for (const std::string& id : ids(answer)) EXPECT_EQ(shelf_of(id), "Toys");
  EXPECT_THAT(ids(ask(from("new"))), Contains("fresh"));
}

}  // namespace
}  // namespace vitrine::recommend
