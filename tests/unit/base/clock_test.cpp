#include "base/clock.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

TEST(ParseTimeTest, ReadsEveryFormItPromises) {
  EXPECT_EQ(parse_time("2011-11-27T16:27:00Z").value(), 1322411220000);
  EXPECT_EQ(parse_time("2011-11-27T17:27:00+01:00").value(), 1322411220000);
  EXPECT_EQ(parse_time("2011-11-27T16:27:00.250Z").value(), 1322411220250);
  EXPECT_EQ(parse_time("2011-11-27").value(), 1322352000000);
  EXPECT_EQ(parse_time("1322411220000").value(), 1322411220000);
}

TEST(ParseTimeTest, RefusesEverythingElseAndNamesIt) {
  for (const char* text :
       {"", "yesterday", "12", "2011-13-01", "2011-11-27T16:27:00", "-1322411220000",
        "99999999999999999", "1322411220000ms", "1969-12-31"}) {
    const auto time = parse_time(text);
    EXPECT_EQ(time.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(std::string(time.status().message()).find(text), std::string::npos);
  }
}

TEST(FormatTimeTest, WritesMillisecondsOnlyWhenThereAreAny) {
  EXPECT_EQ(format_time(1322411220000), "2011-11-27T16:27:00Z");
  EXPECT_EQ(format_time(1322411220250), "2011-11-27T16:27:00.250Z");
  EXPECT_EQ(parse_time(format_time(1322411220250)).value(), 1322411220250);
}

}  // namespace
}  // namespace vitrine
