#include "model/event.h"

#include <gtest/gtest.h>

#include <limits>

namespace vitrine {
namespace {

constexpr TimeMs k_now = 1'800'000'000'000;

Event view() {
  Event event;
  event.event_id = "e1";
  event.user_id = "u1";
  event.product_id = "p1";
  event.time_ms = k_now;
  return event;
}

std::string refusal_code(Event event) {
  const auto refusal = validate(event, EventLimits{}, k_now, false);
  return refusal ? refusal->code : "accepted";
}

TEST(EventTypeTest, EveryTypeHasANameThatLeadsBackToIt) {
  EXPECT_EQ(all_event_types().size(), k_event_type_count - 1);
  for (const EventType type : all_event_types()) EXPECT_EQ(event_type_of(name_of(type)), type);
  EXPECT_EQ(event_type_of("return"), EventType::refund);
  EXPECT_EQ(event_type_of("add_to_cart"), std::nullopt);
  EXPECT_EQ(event_type_of(""), std::nullopt);
}

TEST(EventTypeTest, ABoughtProductWeighsMostAndARefundNothing) {
  EXPECT_EQ(default_weight(EventType::purchase), 8);
  EXPECT_EQ(default_weight(EventType::view), 1);
  EXPECT_EQ(default_weight(EventType::refund), 0);
}

TEST(ValidateEventTest, AnyOneIdWillDo) {
  Event event = view();
  event.user_id.clear();
  EXPECT_EQ(refusal_code(event), "missing_id");
  for (std::string Event::* id :
       {&Event::user_id, &Event::visitor_id, &Event::session_id, &Event::order_id}) {
    Event with = event;
    with.*id = "x";
    EXPECT_EQ(refusal_code(with), "accepted");
  }
}

TEST(ValidateEventTest, RefusesByFieldWithAReason) {
  const auto changed = [](auto change) {
    Event event = view();
    change(event);
    return refusal_code(event);
  };
  EXPECT_EQ(changed([](Event& e) { e.product_id.clear(); }), "missing_product");
  EXPECT_EQ(changed([](Event& e) { e.product_id = std::string(257, 'x'); }), "too_long");
  EXPECT_EQ(changed([](Event& e) { e.product_id = std::string(256, 'x'); }), "accepted");
  EXPECT_EQ(changed([](Event& e) { e.channel = std::string(1025, 'x'); }), "too_long");
  EXPECT_EQ(changed([](Event& e) { e.user_id = "\xff"; }), "invalid_utf8");
  EXPECT_EQ(changed([](Event& e) { e.quantity = -1; }), "out_of_range");
  EXPECT_EQ(changed([](Event& e) { e.quantity = std::numeric_limits<std::int64_t>::max(); }),
            "out_of_range");
  EXPECT_EQ(changed([](Event& e) { e.price = Money{-1}; }), "out_of_range");
  EXPECT_EQ(changed([](Event& e) { e.currency = "euro"; }), "invalid_currency");
  EXPECT_EQ(changed([](Event& e) { e.type = EventType::search, e.product_id.clear(); }),
            "accepted");
}

TEST(ValidateEventTest, ClampsALiveClockAndMarksItButLeavesAnImportAlone) {
  Event old = view();
  old.time_ms = k_now - 400 * k_day_ms;
  Event imported = old;
  EXPECT_FALSE(validate(old, EventLimits{}, k_now, false));
  EXPECT_EQ(old.time_ms, k_now - 30 * k_day_ms);
  EXPECT_TRUE(old.time_clamped);

  EXPECT_FALSE(validate(imported, EventLimits{}, k_now, true));
  EXPECT_EQ(imported.time_ms, k_now - 400 * k_day_ms);
  EXPECT_FALSE(imported.time_clamped);

  Event early = view();
  early.time_ms = k_now + k_day_ms;
  EXPECT_FALSE(validate(early, EventLimits{}, k_now, false));
  EXPECT_EQ(early.time_ms, k_now + 5 * k_minute_ms);
}

TEST(Utf8Test, FollowsTheTableOfWellFormedBytes) {
  for (const char* text :
       {"", "abc", "满减", "😀", "\xC2\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << text;
  }
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE4\xB8", "a\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

}  // namespace
}  // namespace vitrine
