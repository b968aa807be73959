#include "server/recommend/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "server/recommend/placement.h"

namespace vitrine::recommend {
namespace {

using testing::HasSubstr;

Rule boost_of_brand(std::string id) { return {.id = std::move(id), .when = {.brands = {"acme"}}}; }

std::string complaint_about(const std::function<void(Rule&)>& spoil) {
  std::vector<Rule> rules = {boost_of_brand("first"), boost_of_brand("second")};
  spoil(rules[1]);
  const absl::Status status = validate(rules, "rules", k_rules_max);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(RuleTest, NamesTheRuleTheValueAndWhatIsAllowed) {
  EXPECT_TRUE(validate(std::vector{boost_of_brand("a"), boost_of_brand("b")}, "rules", 2).ok());

  EXPECT_EQ(complaint_about([](Rule& rule) { rule.factor = 101; }),
            "rules[1].factor must be above 0 and at most 100, got 101");
  EXPECT_THAT(complaint_about([](Rule& rule) { rule.factor = 0; }), HasSubstr("got 0"));
  EXPECT_THAT(complaint_about([](Rule& rule) { rule.factor = NAN; }), HasSubstr("got nan"));
  EXPECT_EQ(complaint_about([](Rule& rule) { rule.id = "first"; }),
            "rules[1].id 'first' is already that of rules[0]");
  EXPECT_THAT(complaint_about([](Rule& rule) { rule.id.clear(); }), HasSubstr("1 to 64 bytes"));
  EXPECT_THAT(complaint_about([](Rule& rule) { rule.id.assign(65, 'x'); }), HasSubstr("got 65"));
  EXPECT_EQ(complaint_about([](Rule& rule) {
              rule.valid_from_ms = 1000;
              rule.valid_until_ms = 1000;
            }),
            "rules[1].valid_until must be after valid_from: 1970-01-01T00:00:01Z is not after "
            "1970-01-01T00:00:01Z");
  EXPECT_THAT(complaint_about([](Rule& rule) { rule.when.currency = "euro"; }),
              HasSubstr("rules[1].when.currency must be three capital letters"));
}

TEST(RuleTest, PinsSomethingToAPlaceOfAnAnswer) {
  const auto pin_to = [](std::size_t position) {
    return [=](Rule& rule) {
      rule.kind = RuleKind::pin;
      rule.position = position;
    };
  };
  EXPECT_EQ(complaint_about(pin_to(0)), "rules[1].position must be between 1 and 200, got 0");
  EXPECT_THAT(complaint_about(pin_to(201)), HasSubstr("got 201"));
  EXPECT_EQ(complaint_about([](Rule& rule) {
              rule.kind = RuleKind::pin;
              rule.when = {};
            }),
            "rules[1].when must say what to pin; it is empty");
}

TEST(RuleTest, LimitsHowManyThereAre) {
  const std::vector<Rule> rules = {boost_of_brand("a"), boost_of_brand("b")};
  EXPECT_EQ(validate(rules, "boost", 1).message(), "boost must have at most 1 rules, got 2");
}

TEST(RuleTest, IsValidFromItsStartUntilJustBeforeItsEnd) {
  Rule rule = boost_of_brand("a");
  EXPECT_TRUE(rule.is_valid(0));
  rule.valid_from_ms = 10;
  rule.valid_until_ms = 20;
  EXPECT_FALSE(rule.is_valid(9));
  EXPECT_TRUE(rule.is_valid(10));
  EXPECT_TRUE(rule.is_valid(19));
  EXPECT_FALSE(rule.is_valid(20));
}

TEST(ProductConditionTest, LimitsItsListsAndOrdersItsPrices) {
  ProductCondition condition;
  condition.brands.resize(ProductCondition::k_values_max);
  EXPECT_TRUE(validate(condition, "filter").ok());
  condition.brands.emplace_back("one more");
  EXPECT_EQ(validate(condition, "filter").message(),
            "filter.brands must have at most 1000 values, got 1001");

  condition = {.price_min = Money{200}, .price_max = Money{199}, .currency = "EUR"};
  EXPECT_EQ(validate(condition, "filter").message(),
            "filter.price_min must not be above price_max: 2.00 > 1.99");

  condition = {};
  for (std::size_t i = 0; i <= ProductCondition::k_attributes_max; ++i) {
    condition.attributes[std::to_string(i)] = "yes";
  }
  EXPECT_EQ(validate(condition, "filter").message(),
            "filter.attributes must have at most 128 entries, got 129");
}

TEST(VarietyTest, StaysInItsRanges) {
  EXPECT_TRUE(validate(Variety{.diversity = 1, .category_max = 1000}).ok());
  EXPECT_EQ(validate(Variety{.diversity = 1.5F}).message(),
            "variety.diversity must be between 0 and 1, got 1.5");
  EXPECT_EQ(validate(Variety{.repeats_max_share = 0}).message(),
            "variety.repeats_max_share must be above 0 and at most 1, got 0");
  EXPECT_EQ(validate(Variety{.repeats_max_share = 1.01F}).message(),
            "variety.repeats_max_share must be above 0 and at most 1, got 1.01");
  EXPECT_EQ(validate(Variety{.brand_max = 1001}).message(),
            "variety.brand_max must be at most 1000, got 1001");
}

}  // namespace
}  // namespace vitrine::recommend
