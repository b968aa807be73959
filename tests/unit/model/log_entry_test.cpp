#include "model/log_entry.h"

#include <gtest/gtest.h>

namespace vitrine {
namespace {

LogEntry full_entry() {
  Event event;
  event.event_id = "e-1";
  event.type = EventType::purchase;
  event.time_ms = 1'322'411'220'000;
  event.received_ms = 1'322'411'221'000;
  event.session_id = "s1";
  event.order_id = "o7";
  event.product_id = "85123A";
  event.quantity = 0;
  event.price = Money{0};
  event.currency = "GBP";
  event.channel = "web";
  event.market = "GB";
  event.properties_json = R"({"a":1})";
  event.time_clamped = true;
  LogEntry entry;
  entry.position = 42;
  entry.user = UserNumber(7);
  entry.visitor = UserNumber(9);
  entry.committed_ms = 5;
  entry.source = "shop";
  entry.what = event;
  return entry;
}

TEST(LogEntryTest, AnEventComesBackAsItWas) {
  const LogEntry entry = full_entry();
  const auto back = decode_log_entry(42, encode(entry));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->position, 42U);
  EXPECT_EQ(back->user, UserNumber(7));
  EXPECT_EQ(back->visitor, UserNumber(9));
  EXPECT_EQ(back->source, "shop");
  ASSERT_NE(back->event(), nullptr);
  EXPECT_EQ(back->event()->type, EventType::purchase);
  EXPECT_EQ(back->event()->quantity, 0);
  EXPECT_EQ(back->event()->price, Money{0});
  EXPECT_EQ(back->event()->properties_json, R"({"a":1})");
  EXPECT_TRUE(back->event()->time_clamped);
  EXPECT_EQ(encode(*back), encode(entry));
}

TEST(LogEntryTest, NoPriceIsNotAPriceOfZero) {
  LogEntry entry = full_entry();
  std::get<Event>(entry.what).price.reset();
  EXPECT_EQ(decode_log_entry(1, encode(entry))->event()->price, std::nullopt);
}

TEST(LogEntryTest, NeverHoldsTheIdsOfPeople) {
  LogEntry entry = full_entry();
  std::get<Event>(entry.what).user_id = "alice@example.com";
  std::get<Event>(entry.what).visitor_id = "visitor-of-alice";
  EXPECT_EQ(encode(entry).find("alice"), std::string::npos);
}

TEST(LogEntryTest, ALinkComesBackAsItWas) {
  LogEntry entry;
  entry.what = VisitorLink{UserNumber(3), UserNumber(3), UserNumber(8)};
  const auto back = decode_log_entry(1, encode(entry));
  ASSERT_TRUE(back.ok() && back->link() != nullptr);
  EXPECT_EQ(back->link()->to_user, UserNumber(8));
}

TEST(LogEntryTest, BytesThatAreNoEntryAreDataLossNamingThePosition) {
  const std::string bytes = encode(full_entry());
  for (const std::string& broken :
       {std::string(), std::string("\xff\xff"), bytes.substr(0, bytes.size() / 2)}) {
    const auto entry = decode_log_entry(77, broken);
    EXPECT_EQ(entry.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_NE(std::string(entry.status().message()).find("77"), std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine
