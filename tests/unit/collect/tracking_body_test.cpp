#include <gmock/gmock.h>

#include "base/random.h"
#include "tests/unit/collect/tracked.h"

namespace vitrine::collect {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using TrackingBodyTest = TrackingTest;

TEST_F(TrackingBodyTest, WhatIsNoJsonObjectIsAnError) {
  for (const char* body : {"", "[]", "{", "text", "1", R"({"a": 1} x)"}) {
    EXPECT_EQ(TrackingBody::parse(body).status().code(), absl::StatusCode::kInvalidArgument)
        << body;
  }
  for (const char* body : {"{}", R"({"batch": {}})", R"({"batch": null})"}) {
    auto parsed = TrackingBody::parse(body);
    ASSERT_TRUE(parsed.ok()) << body;
    EXPECT_EQ((*parsed)->events(std::nullopt, arrival_, options_).status().code(),
              absl::StatusCode::kInvalidArgument)
        << body;
    EXPECT_FALSE((*parsed)->ga4_events(arrival_, options_).ok()) << body;
  }
}

TEST_F(TrackingBodyTest, FindsTheKeyInTheBody) {
  EXPECT_EQ((*TrackingBody::parse(R"({"writeKey": "k", "batch": []})"))->write_key(), "k");
  EXPECT_EQ((*TrackingBody::parse(R"({"batch": []})"))->write_key(), "");
}

TEST_F(TrackingBodyTest, ABadMessageIsRefusedAlone) {
  const TrackedBatch read = batch(R"({"batch": [
      7, {"type": "dance", "userId": "u"}, {"userId": "u"},
      {"type": "track", "event": "Product Viewed", "userId": "u", "properties": {"product_id": 1}}]})");
  ASSERT_EQ(read.events.size(), 4U);
  EXPECT_EQ(read.messages, 4U);
  EXPECT_THAT(read.message_of, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(read.events[0].refusal->code, "wrong_type");
  EXPECT_EQ(read.events[0].raw, "7");
  EXPECT_EQ(read.events[1].refusal->message,
            "type must be one of track, identify, page, screen, group, alias, got \"dance\"");
  EXPECT_EQ(read.events[2].refusal->code, "unknown_type");
  EXPECT_FALSE(read.events[3].refusal.has_value());
  EXPECT_EQ(read.events[3].event.user_id, "u");
}

TEST_F(TrackingBodyTest, AMessageOverItsLimitIsRefusedAlone) {
  const auto large = [](std::size_t bytes) {
    const std::string begin = R"({"type": "page", "userId": "u", "x": ")";
    return begin + std::string(bytes - begin.size() - 2, 'x') + "\"}";
  };
  const std::size_t allowed = TrackingOptions().message_bytes_max;
  const TrackedBatch read =
      batch(fmt::format(R"({{"batch": [{}, {}]}})", large(allowed), large(allowed + 1)));
  ASSERT_EQ(read.events.size(), 2U);
  EXPECT_FALSE(read.events[0].refusal.has_value());
  EXPECT_EQ(read.events[1].refusal->message, "a message must have at most 32768 bytes, got 32769");
}

TEST_F(TrackingBodyTest, ACallMakesAtMostSoManyEvents) {
  const std::string two = R"({"client_id": "c", "events": [{"name": "login"}, {"name": "login"}],
                              "batch": [{"type": "page"}, {"type": "page"}]})";
  for (const std::size_t allowed : {2U, 1U}) {
    options_.events_max = allowed;
    auto parsed = TrackingBody::parse(two);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ((*parsed)->events(std::nullopt, arrival_, options_).ok(), allowed == 2);
    EXPECT_EQ((*parsed)->ga4_events(arrival_, options_).ok(), allowed == 2);
  }
}

TEST_F(TrackingBodyTest, WhatIsSharedByAllMessagesIsNoLargerThanOne) {
  options_.message_bytes_max = 20;
  for (const bool fits : {true, false}) {
    auto parsed = TrackingBody::parse(
        fmt::format(R"({{"batch": [], "context": {{"locale": "{}"}}}})", fits ? "de" : "de-DE-xx"));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ((*parsed)->events(std::nullopt, arrival_, options_).ok(), fits);
  }
}

TEST_F(TrackingBodyTest, TheClockOfTheSenderIsCorrectedByWhenItSent) {
  const auto time_of = [&](std::string_view batch_fields, std::string_view fields) {
    return batch(fmt::format(R"({{{} "batch": [{{"type": "page", "userId": "u" {}}}]}})",
                             batch_fields, fields))
               .events.at(0)
               .event.time_ms -
           k_received_ms;
  };
  // A clock that is a year behind: the event was 90 seconds before it was sent.
  constexpr std::string_view k_sent = R"("sentAt": "2025-01-01T00:01:30.000Z",)";
  EXPECT_EQ(time_of(k_sent, R"(, "timestamp": "2025-01-01T00:00:00.000Z")"), -90'000);
  EXPECT_EQ(time_of(k_sent, R"(, "timestamp": "2020-01-01T00:00:00Z",
                                 "originalTimestamp": "2025-01-01T00:01:00Z")"),
            -30'000)
      << "originalTimestamp counts";
  EXPECT_EQ(time_of(k_sent, R"(, "timestamp": "2025-01-01T00:00:00Z",
                                 "sentAt": "2025-01-01T00:00:01Z")"),
            -1'000)
      << "the message's own sentAt counts";
  EXPECT_EQ(time_of("", fmt::format(R"(, "timestamp": "{}")", format_time(k_received_ms - 5'000))),
            -5'000);
  EXPECT_EQ(time_of("", fmt::format(R"(, "timestamp": {})", k_received_ms - 5'000)), -5'000);
  EXPECT_EQ(time_of("", ""), 0);
  EXPECT_EQ(time_of(k_sent, R"(, "timestamp": "yesterday")"), 0);
}

TEST_F(TrackingBodyTest, AnImportKeepsTheTimesThatWereSet) {
  arrival_.is_import = true;
  const TrackedBatch read = batch(R"({"sentAt": "2026-01-01T00:00:00Z", "batch": [
      {"type": "page", "userId": "u", "timestamp": "2020-01-01T00:00:00Z"}]})");
  EXPECT_EQ(format_time(read.events.at(0).event.time_ms), "2020-01-01T00:00:00Z");
}

TEST_F(TrackingBodyTest, TheBatchsContextIsUnderEachMessagesOwn) {
  const TrackedBatch read = batch(R"({"context": {"locale": "de", "library": {"name": "x"}},
      "batch": [{"type": "page", "userId": "u",
                 "context": {"locale": "en", "ip": "10.1.2.3", "traits": {"email": "a@b"},
                             "campaign": {"source": "mail"}}}]})");
  EXPECT_EQ(properties(read.events.at(0).event),
            boost::json::parse(R"({"context": {"locale": "en", "library": {"name": "x"},
                                               "campaign": {"source": "mail"}}})"))
      << "without the address and the traits of the person";
}

TEST_F(TrackingBodyTest, WhatIsUnknownIsKeptAndWhatIsForOthersIsNot) {
  const Event event = one(message(R"("type": "page", "integrations": {"All": true},
      "_metadata": {"bundled": []}, "writeKey": "k", "version": 1, "rudderId": "ru",
      "name": "Home", "properties": {"path": "/"})"));
  EXPECT_EQ(event.type, EventType::page);
  EXPECT_EQ(properties(event),
            boost::json::parse(R"({"path": "/", "name": "Home", "rudderId": "ru"})"));
}

TEST_F(TrackingBodyTest, OneMessageIsOfTheKindThatItsRouteNames) {
  auto parsed = TrackingBody::parse(
      R"({"event": "Product Viewed", "anonymousId": "v", "userId": null, "writeKey": "k",
          "properties": {"product_id": "p"}})");
  ASSERT_TRUE(parsed.ok());
  const auto read = (*parsed)->events(MessageKind::track, arrival_, options_);
  ASSERT_TRUE(read.ok());
  const Event event = one(read->events);
  EXPECT_EQ(event.type, EventType::view);
  EXPECT_EQ(event.user_id, "");
  EXPECT_EQ(event.visitor_id, "v");
  EXPECT_THAT(read->events[0].raw, ::testing::Not(HasSubstr("writeKey")))
      << "what may land in quarantine has no key";
}

TEST_F(TrackingBodyTest, PeopleAreDescribedByIdentifyGroupAndAlias) {
  const Event identify = one(message(R"("type": "identify", "userId": 97,
      "traits": {"plan": "gold", "age": 3}, "context": {"locale": "de"})"));
  EXPECT_EQ(identify.type, EventType::identify);
  EXPECT_EQ(identify.user_id, "97");
  EXPECT_EQ(identify.visitor_id, "v");
  EXPECT_EQ(properties(identify), boost::json::parse(R"({"traits": {"plan": "gold", "age": 3},
                                                         "context": {"locale": "de"}})"));
  EXPECT_EQ(properties(one(message(R"("type": "identify", "userId": "u",
                                      "context": {"traits": {"plan": "gold"}})"))),
            boost::json::parse(R"({"traits": {"plan": "gold"}})"))
      << "as RudderStack's browser client sends them";
  const Event group = one(message(R"("type": "group", "groupId": "g", "traits": {"size": 3})"));
  EXPECT_EQ(group.type, EventType::group);
  EXPECT_EQ(properties(group), boost::json::parse(R"({"group_id": "g", "traits": {"size": 3}})"));
  const Event alias = one(message(R"("type": "alias", "userId": "u", "previousId": "old")"));
  EXPECT_EQ(alias.type, EventType::alias);
  EXPECT_EQ(properties(alias), boost::json::parse(R"({"previous_id": "old"})"));
}

TEST_F(TrackingBodyTest, OneBadTextDoesNotSpoilItsNeighbours) {
  const TrackedBatch read = batch(
      "{\"batch\": [{\"type\": \"page\", \"userId\": \"\xFF\"}, {\"type\": \"page\", \"userId\": "
      "\"u\"}]}");
  ASSERT_EQ(read.events.size(), 2U);
  Event first = read.events[0].event;
  EXPECT_EQ(validate(first, EventLimits(), k_received_ms, false)->code, "invalid_utf8");
}

TEST_F(TrackingBodyTest, Ga4NamesTheVisitorAndItsItems) {
  const TrackedBatch read = ga4(R"({"client_id": "c.1", "user_id": "u",
      "timestamp_micros": "1789999999000000", "events": [
        {"name": "add_to_cart", "params": {"currency": "EUR", "value": 7, "items": [
            {"item_id": "p1", "price": 3.5, "quantity": 2, "item_list_id": "deals"}]}},
        {"name": "purchase", "params": {"transaction_id": "o", "value": 7, "tax": 1, "currency": "EUR",
            "items": [{"item_id": "p1"}, {"item_id": "p2"}]}},
        {"name": "level_up", "params": {}}, {}]})");
  ASSERT_EQ(read.events.size(), 5U);
  EXPECT_EQ(read.messages, 4U);
  EXPECT_THAT(read.message_of, ElementsAre(0, 1, 1, 2, 3));
  const Event& added = read.events[0].event;
  EXPECT_EQ(added.type, EventType::cart_add);
  EXPECT_EQ(added.visitor_id, "c.1");
  EXPECT_EQ(added.user_id, "u");
  EXPECT_EQ(added.product_id, "p1");
  EXPECT_EQ(added.price, Money{350});
  EXPECT_EQ(added.quantity, 2);
  EXPECT_EQ(added.time_ms, 1'789'999'999'000);
  const Event& bought = read.events[1].event;
  EXPECT_EQ(bought.order_id, "o");
  EXPECT_EQ(properties(bought).at("order").at("net_rule"), "value");
  EXPECT_EQ(read.events[3].refusal->code, "unknown_type");
  EXPECT_EQ(read.events[4].refusal->code, "missing_event");
}

TEST_F(TrackingBodyTest, Ga4EventsSentAgainHaveTheSameIds) {
  const std::string timed = R"({"client_id": "c", "timestamp_micros": 1789999999000000, "events": [
      {"name": "view_item", "params": {"items": [{"item_id": "p"}]}}]})";
  const std::string id = ga4(timed).events.at(0).event.event_id;
  EXPECT_THAT(id, StartsWith("ga4-"));
  EXPECT_EQ(ga4(timed).events.at(0).event.event_id, id);
  const std::string untimed =
      R"({"client_id": "c", "events": [{"name": "view_item", "params": {"items": [{"item_id": "p"}]}},
          {"name": "purchase", "params": {"transaction_id": "o", "items": [{"item_id": "p"}]}}]})";
  EXPECT_EQ(ga4(untimed).events.at(0).event.event_id, "") << "nothing tells it from another one";
  EXPECT_EQ(ga4(untimed).events.at(1).event.event_id, ga4(untimed).events.at(1).event.event_id);
  EXPECT_NE(ga4(untimed).events.at(1).event.event_id, "");
}

TEST_F(TrackingBodyTest, Ga4PropertiesOfTheUserAreTraits) {
  const TrackedBatch read =
      ga4(R"({"client_id": "c", "user_properties": {"tier": {"value": "gold"}}, "events": []})");
  const Event event = one(read.events);
  EXPECT_EQ(event.type, EventType::identify);
  EXPECT_EQ(properties(event), boost::json::parse(R"({"traits": {"tier": "gold"}})"));
}

// Whatever bytes come: refusals, never a crash, and every event knows its message.
TEST_F(TrackingBodyTest, DamagedBodiesAreReadOrRefused) {
  const std::string whole = R"({"writeKey":"k","sentAt":"2026-11-21T10:00:00Z","context":{"ip":"1"},
      "batch":[{"type":"track","event":"Order Completed","userId":"u","messageId":"m","timestamp":1,
        "properties":{"order_id":"o","total":"9.90","products":[{"product_id":1,"price":1.5},{}]}},
        {"type":"identify","traits":{"a":[1,{"b":null}]}}],
      "client_id":"c","events":[{"name":"purchase","params":{"items":[{"item_id":"p"}]}}]})";
  Random random(7);
  std::size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string body = whole;
    for (std::uint64_t change = random.below(4) + 1; change > 0; --change) {
      const std::size_t at = random.below(body.size());
      if (random.below(2) == 0) {
        body[at] = R"({}[]",:0e.tn\ux)"[random.below(16)];
      } else {
        body.erase(at, random.below(8));
      }
    }
    const auto parsed = TrackingBody::parse(body);
    if (!parsed.ok()) continue;
    for (const bool is_ga4 : {false, true}) {
      const auto batch = is_ga4 ? (*parsed)->ga4_events(arrival_, options_)
                                : (*parsed)->events(std::nullopt, arrival_, options_);
      if (!batch.ok()) continue;
      ++read;
      ASSERT_EQ(batch->events.size(), batch->message_of.size()) << body;
      for (const std::size_t message : batch->message_of) ASSERT_LT(message, batch->messages);
    }
  }
  EXPECT_GT(read, 1000U);
}

}  // namespace
}  // namespace vitrine::collect
