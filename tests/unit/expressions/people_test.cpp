// What an expression can ask of people: what they did in a window of time, whom they belong to.
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"
#include "server/expressions/program.h"
#include "server/expressions/tree_json.h"

namespace vitrine::expressions {
namespace {

constexpr TimeMs k_now_ms = 1000 * k_day_ms;

const Schema& people_schema() {
  static const Schema schema("a person",
                             {{"user.orders_count", Type::number, "Orders"},
                              {"user.last_order_at", Type::time, "The latest order"},
                              {"user.stage", Type::text, "Moves on after ten days", true}},
                             About::people);
  return schema;
}

struct Deed {
  EventType type;
  TimeMs time_ms;
  std::string category = {};
  double worth = 0;
};

class Shopper final : public Subject {
 public:
  std::vector<Deed> deeds;

  std::optional<bool> boolean(std::size_t) const override { return std::nullopt; }
  std::optional<double> number(std::size_t slot) const override {
    if (slot == 0) return 3.0;
    return static_cast<double>(k_now_ms - 40 * k_day_ms - k_hour_ms);
  }
  std::optional<std::string_view> text(std::size_t) const override { return "new"; }
  std::span<const std::string> texts(std::size_t) const override { return {}; }
  std::optional<std::string_view> entry(std::size_t, std::string_view) const override {
    return std::nullopt;
  }
  std::size_t entry_count(std::size_t) const override { return 0; }
  TimeMs changes_at_ms(std::size_t) const override { return k_now_ms + 10 * k_day_ms; }

  std::optional<Counted> event_count(EventType type, std::string_view category,
                                     TimeMs since_ms) const override {
    return sum(type, category, since_ms, [](const Deed&) { return 1.0; });
  }
  std::optional<Counted> spend(TimeMs since_ms) const override {
    return sum(EventType::purchase, "", since_ms, [](const Deed& deed) { return deed.worth; });
  }
  std::optional<double> last_event_ms(EventType type) const override {
    std::optional<double> last;
    for (const Deed& deed : deeds) {
      if (deed.type == type) last = std::max(last.value_or(0), static_cast<double>(deed.time_ms));
    }
    return last;
  }
  std::optional<bool> is_in_segment(std::string_view key, TimeMs& changes_at_ms) const override {
    if (key == "vip") changes_at_ms = std::min(changes_at_ms, k_now_ms + k_minute_ms);
    return key == "vip";
  }
  std::optional<double> bucket(std::string_view seed) const override {
    return seed == "low" ? 0.1 : 0.9;
  }

 private:
  template <class Worth>
  Counted sum(EventType type, std::string_view category, TimeMs since_ms, Worth worth) const {
    Counted counted;
    for (const Deed& deed : deeds) {
      if (deed.type != type || deed.time_ms <= since_ms) continue;
      if (!category.empty() && deed.category != category) continue;
      counted.value += worth(deed);
      counted.oldest_ms = std::min(counted.oldest_ms, deed.time_ms);
    }
    return counted;
  }
};

class PeopleTest : public testing::Test {
 protected:
  PeopleTest() {
    shopper_.deeds = {{EventType::cart_add, k_now_ms - 5 * k_hour_ms, "Shoes"},
                      {EventType::view, k_now_ms - 2 * k_day_ms, "Shoes"},
                      {EventType::view, k_now_ms - 3 * k_day_ms, "Bags"},
                      {EventType::purchase, k_now_ms - 40 * k_day_ms, "Bags", 150},
                      {EventType::purchase, k_now_ms - 100 * k_day_ms, "Bags", 90}};
  }

  static Program program_of(std::string_view text) {
    auto program = Program::compile(*parse(text), people_schema());
    EXPECT_TRUE(program.ok()) << text << ": " << program.status();
    return *std::move(program);
  }
  bool holds(std::string_view text) const { return program_of(text).holds(shopper_, k_now_ms); }
  TimeMs changes_after_ms(std::string_view text) const {
    TimeMs changes_at_ms = k_never_ms;
    program_of(text).holds(shopper_, k_now_ms, changes_at_ms);
    return changes_at_ms == k_never_ms ? k_never_ms : changes_at_ms - k_now_ms;
  }
  static std::string refusal_of(std::string_view text) {
    const auto program = Program::compile(*parse(text), people_schema());
    return program.ok() ? "accepted" : std::string(message_of(program.status()));
  }

  Shopper shopper_;
};

TEST_F(PeopleTest, EventsAreCountedInWindowsThatEndNow) {
  EXPECT_TRUE(holds("count(\"cart_add\", \"24h\") >= 1 && count(\"purchase\", \"24h\") == 0"));
  EXPECT_FALSE(holds("count(\"cart_add\", \"5h\") >= 1")) << "the window's begin is outside";
  EXPECT_TRUE(holds("count(\"cart_add\", \"301m\") == 1"));
  EXPECT_TRUE(holds("count(\"view\", \"1w\") == 2"));
  EXPECT_TRUE(holds("count_in(\"view\", \"Shoes\", \"7d\") == 1"));
  EXPECT_TRUE(holds("count_in(\"view\", \"Hats\", \"7d\") == 0"));
}

TEST_F(PeopleTest, WhatWasSpentIsSummedAndTheLastEventIsATime) {
  EXPECT_TRUE(holds("sum(\"purchase\", \"90d\") == 150"));
  EXPECT_TRUE(holds("sum(\"purchase\", \"365d\") == 240"));
  EXPECT_TRUE(holds("days_since(last(\"purchase\")) == 40"));
  EXPECT_TRUE(holds("has(user.last_order_at) && last(\"cart_add\") > last(\"view\")"));
  EXPECT_FALSE(holds("days_since(last(\"refund\")) >= 0")) << "nothing came back";
}

TEST_F(PeopleTest, SegmentsAndBucketsAreAsked) {
  EXPECT_TRUE(holds("in_segment(\"vip\") && !in_segment(\"refund-abuse\")"));
  EXPECT_TRUE(holds("bucket(\"low\", 0, 0.5) && bucket(\"high\", 0.5, 1)"));
  EXPECT_FALSE(holds("bucket(\"low\", 0.5, 1)"));
  EXPECT_THAT(program_of("in_segment(\"b\") || in_segment(\"a\") || in_segment(\"b\")").segments(),
              testing::ElementsAre("a", "b"));
}

TEST_F(PeopleTest, TheAnswerTellsWhenItCanChangeByItself) {
  EXPECT_EQ(changes_after_ms("count(\"cart_add\", \"24h\") >= 1"), 19 * k_hour_ms);
  EXPECT_EQ(changes_after_ms("count(\"view\", \"1w\") == 2"), 4 * k_day_ms) << "the older one";
  EXPECT_EQ(changes_after_ms("days_since(user.last_order_at) > 60"), 23 * k_hour_ms);
  EXPECT_EQ(changes_after_ms("sum(\"purchase\", \"90d\") > 100"), 50 * k_day_ms);
  EXPECT_EQ(changes_after_ms("user.stage == \"new\""), 10 * k_day_ms);
  EXPECT_EQ(changes_after_ms("in_segment(\"vip\")"), k_minute_ms);
  EXPECT_EQ(changes_after_ms("user.orders_count > 2"), k_never_ms);
  EXPECT_EQ(changes_after_ms("count(\"share\", \"24h\") == 0"), k_never_ms);
  EXPECT_EQ(changes_after_ms("user.orders_count > 5 && user.stage == \"new\""), k_never_ms)
      << "the first part keeps it false whatever the second does";
}

TEST_F(PeopleTest, WhatIsPrintedIsReadAsTheSame) {
  for (const std::string text :
       {"count(\"view\", \"7d\") >= 3 && !in_segment(\"vip\")",
        "count_in(\"view\", \"Home > Kitchen\", \"2w\") > 0 || bucket(\"spring\", 0, 0.5)",
        "sum(\"purchase\", \"90d\") > 200 && days_since(last(\"purchase\")) > 30"}) {
    const Node tree = *parse(text);
    EXPECT_EQ(print(tree), text);
    EXPECT_EQ(*from_json(to_json(tree)), tree);
  }
}

TEST_F(PeopleTest, EveryMistakeIsNamedWithItsColumn) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"count(\"veiw\", \"7d\") > 1",
       "column 7: unknown kind of event 'veiw'; did you mean 'view'?"},
      {"count(view, \"7d\") > 1",
       "column 7: expected a kind of event, as \"view\" or \"purchase\", in quotes"},
      {"count(\"view\", 7) > 1", "column 15: expected a window, as \"24h\" or \"90d\", in quotes"},
      {"count(\"view\", \"7y\") > 1",
       "column 15: expected a window of minutes, hours, days or weeks, as \"30m\", \"24h\", "
       "\"90d\" or \"2w\", got \"7y\""},
      {"count(\"view\", \"d\") > 1",
       "column 15: expected a window of minutes, hours, days or weeks, as \"30m\", \"24h\", "
       "\"90d\" or \"2w\", got \"d\""},
      {"count(\"view\", \"7\") > 1",
       "column 15: expected a window of minutes, hours, days or weeks, as \"30m\", \"24h\", "
       "\"90d\" or \"2w\", got \"7\""},
      {"count(\"view\", \"0d\") > 1", "column 15: a window may be 1m to 730d long, got \"0d\""},
      {"count(\"view\", \"731d\") > 1", "column 15: a window may be 1m to 730d long, got \"731d\""},
      {"count(\"view\", \"-1d\") > 1", "column 15: a window may be 1m to 730d long, got \"-1d\""},
      {"count(\"view\", \"7d\")", "column 1: expected a condition, true or false, got a number"},
      {"count_in(\"view\", \"\", \"7d\") > 1", "column 18: expected a category, got \"\""},
      {"count_in(\"view\", 1, \"7d\") > 1", "column 18: expected a category in quotes"},
      {"sum(\"view\", \"7d\") > 1",
       "column 5: sum(...) knows what was spent: expected \"purchase\", got \"view\""},
      {"last(\"purchase\") > 5",
       "column 18: expected two values of one type around '>', got a time and a number"},
      {"in_segment(vip)", "column 12: expected the key of a segment, as \"vip\", in quotes"},
      {"in_segment(\"\")", "column 12: expected the key of a segment, 1 to 64 bytes, got 0"},
      {"bucket(\"spring\", 0.5, 0.5)",
       "column 23: expected an end past 0.5, where the bucket begins"},
      {"bucket(\"spring\", 0, 50)",
       "column 21: expected a number from 0 to 1, as in bucket(\"spring\", 0, 0.5)"},
      {"bucket(1, 0, 1)", "column 8: expected a seed, as \"spring\", in quotes"},
      {"user.order_count > 1",
       "column 1: unknown name 'user.order_count'; did you mean 'user.orders_count'?"}};
  for (const auto& [text, message] : mistakes) EXPECT_EQ(refusal_of(text), message) << text;
}

TEST_F(PeopleTest, ProductsAreNotAskedWhatPeopleDid) {
  const Schema products("a product", {{"price", Type::number, "A number"}});
  const auto program =
      Program::compile(*parse("price > 1 && count(\"view\", \"7d\") > 1"), products);
  EXPECT_EQ(message_of(program.status()),
            "column 14: count(...) asks about a person: here a product is asked");
}

}  // namespace
}  // namespace vitrine::expressions
