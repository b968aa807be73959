#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "server/collect/collector.h"

namespace vitrine::collect {
namespace {

using testing::HasSubstr;

constexpr TimeMs k_now_ms = 1'790'000'000'000;

std::vector<IncomingEvent> parse(std::string_view body) {
  auto batch = parse_native_batch(body, k_now_ms);
  EXPECT_TRUE(batch.ok()) << batch.status();
  return std::move(batch).value();
}

IncomingEvent parse_one(std::string_view event) {
  return parse(fmt::format("{{\"events\": [{}]}}", event)).at(0);
}

TEST(NativeBatchTest, ReadsEveryFieldOfTheApi) {
  const auto incoming = parse_one(
      R"({"event_id": "e-1", "type": "purchase", "user_id": "u1", "visitor_id": "v9",
          "session_id": "s1", "product_id": "p1", "quantity": 2, "price": "19.90",
          "currency": "EUR", "order_id": "o7", "coupon_code": null, "recommendation_id": "r1",
          "channel": "web", "market": "DE", "category": "Home", "query": "cake",
          "time": "2026-11-21T10:00:00Z", "properties": {"anything": ["else", 1]}})");
  ASSERT_FALSE(incoming.refusal.has_value()) << incoming.refusal->message;
  const Event& event = incoming.event;
  EXPECT_EQ(event.event_id, "e-1");
  EXPECT_EQ(event.type, EventType::purchase);
  EXPECT_EQ(event.user_id, "u1");
  EXPECT_EQ(event.visitor_id, "v9");
  EXPECT_EQ(event.session_id, "s1");
  EXPECT_EQ(event.product_id, "p1");
  EXPECT_EQ(event.quantity, 2);
  EXPECT_EQ(event.price, Money{1990});
  EXPECT_EQ(event.currency, "EUR");
  EXPECT_EQ(event.order_id, "o7");
  EXPECT_EQ(event.coupon_code, "");
  EXPECT_EQ(event.recommendation_id, "r1");
  EXPECT_EQ(event.channel, "web");
  EXPECT_EQ(event.market, "DE");
  EXPECT_EQ(event.category, "Home");
  EXPECT_EQ(event.query, "cake");
  EXPECT_EQ(event.time_ms, 1'795'255'200'000);
  EXPECT_EQ(event.received_ms, k_now_ms);
  EXPECT_EQ(event.properties_json, R"({"anything":["else",1]})");
}

TEST(NativeBatchTest, WhatIsLeftOutHasItsDefault) {
  const Event event = parse_one(R"({"type": "view", "visitor_id": "v1", "product_id": "p"})").event;
  EXPECT_EQ(event.time_ms, k_now_ms);
  EXPECT_EQ(event.quantity, 1);
  EXPECT_FALSE(event.price.has_value());
  EXPECT_EQ(event.properties_json, "");
}

TEST(NativeBatchTest, ThePriceMayBeANumberAndComeBeforeItsCurrency) {
  EXPECT_EQ(parse_one(R"({"type": "view", "price": 19.9})").event.price, Money{1990});
  EXPECT_EQ(parse_one(R"({"type": "view", "price": 1990, "currency": "JPY"})").event.price,
            Money{1990});
  EXPECT_EQ(parse_one(R"({"price": "0.125", "currency": "KWD", "type": "view"})").event.price,
            Money{125});
}

TEST(NativeBatchTest, TimesAreTextOrMilliseconds) {
  EXPECT_EQ(parse_one(R"({"type": "view", "time": 1790000000123})").event.time_ms,
            1'790'000'000'123);
  EXPECT_EQ(parse_one(R"({"type": "view", "time": "2026-11-21"})").event.time_ms,
            1'795'219'200'000);
}

TEST(NativeBatchTest, ABadEventIsRefusedAloneWithACodeAndAReason) {
  struct Case {
    const char* event;
    const char* code;
    const char* message;
  };
  const Case cases[] = {
      {"7", "wrong_type", "an event must be an object, got 7"},
      {R"({"visitor_id": "v"})", "missing_type", "type is required"},
      {R"({"type": null})", "missing_type", "type is required"},
      {R"({"type": "veiw"})", "unknown_type", "type must be one of view, click,"},
      {R"({"type": 3})", "wrong_type", "type must be a string, got 3"},
      {R"({"type": "view", "user_id": 17850})", "wrong_type",
       "user_id must be a string, got 17850"},
      {R"({"type": "view", "colour": "red"})", "unknown_field", "no field 'colour'"},
      {R"({"type": "view", "colour": "red"})", "unknown_field", "properties"},
      {R"({"type": "view", "price": "cheap"})", "invalid_price", "'cheap'"},
      {R"({"type": "view", "price": 1e300})", "invalid_price", "1e+300"},
      {R"({"type": "view", "price": []})", "wrong_type", "price must be a decimal"},
      {R"({"type": "view", "quantity": "2"})", "wrong_type", "quantity must be an integer"},
      {R"({"type": "view", "quantity": 1.5})", "wrong_type", "quantity must be an integer"},
      {R"({"type": "view", "time": "soon"})", "invalid_time", "'soon' is not a time"},
      {R"({"type": "view", "time": 5})", "invalid_time", "'5' is not a time"},
      {R"({"type": "view", "time": 1.5})", "wrong_type", "time must be"},
      {R"({"type": "view", "properties": [1]})", "wrong_type", "properties must be an object"},
  };
  for (const Case& each : cases) {
    const auto batch = parse(
        fmt::format(R"({{"events": [{{"type": "view"}}, {}, {{"type": "click"}}]}})", each.event));
    ASSERT_EQ(batch.size(), 3U);
    EXPECT_FALSE(batch[0].refusal.has_value());
    EXPECT_FALSE(batch[2].refusal.has_value());
    ASSERT_TRUE(batch[1].refusal.has_value()) << each.event;
    EXPECT_EQ(batch[1].refusal->code, each.code) << each.event;
    EXPECT_THAT(batch[1].refusal->message, HasSubstr(each.message)) << each.event;
    EXPECT_EQ(batch[1].raw, each.event);
  }
}

TEST(NativeBatchTest, TheRawBytesOfEachEventAreKeptAsTheyCame) {
  const std::string_view events[] = {
      R"({"type": "view", "query": "a \"quoted\" ]}, \\"})",
      R"(  {"properties": {"a": [{"b": "}"}, [], 1]}, "type":"view"})",
      "\"text\"",
      "-1.5e3",
      "null",
      "[1, [2]]",
      "{}"};
  std::string body = "\n{ \"events\" : [ ";
  for (std::size_t i = 0; i < std::size(events); ++i) {
    body.append(i == 0 ? "" : " ,\t").append(events[i]);
  }
  body += " ] }\n";
  const auto batch = parse(body);
  ASSERT_EQ(batch.size(), std::size(events));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    std::string_view expected = events[i];
    expected.remove_prefix(std::min(expected.find_first_not_of(' '), expected.size()));
    EXPECT_EQ(batch[i].raw, expected);
  }
}

TEST(NativeBatchTest, WhatIsNotABatchIsRefusedAsAWhole) {
  const std::string deep(40, '[');
  const std::string bodies[] = {"",
                                "nonsense",
                                "[]",
                                "{}",
                                R"({"events": {}})",
                                R"({"events": null})",
                                R"({"events": [{"type": "view"})",
                                R"({"events": [], "sent": 1})",
                                R"({"events": [1], "events": [2, 3], "\u0065vents": [4]})",
                                R"({"events": []} trailing)",
                                fmt::format(R"({{"events": [{}]}})", deep)};
  for (const std::string& body : bodies) {
    const auto batch = parse_native_batch(body, k_now_ms);
    EXPECT_EQ(batch.status().code(), absl::StatusCode::kInvalidArgument) << body;
    EXPECT_THAT(std::string(message_of(batch.status())), HasSubstr("{\"events\": [...]}")) << body;
  }
  EXPECT_TRUE(parse(R"({"events": []})").empty());
}

TEST(NativeBatchTest, BrokenUtf8IsTheEventsOwnProblem) {
  auto batch = parse(
      "{\"events\": [{\"type\": \"search\", \"visitor_id\": \"v\", \"query\": \"\xff\"},"
      "{\"type\": \"search\", \"visitor_id\": \"v\", \"query\": \"ok\"}]}");
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(validate(batch[0].event, {}, k_now_ms, false)->code, "invalid_utf8");
  EXPECT_FALSE(validate(batch[1].event, {}, k_now_ms, false).has_value());
}

TEST(TokenTest, GoesThereAndBackAndRefusesAnythingElse) {
  EXPECT_EQ(position_of(token_of(48'213)).value(), 48'213U);
  for (const char* token : {"", "-1", "12x", " 1", "99999999999999999999"}) {
    EXPECT_EQ(position_of(token).status().code(), absl::StatusCode::kInvalidArgument) << token;
  }
}

}  // namespace
}  // namespace vitrine::collect
