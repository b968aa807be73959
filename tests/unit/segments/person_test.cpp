// What expressions find out about a person whose history came in as events.
#include "server/segments/person.h"

#include <gmock/gmock.h>

#include "base/status.h"
#include "server/profiles/profile_book.h"
#include "server/segments/segment_programs.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::segments {
namespace {

using profiles::k_now_ms;

class NobodyIn final : public FixedMembers {
 public:
  bool has(std::string_view, UserNumber) const override { return false; }
};

class PersonTest : public testing::Test {
 protected:
  PersonTest() {
    const auto product = [](std::string id, std::string brand, std::string category) {
      Product made;
      made.product_id = std::move(id);
      made.brand = std::move(brand);
      made.categories = {std::move(category)};
      return made;
    };
    catalog_ = catalog::Catalog::in_memory(
        {product("boot", "alpha", "Shoes > Boots"), product("bag", "beta", "Bags")}, numbers_);
    around_.catalog = catalog_->current();
  }

  void happens(EventType type, std::string product, TimeMs days_ago, std::string order = {},
               std::int64_t cents = 0, std::int64_t quantity = 1) {
    LogEntry entry = entries_.event(1, type, std::move(product), k_now_ms - days_ago * k_day_ms,
                                    std::move(order), "", quantity);
    auto& event = std::get<Event>(entry.what);
    if (cents > 0) {
      event.price = Money{cents};
      event.currency = "EUR";
    }
    book_.apply(entry);
  }
  void is_told(std::string traits) {
    LogEntry entry = entries_.event(1, EventType::identify, "", k_now_ms);
    std::get<Event>(entry.what).properties_json = R"({"traits":)" + traits + "}";
    book_.apply(entry);
  }
  bool holds(std::string_view expression, bool is_visitor = false) {
    const auto program = compile_for_people(expression);
    EXPECT_TRUE(program.ok()) << expression << ": " << program.status();
    const auto profile = book_.find(UserNumber(1));
    return program->holds(PersonSubject(UserNumber(1), is_visitor, *profile, now_ms_, around_),
                          now_ms_);
  }
  TimeMs days_until_change(std::string_view expression) {
    const auto program = compile_for_people(expression);
    const auto profile = book_.find(UserNumber(1));
    TimeMs changes_ms = expressions::k_never_ms;
    program->holds(PersonSubject(UserNumber(1), false, *profile, now_ms_, around_), now_ms_,
                   changes_ms);
    return changes_ms == expressions::k_never_ms ? -1 : (changes_ms - now_ms_) / k_day_ms;
  }

  TimeMs now_ms_ = k_now_ms;
  profiles::Entries entries_;
  catalog::ProductNumbers numbers_;
  std::unique_ptr<catalog::Catalog> catalog_;
  profiles::ProfileBook book_{numbers_};
  Surroundings around_;
};

TEST_F(PersonTest, OrdersAndMoneyAreLessWhatCameBack) {
  happens(EventType::purchase, "boot", 100, "o-1", 8000, 2);
  happens(EventType::purchase, "bag", 100, "o-1", 4000);
  happens(EventType::purchase, "bag", 10, "o-2", 4000);
  happens(EventType::refund, "boot", 5, "o-1");
  EXPECT_TRUE(holds("user.orders_count == 2 && user.net_spend == 160 && user.average_order == 80"));
  EXPECT_TRUE(holds("user.currency == \"EUR\" && days_since(user.last_order_at) == 10"));
  EXPECT_TRUE(holds("sum(\"purchase\", \"90d\") == 40 && count(\"purchase\", \"90d\") == 1"));
  EXPECT_TRUE(holds("user.products_bought == 2 && days_since(user.first_order_at) == 100"));

  happens(EventType::cancel, "", 1, "o-2");
  EXPECT_TRUE(holds("user.orders_count == 1 && user.net_spend == 120"));
  EXPECT_TRUE(holds("count(\"cancel\", \"7d\") == 1"));
}

TEST_F(PersonTest, WhoBoughtNothingHasNoOrdersAndNoMoney) {
  happens(EventType::view, "boot", 1);
  EXPECT_TRUE(holds("user.orders_count == 0 && user.net_spend == 0 && !has(user.last_order_at)"));
  EXPECT_TRUE(holds("!has(user.average_order) && !has(user.currency) && !has(user.rfm.recency)"));
  EXPECT_TRUE(holds("user.stage == \"prospect\" && user.rfm.group == \"prospects\""));
}

TEST_F(PersonTest, TasteAndViewsGoByCategoryAndBrand) {
  happens(EventType::view, "boot", 3);
  happens(EventType::view, "boot", 2);
  happens(EventType::view, "bag", 1);
  EXPECT_TRUE(holds("\"Shoes\" in user.top_categories && user.last_brand == \"beta\""));
  EXPECT_TRUE(holds("count_in(\"view\", \"Shoes\", \"7d\") == 2"));
  EXPECT_TRUE(holds("count_in(\"view\", \"Shoes > Boots\", \"49h\") == 1"));
  EXPECT_TRUE(holds("count(\"view\", \"7d\") == 3 && count_in(\"view\", \"Hats\", \"7d\") == 0"));
  EXPECT_EQ(person_schema().field(*person_schema().find("user.top_brands")).type,
            expressions::Type::texts);
  EXPECT_TRUE(holds("sets.contains(user.top_brands, [\"alpha\", \"beta\"])"));
}

TEST_F(PersonTest, WhatTheShopSaysIsAskedAsText) {
  is_told(R"({"country":"DE","age":42,"vip":true,"left":null})");
  EXPECT_TRUE(holds("user.country in [\"DE\", \"AT\"] && double(user.traits.age) > 40"));
  EXPECT_TRUE(holds("user.traits.vip == \"true\" && !has(user.traits.left)"));
  EXPECT_TRUE(holds("\"age\" in user.traits && !(\"weight\" in user.traits)"));
}

TEST_F(PersonTest, TheChannelIsTheOneOfMostEvents) {
  const auto comes_by = [&](const std::string& channel) {
    LogEntry entry = entries_.event(1, EventType::view, "boot", k_now_ms);
    std::get<Event>(entry.what).channel = channel;
    book_.apply(entry);
  };
  comes_by("");
  EXPECT_TRUE(holds("!has(user.channel)"));
  for (const char* channel : {"web", "app", "app"}) comes_by(channel);
  EXPECT_TRUE(holds("user.channel == \"app\""));
}

TEST_F(PersonTest, StagesGoByTheDaysSinceOrders) {
  happens(EventType::purchase, "boot", 0, "o-1", 8000);
  const auto stage_after = [&](TimeMs days) {
    now_ms_ = k_now_ms + days * k_day_ms;
    for (const std::string stage : {"prospect", "new", "active", "at_risk", "churned"}) {
      if (holds("user.stage == \"" + stage + "\"")) return stage;
    }
    return std::string();
  };
  EXPECT_EQ(stage_after(29), "new");
  EXPECT_EQ(stage_after(30), "active");
  EXPECT_EQ(stage_after(89), "active");
  EXPECT_EQ(stage_after(90), "at_risk");
  EXPECT_EQ(stage_after(180), "churned");
  now_ms_ = k_now_ms;
  EXPECT_EQ(days_until_change("user.stage == \"new\""), 30);
  EXPECT_EQ(days_until_change("user.lifetime_days > 5"), 1);
  EXPECT_EQ(days_until_change("user.orders_count > 5"), -1);
}

TEST_F(PersonTest, ScoresAreSeenAgainstTheBoundsOfEverybody) {
  happens(EventType::purchase, "boot", 10, "o-1", 8000);
  around_.rfm = {.recency_days = {5, 20, 60, 200},
                 .frequency = {1, 2, 3, 4},
                 .monetary = {1000, 2000, 5000, 9000},
                 .as_of_ms = k_now_ms,
                 .buyers = 100};
  EXPECT_TRUE(holds("user.rfm.recency == 4 && user.rfm.frequency == 1 && user.rfm.monetary == 4"));
  EXPECT_TRUE(holds("user.rfm.group == \"new\" && user.rfm.cell == \"key_develop\""));
  EXPECT_EQ(days_until_change("user.rfm.recency == 4"), 1);
  now_ms_ += 11 * k_day_ms;
  EXPECT_TRUE(holds("user.rfm.recency == 3"));
}

TEST_F(PersonTest, BucketsAreEvenAndTheSameForEver) {
  std::size_t in_first_half = 0;
  for (std::uint32_t i = 1; i <= 10'000; ++i) {
    if (bucket_of("spring", UserNumber(i)) < 0.5) ++in_first_half;
  }
  EXPECT_NEAR(static_cast<double>(in_first_half), 5'000, 200);
  EXPECT_NE(bucket_of("spring", UserNumber(1)), bucket_of("autumn", UserNumber(1)));
  EXPECT_DOUBLE_EQ(bucket_of("spring", UserNumber(1)), bucket_of("spring", UserNumber(1)));
}

TEST_F(PersonTest, SegmentsAskForOneAnotherButNotInACircle) {
  happens(EventType::view, "boot", 1);
  const NobodyIn nobody;
  const auto segment = [](std::string key, std::string expression) {
    return Segment{.key = std::move(key), .expression = std::move(expression)};
  };
  SegmentList list = SegmentList()
                         .with(segment("looked", "count(\"view\", \"7d\") > 0"))
                         .with(segment("warm", "in_segment(\"looked\") && user.orders_count == 0"));
  const auto programs = SegmentPrograms::compile(list, nobody);
  ASSERT_TRUE(programs.ok()) << programs.status();
  around_.segments = *programs;
  EXPECT_TRUE(holds("in_segment(\"warm\")"));
  EXPECT_FALSE(holds("in_segment(\"warm\")", true)) << "visitors are in neither";
  EXPECT_THAT((*programs)->users_of("looked"), testing::ElementsAre("warm"));

  const auto circle =
      SegmentPrograms::compile(list.with(segment("looked", "!in_segment(\"warm\")")), nobody);
  EXPECT_EQ(message_of(circle.status()),
            "expression of segment looked asks for itself, through in_segment(...)");
  const auto unknown =
      SegmentPrograms::compile(list.with(segment("a", "in_segment(\"lookd\")")), nobody);
  EXPECT_EQ(message_of(unknown.status()),
            "expression asks for the segment 'lookd', which there is not; did you mean 'looked'?");
}

// Each asks for the one before twice: without remembering that would take 2^60 looks.
TEST_F(PersonTest, ALongChainOfSegmentsCostsWhatItsPartsDo) {
  happens(EventType::view, "boot", 1);
  const NobodyIn nobody;
  SegmentList list = SegmentList().with({.key = "s0", .expression = "count(\"view\", \"7d\") > 0"});
  for (int i = 1; i <= 60; ++i) {
    const std::string before = "in_segment(\"s" + std::to_string(i - 1) + "\")";
    list = list.with({.key = "s" + std::to_string(i), .expression = before + " && " + before});
  }
  const auto programs = SegmentPrograms::compile(list, nobody);
  ASSERT_TRUE(programs.ok()) << programs.status();
  around_.segments = *programs;
  EXPECT_TRUE(holds("in_segment(\"s60\")"));
}

}  // namespace
}  // namespace vitrine::segments
