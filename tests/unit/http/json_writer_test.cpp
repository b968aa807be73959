#include "server/http/json_writer.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <limits>

#include "base/random.h"

namespace vitrine::http {
namespace {

std::string text(std::string_view content) {
  std::string out;
  append_json_text(out, content);
  return out;
}

TEST(JsonWriterTest, PutsCommasBetweenFieldsAndEntries) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("a", 1).key("b").begin_array();
  json.value("x").begin_object().end_object().null().begin_array().end_array().end_array();
  json.field("c", true).field("d", std::optional<std::string>()).key("e").raw("[1]").end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",{},null,[]],"c":true,"d":null,"e":[1]})");
}

TEST(JsonWriterTest, WritesNumbersInTheirShortestForm) {
  std::string out;
  JsonWriter json(out);
  json.begin_array().value(0.83F).value(0.1).value(-7).value(std::uint64_t{18446744073709551615U});
  json.value(std::numeric_limits<std::int64_t>::min()).value(1e300);
  json.value(std::numeric_limits<float>::infinity());
  json.value(std::numeric_limits<double>::quiet_NaN()).end_array();
  EXPECT_EQ(out, "[0.83,0.1,-7,18446744073709551615,-9223372036854775808,1e+300,null,null]");
}

TEST(JsonWriterTest, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(text("a\"b\\c\n\r\t\x01\x1F/"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f/\"");
  EXPECT_EQ(text(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
}

TEST(JsonWriterTest, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(text("é 商品 😀 \x7F"), "\"é 商品 😀 \x7F\"");
  EXPECT_EQ(text("a\xC3"), "\"a\xEF\xBF\xBD\"") << "cut off";
  EXPECT_EQ(text("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"") << "overlong";
  EXPECT_EQ(text("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "a surrogate";
  EXPECT_EQ(text("\xF4\x90\x80\x80x"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"")
      << "past U+10FFFF";
}

// Whatever bytes go in, a strict parser reads what comes out, and valid text comes back unchanged.
TEST(JsonWriterTest, AlwaysWritesWhatAStrictParserReads) {
  Random random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random.below(12), '\0');
    for (char& byte : bytes) {
      // Mostly from the bytes that begin and continue sequences.
      byte = static_cast<char>(random.below(2) == 0 ? 0x80 + random.below(128) : random.below(256));
    }
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(text(bytes), error);
    ASSERT_FALSE(error) << text(bytes);
    const bool was_valid = text(bytes).find("\xEF\xBF\xBD") == std::string::npos;
    if (was_valid) {
      EXPECT_EQ(std::string_view(parsed.get_string()), bytes);
    }
  }
}

}  // namespace
}  // namespace vitrine::http
