#include "model/money.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(MoneyTest, ReadsDecimalsByTheCurrencysDigitsAndRoundsHalfUp) {
  EXPECT_EQ(parse_money("19.90", "EUR")->minor, 1990);
  EXPECT_EQ(parse_money("19.9", "EUR")->minor, 1990);
  EXPECT_EQ(parse_money("19", "EUR")->minor, 1900);
  EXPECT_EQ(parse_money("0.125", "EUR")->minor, 13);
  EXPECT_EQ(parse_money("0.1249", "EUR")->minor, 12);
  EXPECT_EQ(parse_money("-0.125", "EUR")->minor, -13);
  EXPECT_EQ(parse_money("1990", "JPY")->minor, 1990);
  EXPECT_EQ(parse_money("1990.5", "JPY")->minor, 1991);
  EXPECT_EQ(parse_money("1.2345", "KWD")->minor, 1235);
}

TEST(MoneyTest, RefusesWhatIsNoAmount) {
  for (const char* text : {"", "-", ".5", "1.", "1,50", "1e3", "nan", "inf", "+1", " 1", "1 ",
                           "99999999999999999999"}) {
    EXPECT_EQ(parse_money(text, "EUR").status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(MoneyTest, WritesWhatItReads) {
  for (const char* text : {"0.00", "0.05", "-0.05", "12.75", "1000000.00"}) {
    EXPECT_EQ(format_money(*parse_money(text, "GBP"), "GBP"), text);
  }
  EXPECT_EQ(format_money(Money{1990}, "JPY"), "1990");
  EXPECT_EQ(format_money(Money{5}, "KWD"), "0.005");
}

}  // namespace
}  // namespace vitrine
