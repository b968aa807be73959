// A filter asked of columns answers as each product does, through every change of the catalog.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>

#include "base/random.h"
#include "server/recommend/assortment.h"
#include "server/recommend/column_scan.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::recommend {
namespace {

// Products with holes in every field, and expressions whose types are right.
class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t end) { return random_.below(end); }
  std::string one_of(const std::vector<std::string>& texts) {
    return texts[random_.below(texts.size())];
  }

  Product product(std::string id) {
    Product made;
    made.product_id = std::move(id);
    made.title = one_of({"", "RED CUP", "blue bag", "CUP", "größer"});
    made.brand = one_of({"", "acme", "zenith", "Acme", std::string(300, 'b')});
    made.currency = one_of({"EUR", "EUR", "JPY", "KWD", ""});
    for (std::uint64_t i = below(4); i > 0; --i) {
      made.categories.push_back(one_of({"Home", "Home > Kitchen", "Toys", "Homer", "Toys > Red"}));
    }
    for (std::uint64_t i = below(3); i > 0; --i) made.markets.push_back(one_of({"DE", "AT", "US"}));
    if (below(4) > 0) made.price = Money{static_cast<std::int64_t>(below(6'000))};
    if (below(3) == 0) made.list_price = Money{static_cast<std::int64_t>(below(9'000))};
    made.in_stock = below(3) > 0;
    made.hidden = below(4) == 0;
    if (below(2) == 0) made.stock = static_cast<std::int64_t>(below(4));
    if (below(5) == 0)
      made.available_from_ms = k_now_ms - static_cast<TimeMs>(below(50)) * k_day_ms;
    if (below(5) == 0) made.available_until_ms = k_now_ms + static_cast<TimeMs>(below(50));
    if (below(4) > 0) made.created_at_ms = k_now_ms - static_cast<TimeMs>(below(90 * k_day_ms));
    made.group_id = one_of({"", "", "g1", "g2"});
    made.url = one_of({"", "https://shop.example/a"});
    for (std::uint64_t i = below(4); i > 0; --i) {
      made.attributes[one_of({"color", "weight", "size eu"})] =
          one_of({"red", "12.5", "", "42", std::string(300, 'x')});
    }
    return made;
  }

  std::string truth(int depth) {
    if (depth > 0) {
      switch (below(4)) {
        case 0:
          return '(' + truth(depth - 1) + " && " + truth(depth - 1) + ')';
        case 1:
          return '(' + truth(depth - 1) + " || " + truth(depth - 1) + ')';
        case 2:
          return '!' + truth(depth - 1);
        default:
          break;
      }
    }
    switch (below(6)) {
      case 0:
        return '(' + number(2) + relation() + number(2) + ')';
      case 1:
        return '(' + text() + relation() + text() + ')';
      case 2:
        return '(' + time() + relation() + time() + ')';
      case 3:
        return '(' + text() +
               one_of({" in ['acme', 'red', 'p-7', '']", " in categories", " in markets"}) + ')';
      case 4:
        return text() + one_of({".contains('e')", ".startsWith('p-1')", ".endsWith('p')",
                                ".contains(brand)"});
      default:
        return one_of({"in_stock",
                       "hidden",
                       "true",
                       "false",
                       "(in_stock == hidden)",
                       "(in_stock != true)",
                       "has(in_stock)",
                       "has(price)",
                       "has(stock)",
                       "has(brand)",
                       "has(title)",
                       "has(url)",
                       "has(image_url)",
                       "has(group_id)",
                       "has(product_id)",
                       "has(attributes)",
                       "has(attributes.color)",
                       "has(categories)",
                       "('color' in attributes)",
                       "('Home' in categories)",
                       "('DE' in markets)",
                       "sets.intersects(markets, ['DE', 'US'])",
                       "sets.contains(markets, ['DE', 'AT'])",
                       "sets.contains(categories, ['Home', 'Toys'])",
                       "sets.intersects(categories, ['Home > Kitchen', 'no'])",
                       "(price in [1, 20, 35.5])",
                       "(stock in [1, 2])",
                       "(double(attributes.weight) > 12)",
                       "(size(brand) > 4)",
                       "(attributes['size eu'] == '42' || attributes['size eu'] == 'red')"});
    }
  }

  static constexpr TimeMs k_now_ms = 1'790'000'000'000;

 private:
  std::string relation() { return one_of({" == ", " != ", " < ", " <= ", " > ", " >= "}); }
  std::string text() {
    return one_of({"brand", "brand", "title", "currency", "group_id", "product_id", "image_url",
                   "attributes.color", "attributes['size eu']", "'acme'", "'p-7'", "'red'", "''"});
  }
  std::string time() {
    return one_of({"created_at", "available_from", "available_until", "timestamp('2026-09-01')"});
  }
  std::string number(int depth) {
    if (depth > 0 && below(3) == 0) {
      return '(' + number(depth - 1) + one_of({" + ", " - ", " * ", " / ", " % "}) +
             number(depth - 1) + ')';
    }
    return one_of({"price", "price", "list_price", "stock", "20", "0.5", "-3", "0", "-price",
                   "days_since(created_at)", "size(categories)", "size(markets)",
                   "size(attributes)", "size(title)", "double(attributes.weight)"});
  }

  Random random_;
};

class ColumnScanTest : public testing::Test {
 protected:
  static constexpr std::size_t k_products = 700;  // three chunks

  ~ColumnScanTest() override { on_.committer.stop(); }

  void change_some(std::size_t count) {
    std::vector<Product> products;
    for (std::size_t i = 0; i < count; ++i) {
      products.push_back(writer_.product(fmt::format("p-{}", writer_.below(k_products))));
    }
    stock(std::move(products));
    remove(fmt::format("p-{}", writer_.below(k_products)));
  }

  void remove(const std::string& id) {
    std::promise<absl::Status> done;
    ASSERT_TRUE(catalog_
                    ->change(
                        on_.committer, id, [](auto) { return std::optional<Product>(); },
                        [&](const auto& outcome) { done.set_value(outcome.status()); })
                    .ok());
    ASSERT_TRUE(done.get_future().get().ok());
  }

  // How many hold it; each is asked itself, too.
  std::size_t expect_right(const ProductCondition& condition, const std::string& told,
                           std::string_view category = {}, std::string_view market = {}) {
    const ProductCondition everything;
    const auto catalog = catalog_->current();
    const auto assortment = book_.find({.category = category,
                                        .market = market,
                                        .request_filter = condition,
                                        .placement_filter = everything},
                                       numbers_, catalog, live_, k_now_ms);
    if (assortment == nullptr) return 0;
    std::size_t held = 0;
    for (std::uint32_t i = 0; i < numbers_.size(); ++i) {
      const Product* const product = catalog->find(ProductNumber(i));
      const bool is_there =
          product != nullptr && (market.empty() || is_of_market(*product, market)) &&
          (category.empty() || std::ranges::any_of(product->categories, [&](const auto& path) {
             return is_in_category(path, category);
           }));
      const bool holds_it = is_there && holds(condition, *product, k_now_ms);
      EXPECT_EQ(assortment->contains(ProductNumber(i)), holds_it)
          << told << " of " << numbers_.id_of(ProductNumber(i));
      held += holds_it ? 1 : 0;
    }
    return held;
  }

  void stock(std::vector<Product> products) {
    std::promise<absl::Status> done;
    ASSERT_TRUE(catalog_
                    ->upsert(on_.committer, std::move(products),
                             [&](const auto& outcome) { done.set_value(outcome.status()); })
                    .ok());
    ASSERT_TRUE(done.get_future().get().ok());
  }

  static constexpr TimeMs k_now_ms = Writer::k_now_ms;
  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  CommitterOnStore on_{*database_};
  catalog::ProductNumbers numbers_;
  std::unique_ptr<catalog::Catalog> catalog_ =
      catalog::Catalog::open(*database_, numbers_, {}).value();
  const std::shared_ptr<const live_model::LiveModel> live_ =
      std::make_shared<const live_model::LiveModel>();
  Writer writer_{11};
  AssortmentBook book_;
};

TEST_F(ColumnScanTest, AnswersRandomExpressionsAsEachProductDoes) {
  for (int i = 0; i < 20; ++i) change_some(60);
  std::size_t held = 0;
  std::size_t asked = 0;
  for (int i = 0; i < 1'500; ++i) {
    const std::string text = writer_.truth(i % 4);
    const auto expression = ProductExpression::parse(text);
    ASSERT_TRUE(expression.ok()) << text << ": " << expression.status();
    held += expect_right({.expression = *expression}, text);
    asked += catalog_->current()->size();
    if (HasFailure()) return;
    if (i % 50 == 0) change_some(3);
  }
  // Neither everything nor nothing held, so the comparison means something.
  EXPECT_GT(held, asked / 10);
  EXPECT_LT(held, asked * 9 / 10);
}

TEST_F(ColumnScanTest, FollowsChangesOfTheCatalogForEveryFilterThatIsKept) {
  const std::vector<std::string> texts = {
      "price < 20 && in_stock",         "brand == 'acme' || 'Home' in categories",
      "attributes.color == 'red'",      "!has(list_price) && size(markets) < 2",
      "product_id != 'p-7' && !hidden", "title.contains('CUP') && price > 5",
      "days_since(created_at) < 30",    "brand == 'new brand' || attributes.new == 'new'"};
  std::vector<ProductCondition> kept;
  for (const std::string& text : texts) {
    kept.push_back({.expression = *ProductExpression::parse(text)});
  }
  std::size_t held = 0;
  for (int round = 0; round < 60; ++round) {
    change_some(1 + writer_.below(30));
    if (round == 30) {
      // Texts that no column had when the filters were made.
      Product product = writer_.product("p-new");
      product.brand = "new brand";
      stock({product});
    }
    for (std::size_t i = 0; i < kept.size(); ++i) held += expect_right(kept[i], texts[i]);
    if (HasFailure()) return;
  }
  EXPECT_GT(held, 1'000U);
}

TEST_F(ColumnScanTest, AnswersConditionsOfFieldsAsEachProductDoes) {
  for (int i = 0; i < 20; ++i) change_some(60);
  const auto some = [&](const std::vector<std::string>& from) {
    std::vector<std::string> chosen;
    for (const std::string& one : from) {
      if (writer_.below(4) == 0) chosen.push_back(one);
    }
    return chosen;
  };
  std::size_t held = 0;
  for (int i = 0; i < 600; ++i) {
    ProductCondition condition;
    if (writer_.below(4) == 0) {
      for (int id = 0; id < 300; ++id) condition.products.push_back(fmt::format("p-{}", id * 2));
    }
    condition.categories = some({"Home", "Toys > Red", "Hom"});
    condition.brands = some({"acme", "", "Acme"});
    condition.not_categories = some({"Home > Kitchen"});
    condition.not_brands = some({"zenith", std::string(300, 'b')});
    if (writer_.below(3) == 0) condition.price_min = Money{static_cast<int>(writer_.below(3'000))};
    if (writer_.below(3) == 0) condition.price_max = Money{static_cast<int>(writer_.below(6'000))};
    if (writer_.below(3) == 0) condition.currency = "EUR";
    if (writer_.below(4) == 0) condition.attributes = {{"color", "red"}};
    const std::string market = writer_.one_of({"", "", "DE", "FR"});
    const std::string category = writer_.one_of({"", "", "Home"});
    held += expect_right(condition, fmt::format("condition {}", i), category, market);
    if (HasFailure()) return;
  }
  EXPECT_GT(held, 1'000U);
}

TEST(ColumnLimitsTest, AnAttributeOfMoreTextsThanAreNumberedIsAskedOfProducts) {
  constexpr std::size_t k_products = TextCodes::k_texts_of_key_max + 300;
  std::vector<Product> products;
  for (std::size_t i = 0; i < k_products; ++i) {
    products.emplace_back().product_id = fmt::format("p-{}", i);
    products.back().attributes = {{"sku", fmt::format("s{}", i)},
                                  {"color", i % 2 ? "red" : "blue"}};
  }
  catalog::ProductNumbers numbers;
  const auto catalog = catalog::Catalog::in_memory(std::move(products), numbers);
  const auto live = std::make_shared<const live_model::LiveModel>();
  AssortmentBook book;
  const auto count = [&](std::string_view text) {
    const ProductCondition none;
    const ProductCondition filter = {.expression = *ProductExpression::parse(text)};
    return book
        .find({.category = {}, .market = {}, .request_filter = filter, .placement_filter = none},
              numbers, catalog->current(), live, 0)
        ->products()
        .count();
  };
  EXPECT_EQ(count("attributes.sku == 's5'"), 1U);
  EXPECT_EQ(count(fmt::format("attributes.sku == 's{}'", k_products - 1)), 1U);
  EXPECT_EQ(count("attributes.sku != 's5'"), k_products - 1);
  EXPECT_EQ(count("attributes.color == 'red'"), k_products / 2);
}

}  // namespace
}  // namespace vitrine::recommend
