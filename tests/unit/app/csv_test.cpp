#include "server/app/import/csv.h"

#include <gmock/gmock.h>

namespace vitrine::app {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> split(std::string_view record) {
  std::vector<std::string> fields;
  const absl::Status status = split_csv(record, fields);
  EXPECT_TRUE(status.ok()) << status;
  return fields;
}

TEST(Csv, SplitsAtCommasAndKeepsEmptyFields) {
  EXPECT_THAT(split("a,,b,"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split(""), ElementsAre(""));
}

TEST(Csv, TakesQuotesOffAndHalvesDoubledOnes) {
  EXPECT_THAT(split(R"("6"" RULER, WOOD",2,"")"), ElementsAre("6\" RULER, WOOD", "2", ""));
  EXPECT_THAT(split("\"two\nlines\",x"), ElementsAre("two\nlines", "x"));
}

TEST(Csv, RefusesWhatRfc4180DoesNotAllow) {
  std::vector<std::string> fields;
  EXPECT_FALSE(split_csv(R"(a,"b"c,d)", fields).ok());
  EXPECT_FALSE(split_csv(R"(a,b"c",d)", fields).ok());
  EXPECT_FALSE(split_csv(R"(a,"never closed)", fields).ok());
}

TEST(Csv, ReusesTheFieldsOfALongerRecord) {
  std::vector<std::string> fields{"left", "over", "from", "before"};
  ASSERT_TRUE(split_csv("x,y", fields).ok());
  EXPECT_THAT(fields, ElementsAre("x", "y"));
}

TEST(Csv, KnowsWhenAQuoteIsStillOpen) {
  EXPECT_TRUE(is_open_quoted(R"(a,"b)"));
  EXPECT_FALSE(is_open_quoted(R"(a,"b ""c""")"));
}

TEST(Csv, ReadsBackWhatItWrites) {
  const std::vector<std::string> texts{"plain", "with, comma", "with \"quotes\"", "two\nlines", ""};
  std::string record;
  for (const std::string& text : texts) {
    if (!record.empty()) record += ',';
    append_csv(record, text);
  }
  EXPECT_EQ(split(record), texts);
}

}  // namespace
}  // namespace vitrine::app
