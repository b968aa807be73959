#include "server/http/json_reader.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <limits>

#include "base/status.h"

namespace vitrine::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t k_depth = 32;

std::string message(const absl::Status& status) { return std::string(message_of(status)); }

TEST(JsonReaderTest, ReadsEveryKindOfField) {
  JsonDocument document;
  ASSERT_TRUE(document
                  .parse(R"({"id":"p1","limit":12,"ratio":0.5,"whole":2,"hidden":true,
                             "list":["a","b"],"inner":{"x":1},"nothing":null})",
                         k_depth)
                  .ok());
  ObjectReader reader(document.root(), "");
  EXPECT_EQ(reader.required_text("id", 10), "p1");
  EXPECT_EQ(reader.integer("limit", 1, 200), 12);
  EXPECT_EQ(reader.number("ratio", 0, 1), 0.5);
  EXPECT_EQ(reader.number("whole", 0, 10), 2.0);
  EXPECT_EQ(reader.boolean("hidden"), true);
  EXPECT_THAT(reader.texts("list", 2, 10), ElementsAre("a", "b"));
  EXPECT_NE(reader.object("inner"), nullptr);
  EXPECT_EQ(reader.text("nothing", 10), std::nullopt) << "null counts as absent";
  EXPECT_EQ(reader.integer("absent", 0, 1), std::nullopt);
  EXPECT_TRUE(reader.finish().ok());
}

TEST(JsonReaderTest, NamesAnUnknownFieldAndWhatIsAllowed) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"limt":12})", k_depth).ok());
  ObjectReader reader(document.root(), "context");
  reader.integer("limit", 1, 200);
  reader.text("market", 10);
  const absl::Status status = reader.finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(message(status), "context.limt is not a field here; allowed are limit, market");
}

struct WrongCase {
  std::string json;
  std::string says;
};

class WrongFieldTest : public ::testing::TestWithParam<WrongCase> {};

TEST_P(WrongFieldTest, IsRefusedByName) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(GetParam().json, k_depth).ok());
  ObjectReader reader(document.root(), "");
  reader.required_text("id", 4);
  reader.integer("limit", 1, 200);
  reader.number("ratio", 0, 1);
  reader.boolean("hidden");
  reader.texts("list", 2, 4);
  reader.object("inner");
  const absl::Status status = reader.finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(message(status), GetParam().says);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongFieldTest,
    ::testing::Values(
        WrongCase{R"({})", "id is required"}, WrongCase{R"({"id":null})", "id is required"},
        WrongCase{R"({"id":""})", "id must not be empty"},
        WrongCase{R"({"id":7})", "id must be a text, got a number"},
        WrongCase{R"({"id":"12345"})", "id must have at most 4 bytes, got 5"},
        WrongCase{R"({"id":"p","limit":900})", "limit must be between 1 and 200, got 900"},
        WrongCase{R"({"id":"p","limit":18446744073709551615})",
                  "limit must be between 1 and 200, got 18446744073709551615"},
        WrongCase{R"({"id":"p","limit":1.5})",
                  "limit must be an integer between 1 and 200, got a fraction"},
        WrongCase{R"({"id":"p","limit":"12"})",
                  "limit must be an integer between 1 and 200, got a text"},
        WrongCase{R"({"id":"p","ratio":1.5})", "ratio must be between 0 and 1, got 1.5"},
        WrongCase{R"({"id":"p","ratio":true})", "ratio must be a number, got a boolean"},
        WrongCase{R"({"id":"p","hidden":1})", "hidden must be true or false, got a number"},
        WrongCase{R"({"id":"p","list":"a"})", "list must be an array, got a text"},
        WrongCase{R"({"id":"p","list":["a","b","c"]})", "list must have at most 2 entries, got 3"},
        WrongCase{R"({"id":"p","list":["a",1]})", "list[1] must be a text, got a number"},
        WrongCase{R"({"id":"p","inner":[]})", "inner must be an object, got an array"},
        WrongCase{R"([])", "the body must be an object, got an array"},
        WrongCase{R"("text")", "the body must be an object, got a text"}));

TEST(JsonReaderTest, KeepsTheFirstError) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"a":1,"b":2})", k_depth).ok());
  ObjectReader reader(document.root(), "");
  reader.text("a", 10);
  reader.refuse("b", "must be something else");
  EXPECT_EQ(message(reader.finish()), "a must be a text, got a number");
}

TEST(JsonDocumentTest, RefusesWhatIsNotOneJsonValue) {
  for (const std::string_view text :
       {"", " ", "{", "{}x", "[1,]", "{\"a\":01}", "nul", "'a'", "\"\xC3\x28\"", "\"\xED\xA0\x80\"",
        "\"a\nb\"", "\xEF\xBB\xBF{}", "NaN"}) {
    JsonDocument document;
    const absl::Status status = document.parse(text, k_depth);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(message(status), StartsWith("the body must be JSON, but at byte ")) << text;
  }
}

TEST(JsonDocumentTest, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  JsonDocument fits;
  EXPECT_TRUE(fits.parse(nested(32), 32).ok());
  JsonDocument deeper;
  EXPECT_THAT(message(deeper.parse(nested(33), 32)), HasSubstr("deeper than 32"));
}

}  // namespace
}  // namespace vitrine::http
