#include "server/http/request.h"

#include <gmock/gmock.h>

#include "base/status.h"
#include "server/http/query_reader.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(HeadersTest, AreFoundWithoutCase) {
  Headers headers;
  headers.add("Host", "localhost");
  headers.add("X-Empty", "");
  headers.add("HOST", "other");
  EXPECT_EQ(headers.find("host"), "localhost") << "the first one";
  EXPECT_EQ(headers.find("x-empty"), "");
  EXPECT_EQ(headers.find("X-Absent"), std::nullopt);
  EXPECT_EQ(headers.count("hOsT"), 2U);
}

TEST(PercentDecodeTest, DecodesAndRefusesBrokenEscapes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc+d", false).value(), "a b/c+d");
  EXPECT_EQ(percent_decode("a+b%2B", true).value(), "a b+");
  EXPECT_EQ(percent_decode("%C3%A9", false).value(), "é");
  for (const std::string_view broken : {"%", "%2", "a%zz", "%00", "%-1", "100%"}) {
    EXPECT_FALSE(percent_decode(broken, false).ok()) << broken;
  }
}

TEST(ParseQueryTest, KeepsOrderAndDecodesBothSides) {
  const auto parsed = parse_query("a=1&b%20c=x+y&&flag&e=");
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(*parsed,
              ElementsAre(Pair("a", "1"), Pair("b c", "x y"), Pair("flag", ""), Pair("e", "")));
  EXPECT_TRUE(parse_query("")->empty());
  EXPECT_FALSE(parse_query("a=%").ok());
}

TEST(QueryReaderTest, ReadsWhatIsAskedForAndRefusesTheRest) {
  const Parameters parameters = {
      {"limit", "5"}, {"explain", "true"}, {"cart", "p1,p2,"}, {"key", "vk"}, {"user_id", ""}};
  QueryReader query(parameters);
  EXPECT_EQ(query.integer("limit", 1, 200), 5);
  EXPECT_EQ(query.boolean("explain"), true);
  EXPECT_THAT(query.texts("cart", 5, 10), ElementsAre("p1", "p2"));
  EXPECT_EQ(query.text("user_id", 10), std::nullopt) << "empty counts as absent";
  EXPECT_TRUE(query.finish().ok());

  const Parameters misspelt = {{"limt", "5"}};
  QueryReader strict(misspelt);
  strict.integer("limit", 1, 200);
  EXPECT_THAT(std::string(message_of(strict.finish())),
              HasSubstr("limt is not a parameter here; allowed are limit, key"));

  const Parameters twice = {{"limit", "5"}, {"limit", "6"}};
  QueryReader once(twice);
  once.integer("limit", 1, 200);
  EXPECT_THAT(std::string(message_of(once.finish())), HasSubstr("must be given once"));
}

TEST(QueryReaderTest, RefusesWrongValuesByName) {
  for (const std::string_view wrong : {"0", "201", "x", "5x", "1.5", "99999999999999999999"}) {
    const Parameters parameters = {{"limit", std::string(wrong)}};
    QueryReader query(parameters);
    EXPECT_EQ(query.integer("limit", 1, 200), std::nullopt);
    EXPECT_THAT(std::string(message_of(query.finish())),
                HasSubstr("limit must be an integer between 1 and 200"))
        << wrong;
  }
  const Parameters parameters = {{"explain", "yes"}};
  QueryReader query(parameters);
  EXPECT_EQ(query.boolean("explain"), std::nullopt);
  EXPECT_FALSE(query.finish().ok());
}

TEST(ErrorResponseTest, HasOneFormForEveryFailure) {
  const Response response = error_response(field_error("limit", "limit must be at least 1"), "01J");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            R"({"error":{"code":"invalid_argument","message":"limit must be at least 1",)"
            R"("field":"limit","request_id":"01J"}})");
}

TEST(ErrorResponseTest, MapsEveryCodeAsTheTableSays) {
  using absl::StatusCode;
  const std::pair<StatusCode, std::pair<int, std::string_view>> table[] = {
      {StatusCode::kInvalidArgument, {400, "invalid_argument"}},
      {StatusCode::kOutOfRange, {400, "invalid_argument"}},
      {StatusCode::kUnauthenticated, {401, "unauthenticated"}},
      {StatusCode::kPermissionDenied, {403, "permission_denied"}},
      {StatusCode::kNotFound, {404, "not_found"}},
      {StatusCode::kAborted, {409, "conflict"}},
      {StatusCode::kAlreadyExists, {409, "conflict"}},
      {StatusCode::kFailedPrecondition, {422, "refused"}},
      {StatusCode::kResourceExhausted, {429, "overloaded"}},
      {StatusCode::kUnavailable, {503, "unavailable"}},
      {StatusCode::kDataLoss, {500, "internal"}},
      {StatusCode::kInternal, {500, "internal"}},
      {StatusCode::kUnknown, {500, "internal"}},
  };
  for (const auto& [code, expected] : table) {
    EXPECT_EQ(kind_of(code).http_status, expected.first);
    EXPECT_EQ(kind_of(code).code, expected.second);
  }
}

TEST(ErrorResponseTest, SaysWhenToTryAgainOnlyWhereThatHelps) {
  using ::testing::Contains;
  EXPECT_THAT(error_response(overloaded("full"), "01J").headers,
              Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(error_response(unavailable("stopping"), "01J").headers,
              Contains(Pair("Retry-After", "1")));
  EXPECT_TRUE(error_response(not_found("gone"), "01J").headers.empty());
}

TEST(ErrorResponseTest, KeepsInternalMessagesInside) {
  const Response response = error_response(data_loss("/var/lib/vitrine/store is broken"), "01J");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("/var/lib")));
  EXPECT_THAT(response.body, HasSubstr("01J"));
}

}  // namespace
}  // namespace vitrine::http
