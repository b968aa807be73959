#include "server/recommend/recommender.h"

#include <gmock/gmock.h>

#include <numeric>

#include "base/status.h"
#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RecommenderTest : public Shop {
 protected:
  static std::vector<std::string> kinds(const RecommendAnswer& answer) {
    std::vector<std::string> kinds;
    kinds.reserve(answer.products.size());
    for (const RecommendedProduct& product : answer.products) {
      kinds.emplace_back(product.reason.kind);
    }
    return kinds;
  }
};

TEST_F(RecommenderTest, AnswersANewPersonWithWhatEverybodyWants) {
  open_shelves();
  for (int i = 0; i < 3; ++i) visitor_views("v" + std::to_string(i), "Garden-4");
  visitor_views("v9", "Toys-1");

  RecommendRequest request;
  request.user_id = "nobody";
  request.visitor_id = "unseen";
  request.limit = 2;
  const RecommendAnswer answer = ask(request);

  EXPECT_THAT(ids(answer), ElementsAre("Garden-4", "Toys-1"));
  EXPECT_FALSE(answer.personalized);
  EXPECT_EQ(answer.model_version, model_.current()->version());
  EXPECT_EQ(answer.recommendation_id.size(), 26U);
  for (const RecommendedProduct& product : answer.products) {
    EXPECT_THAT(std::string_view(product.reason.kind), testing::AnyOf("popular", "trending"));
    EXPECT_EQ(product.reason.product_id, "");
    EXPECT_EQ(product.product->title, "The " + product.product_id);
  }
}

TEST_F(RecommenderTest, AnswersAShopWithoutEventsWithItsLatestProducts) {
  stock({make_product("old", ""), make_product("newer", "")});

  const RecommendAnswer answer = home_of_visitor("v1");

  EXPECT_THAT(ids(answer), testing::UnorderedElementsAre("old", "newer"));
  EXPECT_THAT(kinds(answer), Each("new"));
}

TEST_F(RecommenderTest, NamesWhatItRefuses) {
  open_shelves();
  struct Case {
    RecommendRequest request;
    absl::StatusCode code;
    std::string message;
  };
  std::vector<Case> cases(6);
  cases[0] = {{.placement = "moon"}, absl::StatusCode::kNotFound, "home, product_page, cart"};
  cases[1] = {{.limit = 0}, absl::StatusCode::kInvalidArgument, "between 1 and 200, got 0"};
  cases[2] = {{.limit = 201}, absl::StatusCode::kInvalidArgument, "between 1 and 200, got 201"};
  cases[3] = {{.placement = "product_page"}, absl::StatusCode::kInvalidArgument, "product_id"};
  cases[4] = {{.placement = "cart"}, absl::StatusCode::kInvalidArgument, "cart"};
  cases[5] = {{.exclude = std::vector<std::string>(1001, "x")},
              absl::StatusCode::kInvalidArgument,
              "at most 1000 products, got 1001"};
  for (const Case& refused : cases) {
    const auto answer = recommender_->recommend(refused.request);
    ASSERT_FALSE(answer.ok()) << refused.message;
    EXPECT_EQ(answer.status().code(), refused.code);
    EXPECT_THAT(std::string(message_of(answer.status())), HasSubstr(refused.message));
  }
  EXPECT_TRUE(recommender_->recommend({.limit = 200}).ok());
}

TEST_F(RecommenderTest, AnswersOneClickWithItsShelfAndSaysWhy) {
  open_shelves();
  visitor_views("v1", "Garden-4");

  const RecommendAnswer answer = home_of_visitor("v1", 8);

  EXPECT_TRUE(answer.personalized);
  EXPECT_THAT(ids(answer), Each(StartsWith("Garden")));
  const RecommendedProduct& first = answer.products.front();
  EXPECT_EQ(first.reason.kind, "because_you_viewed");
  EXPECT_EQ(first.reason.product_id, "Garden-4");
  EXPECT_EQ(first.reason.text, "Because you looked at The Garden-4");
  EXPECT_NE(first.product_id, "Garden-4");
}

TEST_F(RecommenderTest, NamesTheDeedThatSpeaksMostForAProduct) {
  open_shelves();
  happen(
      {{.user_id = "u1",
        .type = EventType::purchase,
        .product_id = "Garden-4",
        .age_ms = k_day_ms,
        .order_id = "o1"},
       {.user_id = "u1", .type = EventType::cart_add, .product_id = "Toys-2", .age_ms = k_day_ms},
       {.user_id = "u1",
        .type = EventType::wish_add,
        .product_id = "Paper-1",
        .age_ms = k_day_ms}});

  const RecommendAnswer answer = ask({.user_id = "u1", .limit = 30, .explore = false});

  for (const RecommendedProduct& product : answer.products) {
    if (product.source != "personal") continue;
    const std::string_view shelf = shelf_of(product.product_id);
    const std::string_view expected = shelf == "Garden" ? "because_you_bought"
                                      : shelf == "Toys" ? "because_you_added"
                                                        : "because_you_wished";
    EXPECT_EQ(product.reason.kind, expected) << product.product_id;
    EXPECT_EQ(shelf_of(product.reason.product_id), shelf);
  }
  EXPECT_THAT(kinds(answer), AllOf(Contains("because_you_bought"), Contains("because_you_added")));
}

TEST_F(RecommenderTest, GivesNoFeeAsAReasonAsLongAsThereIsAnother) {
  open_shelves();
  Product fee = make_product("Garden-5", "");
  fee.hidden = true;
  stock({fee});
  happen({{.user_id = "u1", .product_id = "Garden-4", .age_ms = k_minute_ms},
          {.user_id = "u1", .type = EventType::cart_add, .product_id = "Garden-5"},
          {.user_id = "u2", .type = EventType::cart_add, .product_id = "Garden-5"}});

  EXPECT_FALSE(names(ask({.user_id = "u1", .explore = false}), "Garden-5"));
  EXPECT_TRUE(names(ask({.user_id = "u1"}), "Garden-4"));
  EXPECT_TRUE(names(ask({.user_id = "u2"}), "Garden-5"));
}

TEST_F(RecommenderTest, LetsTheSessionOutweighTheHistoryUntilItIsOver) {
  open_shelves();
  std::vector<Deed> history;
  history.reserve(4);
  for (std::uint32_t i = 0; i < 3; ++i) {
    history.push_back({.user_id = "u1",
                       .type = EventType::cart_add,
                       .product_id = product_id("Kitchen", i),
                       .age_ms = 3 * k_day_ms});
  }
  history.push_back({.user_id = "u1", .product_id = "Toys-3"});
  happen(history);

  EXPECT_EQ(shelf_of(ask({.user_id = "u1"}).products.front().product_id), "Toys");

  clock_.advance(2 * k_hour_ms);
  EXPECT_EQ(shelf_of(ask({.user_id = "u1"}).products.front().product_id), "Kitchen");
}

TEST_F(RecommenderTest, TakesAVisitorsClicksAlongWhenTheyLogIn) {
  open_shelves();
  visitor_views("v1", "Garden-4");
  EXPECT_FALSE(ask({.user_id = "u1"}).personalized);

  happen({{.user_id = "u1", .visitor_id = "v1", .type = EventType::login}});

  EXPECT_TRUE(names(ask({.user_id = "u1"}), "Garden-4"));
}

TEST_F(RecommenderTest, ReadsNothingOfThePersonWhenToldNotTo) {
  open_shelves();
  happen(
      {{.user_id = "u1", .product_id = "Garden-4"},
       {.user_id = "u2", .type = EventType::purchase, .product_id = "Toys-4", .order_id = "o1"}});

  const RecommendAnswer first = ask({.user_id = "u1", .limit = 40, .personalize = false});
  const RecommendAnswer second = ask({.user_id = "u2", .limit = 40, .personalize = false});
  const RecommendAnswer stranger = ask({.user_id = "u3", .limit = 40});

  EXPECT_NE(ids(ask({.user_id = "u1", .limit = 40})), ids(first));
  EXPECT_EQ(ids(first), ids(second));
  EXPECT_EQ(ids(first), ids(stranger));
  EXPECT_EQ(kinds(first), kinds(second));
  EXPECT_FALSE(first.personalized);
  EXPECT_THAT(ids(second), Contains("Toys-4"));
}

TEST_F(RecommenderTest, ShowsBesideAProductWhatIsLikeItAndGoesWithIt) {
  open_shelves();
  auto variant = make_product("Garden-5", "Garden > Small");
  auto current = make_product("Garden-4", "Garden > Small");
  variant.group_id = current.group_id = "spade";
  stock({variant, current});

  const RecommendAnswer answer =
      ask({.placement = "product_page", .product_id = "Garden-4", .limit = 9});

  EXPECT_THAT(ids(answer), Each(StartsWith("Garden")));
  EXPECT_THAT(ids(answer), Not(Contains("Garden-4")));
  EXPECT_THAT(ids(answer), Not(Contains("Garden-5")));
  EXPECT_EQ(removed(answer, "current_product"), 1U);
  EXPECT_EQ(answer.products[0].product_id, "Garden-6");
  EXPECT_EQ(answer.products[0].reason.product_id, "Garden-4");
  EXPECT_EQ(answer.products[1].reason.text, "Similar to The Garden-4");
  EXPECT_FALSE(answer.personalized);
}

TEST_F(RecommenderTest, SumsWhatIsBoughtTogetherOverTheCart) {
  open_shelves();

  const RecommendAnswer answer =
      ask({.placement = "cart", .cart = {"Toys-0", "Toys-1", "unknown"}, .limit = 5});

  // Toys-1 goes best with Toys-0, but is in the cart; Toys-2 goes with both.
  EXPECT_EQ(answer.products.front().product_id, "Toys-2");
  EXPECT_EQ(answer.products.front().reason.kind, "bought_together");
  EXPECT_EQ(answer.products.front().reason.product_id, "Toys-1");
  EXPECT_THAT(ids(answer), Not(Contains("Toys-0")));
  EXPECT_THAT(ids(answer), Not(Contains("Toys-1")));
  EXPECT_GT(removed(answer, "in_cart"), 0U);
}

TEST_F(RecommenderTest, ShowsAProductNobodyLearntFromWhatIsPopularInItsCategory) {
  stock({make_product("pan", "Kitchen > Pans"), make_product("wok", "Kitchen > Pans"),
         make_product("cup", "Kitchen > Cups"), make_product("ball", "Toys")});
  for (const std::string id : {"ball", "ball", "cup", "wok"}) visitor_views("v-" + id, id);

  const auto beside_pan = ask({.placement = "product_page", .product_id = "pan", .limit = 1});
  EXPECT_THAT(ids(beside_pan), ElementsAre("wok"));
  EXPECT_EQ(beside_pan.products[0].reason.kind, "similar");

  const auto beside_wok = ask({.placement = "product_page", .product_id = "wok", .limit = 1});
  EXPECT_THAT(ids(beside_wok), ElementsAre("cup")) << "the category above, as pan is not popular";
}

TEST_F(RecommenderTest, AnswersBesideAProductItHasNeverHeardOf) {
  open_shelves();
  visitor_views("v1", "Garden-4");

  const auto answer = ask({.placement = "product_page", .product_id = "ghost", .limit = 3});

  EXPECT_EQ(answer.products.size(), 3U);
  EXPECT_EQ(answer.products[0].product_id, "Garden-4");
}

TEST_F(RecommenderTest, ServesAShopThatSendsEventsAndNoCatalog) {
  visitor_views("v1", "cup");
  visitor_views("v2", "pot");

  const RecommendAnswer answer = home_of_visitor("v1");

  EXPECT_THAT(ids(answer), testing::UnorderedElementsAre("cup", "pot"));
  EXPECT_TRUE(names(answer, "cup"));
  EXPECT_EQ(answer.products[0].product, nullptr);
  EXPECT_EQ(answer.model_version, "");
}

TEST_F(RecommenderTest, TakesTheModelsWordForWhatIsPopularBeforeTheFirstEvent) {
  open_shelves();

  EXPECT_THAT(kinds(home_of_visitor("v1")), Each("popular"));
}

TEST_F(RecommenderTest, BreaksAScoreDownWhenAskedTo) {
  open_shelves();
  visitor_views("v1", "Garden-4");

  const RecommendAnswer answer = ask({.visitor_id = "v1", .limit = 5, .explain = true});

  for (const RecommendedProduct& product : answer.products) {
    float sum = 0;
    for (const auto& [source, part] : product.source_scores) sum += part;
    EXPECT_FLOAT_EQ(sum, product.score) << product.product_id;
    EXPECT_THAT(product.source_scores, Contains(testing::Key(product.source)));
    EXPECT_LE(product.score, 1);
  }
  EXPECT_THAT(home_of_visitor("v1").products,
              Each(Field(&RecommendedProduct::source_scores, testing::IsEmpty())));
}

TEST_F(RecommenderTest, OrdersByScoreAndNeverRepeatsAProduct) {
  open_shelves();
  visitor_views("v1", "Garden-4");
  visitor_views("v2", "Toys-4");

  const RecommendAnswer answer = home_of_visitor("v1", 200);

  EXPECT_EQ(answer.products.size(), k_shelves.size() * k_shelf_products);
  for (std::size_t i = 1; i < answer.products.size(); ++i) {
    EXPECT_LE(answer.products[i].score, answer.products[i - 1].score);
  }
  std::vector<std::string> all = ids(answer);
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::unique(all).size(), 0U);
}

}  // namespace
}  // namespace vitrine::recommend
