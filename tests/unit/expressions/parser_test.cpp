// Text becomes the tree that it says, and the tree becomes text again.
#include "server/expressions/parser.h"

#include <gmock/gmock.h>

#include <string>

#include "base/status.h"
#include "server/expressions/printer.h"

namespace vitrine::expressions {
namespace {

using testing::HasSubstr;

// The expression, printed anew.
std::string printed(std::string_view text) {
  const auto tree = parse(text);
  return tree.ok() ? print(*tree) : std::string(message_of(tree.status()));
}

TEST(ParserTest, ReadsWhatItPrintsAndPrintsTheFewestBrackets) {
  for (const std::string_view text : {"price < 50 && in_stock && !(\"alcohol\" in categories)",
                                      "a || b && c",
                                      "(a || b) && c",
                                      "a && (b && c)",
                                      "1 + 2 * 3 == 7",
                                      "(1 + 2) * 3 == 9",
                                      "1 - (2 - 3) == 2",
                                      "1 - 2 - 3 == -4",
                                      "-(a + b) < 1",
                                      "a in [\"x\", \"y\"]",
                                      "n in [-1, 2.5, 1e+20]",
                                      "title.contains(\"cup\") && title.startsWith(\"R\")",
                                      "attributes[\"size eu\"] == \"42\"",
                                      "attributes.color == \"white\"",
                                      "has(brand) && size(categories) > 1",
                                      "days_since(created_at) <= 30",
                                      "created_at >= timestamp(\"2026-01-01\")",
                                      "sets.intersects(markets, [\"DE\", \"AT\"])",
                                      "user.name.startsWith(\"a\")",
                                      "(a == b) == (c == d)",
                                      "true || false",
                                      "!!a"}) {
    EXPECT_EQ(printed(text), text);
  }
}

TEST(ParserTest, ForgivesSpacesBracketsQuotesAndComments) {
  EXPECT_EQ(printed("((price<50))&&\n  ( in_stock ) // what we have"), "price < 50 && in_stock");
  EXPECT_EQ(printed("brand=='acme'"), "brand == \"acme\"");
  EXPECT_EQ(printed("(a && b) && (c)"), "(a && b) && c");
  EXPECT_EQ(printed(".5 < 1.50"), "0.5 < 1.5");
}

TEST(ParserTest, ResolvesEscapesAndKeepsForeignLetters) {
  EXPECT_EQ(printed(R"(a == '\u6ee1\u51cf "x" \\ \t')"), "a == \"满减 \\\"x\\\" \\\\ \\t\"");
  EXPECT_EQ(printed("a == \"Geschirr für 兑换\""), "a == \"Geschirr für 兑换\"");
}

TEST(ParserTest, CountsColumnsInCharacters) {
  EXPECT_THAT(printed("brand == \"兑换\" & x"), HasSubstr("column 15: unknown sign '&'"));
}

TEST(ParserTest, JoinsALongListOfAlternativesWithoutDepth) {
  std::string text = "a == 1";
  for (int i = 0; i < 300; ++i) text += " || a == 1";
  const auto tree = parse(text);
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(tree->children.size(), 301U);
  EXPECT_EQ(tree->depth, 3U);
}

TEST(ParserTest, HoldsEveryLimit) {
  const Limits limits;
  EXPECT_TRUE(parse("a" + std::string(limits.bytes_max - 1, ' ')).ok());
  EXPECT_THAT(printed("a" + std::string(limits.bytes_max, ' ')), HasSubstr("at most 4096 bytes"));

  const auto sum = [](std::size_t terms) {
    std::string text = "1";
    for (std::size_t i = 1; i < terms; ++i) text += "+1";
    return text;
  };
  EXPECT_TRUE(parse(sum(limits.depth_max)).ok());
  EXPECT_THAT(printed(sum(limits.depth_max + 1)), HasSubstr("at most 32 operations deep"));

  const auto brackets = [](std::size_t count) {
    return std::string(count, '(') + "a" + std::string(count, ')');
  };
  EXPECT_TRUE(parse(brackets(limits.depth_max - 1)).ok());
  EXPECT_THAT(printed(brackets(4 * limits.depth_max)), HasSubstr("at most 32 operations deep"));
  EXPECT_THAT(printed(std::string(4000, '!') + "a"), HasSubstr("at most 32 operations deep"));
  EXPECT_THAT(printed("size(" + std::string(4000, '-')), HasSubstr("at most 32 operations deep"));

  const auto list = [](std::size_t values) {
    std::string text = "a in [1";
    for (std::size_t i = 1; i < values; ++i) text += ",1";
    return text + "]";
  };
  EXPECT_TRUE(parse(list(limits.list_values_max)).ok());
  EXPECT_THAT(printed(list(limits.list_values_max + 1)), HasSubstr("at most 1000 values"));
}

}  // namespace
}  // namespace vitrine::expressions
