// What expressions mean: values, missing values, time.
#include "server/expressions/program.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/status.h"
#include "server/expressions/parser.h"
#include "tests/unit/expressions/made_subject.h"

namespace vitrine::expressions {
namespace {

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    cup_.numbers = {{"price", 19.90}, {"list_price", 25}, {"created_at", 10.0 * k_day_ms}};
    cup_.texts_by_name = {{"brand", "acme"}, {"title", "Red cup"}};
    cup_.truths = {{"in_stock", true}, {"hidden", false}};
    cup_.lists = {{"markets", {"DE", "AT"}}, {"categories", {"Home > Kitchen", "Gifts"}}};
    cup_.attributes = {{"color", "red"}, {"size", "42.5"}};
  }

  static Program compiled(std::string_view text) {
    auto program = Program::compile(*parse(text), made_schema());
    EXPECT_TRUE(program.ok()) << text << ": " << program.status();
    return *std::move(program);
  }
  bool holds(std::string_view text) const { return compiled(text).holds(cup_, now_ms_); }
  bool holds_for_nothing(std::string_view text) const {
    return compiled(text).holds(MadeSubject(), now_ms_);
  }

  MadeSubject cup_;
  TimeMs now_ms_ = 40 * k_day_ms;
};

TEST_F(ProgramTest, ComparesValues) {
  for (const std::string_view text : {"price < 50",
                                      "price == 19.90",
                                      "price <= 19.9",
                                      "list_price - price > 5",
                                      "price / list_price < 0.8",
                                      "list_price % 10 == 5",
                                      "-price < 0",
                                      "brand == 'acme'",
                                      "brand != 'other'",
                                      "brand < 'b'",
                                      "in_stock",
                                      "!hidden",
                                      "in_stock == true",
                                      "in_stock != hidden",
                                      "price < 10 || brand == 'acme'",
                                      "price < 50 && in_stock && !hidden",
                                      "double(attributes.size) > 42",
                                      "size(title) == 7",
                                      "size(markets) == 2",
                                      "size(attributes) == 2"}) {
    EXPECT_TRUE(holds(text)) << text;
    EXPECT_FALSE(holds("!(" + std::string(text) + ")")) << text;
  }
}

TEST_F(ProgramTest, LooksIntoListsPathsAndNamedTexts) {
  for (const std::string_view text : {"brand in ['other', 'acme']",
                                      "price in [1, 19.9]",
                                      "'DE' in markets",
                                      "'Home > Kitchen' in categories",
                                      "'Home' in categories",
                                      "!('Hom' in categories)",
                                      "!('Kitchen' in categories)",
                                      "'color' in attributes",
                                      "!('weight' in attributes)",
                                      "attributes.color == 'red'",
                                      "attributes['color'] == 'red'",
                                      "sets.intersects(markets, ['FR', 'AT'])",
                                      "!sets.intersects(markets, ['FR'])",
                                      "sets.contains(markets, ['DE', 'AT'])",
                                      "!sets.contains(markets, ['DE', 'FR'])",
                                      "sets.contains(categories, ['Home', 'Gifts'])",
                                      "title.contains('cup')",
                                      "title.startsWith('Red')",
                                      "title.endsWith('cup')",
                                      "!title.contains('Cup')"}) {
    EXPECT_TRUE(holds(text)) << text;
  }
}

// A missing value makes every comparison false, != too; has(x) asks.
TEST_F(ProgramTest, HoldsNoComparisonOfWhatIsMissing) {
  for (const std::string_view text : {"price < 50",
                                      "price != 50",
                                      "price == price",
                                      "brand == 'acme'",
                                      "brand != 'acme'",
                                      "brand in ['acme']",
                                      "price in [1]",
                                      "in_stock",
                                      "in_stock == false",
                                      "in_stock != true",
                                      "attributes.color != 'red'",
                                      "'DE' in markets",
                                      "title.contains('')",
                                      "price + 1 > 0",
                                      "-price < 1",
                                      "double(brand) < 1",
                                      "size(title) >= 0",
                                      "days_since(created_at) >= 0",
                                      "has(brand)",
                                      "has(price)",
                                      "has(in_stock)",
                                      "has(markets)",
                                      "has(attributes)",
                                      "has(attributes.color)",
                                      "has(attributes['color'])"}) {
    EXPECT_FALSE(holds_for_nothing(text)) << text;
  }
  EXPECT_TRUE(holds_for_nothing("!(price < 50)"));
  EXPECT_TRUE(holds_for_nothing("!has(price) || price < 50"));
  EXPECT_TRUE(holds_for_nothing("size(markets) == 0"));
  EXPECT_TRUE(
      holds("has(brand) && has(price) && has(in_stock) && has(markets) && "
            "has(attributes) && has(attributes.color) && !has(attributes.weight)"));
}

TEST_F(ProgramTest, GivesNoNumberWhereThereIsNone) {
  EXPECT_FALSE(holds("price / 0 > 0"));
  EXPECT_FALSE(holds("price % 0 == 0"));
  EXPECT_FALSE(holds("double(attributes.color) > 0"));
  cup_.numbers["price"] = std::numeric_limits<double>::max();
  EXPECT_FALSE(holds("price * 10 > 0"));
}

TEST_F(ProgramTest, CountsWholeDays) {
  EXPECT_TRUE(holds("days_since(created_at) == 30"));
  now_ms_ -= 1;
  EXPECT_TRUE(holds("days_since(created_at) == 29"));
  now_ms_ = 10 * k_day_ms - 1;
  EXPECT_TRUE(holds("days_since(created_at) == -1"));
  EXPECT_TRUE(holds("created_at == timestamp('1970-01-11')"));
  EXPECT_TRUE(holds("created_at < timestamp('1970-01-11T00:00:01+00:00')"));
}

TEST_F(ProgramTest, SaysWhetherItsAnswerMovesWithTime) {
  EXPECT_TRUE(compiled("in_stock && days_since(created_at) < 30").depends_on_time());
  EXPECT_FALSE(compiled("created_at < timestamp('2026-01-01')").depends_on_time());
}

}  // namespace
}  // namespace vitrine::expressions
