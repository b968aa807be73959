// Members beside a slow twin that asks everybody anew, through events, time, edits and merges.
#include "server/segments/segment_engine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>

#include "base/random.h"
#include "base/status.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::segments {
namespace {

using profiles::k_now_ms;

class SegmentEngineTest : public testing::Test {
 protected:
  SegmentEngineTest() {
    changed_.begin([] {});
    engine_.emplace(SegmentEngine::Parts{.store = *store_,
                                         .changed = changed_,
                                         .profiles = book_,
                                         .identities = *identities_,
                                         .catalog = *catalog_,
                                         .clock = clock_,
                                         .metrics = on_->metrics,
                                         .log = *on_->log,
                                         .levels = levels_});
  }

  void put(std::string key, std::string expression) {
    std::promise<absl::Status> done;
    EXPECT_TRUE(store_
                    ->put(on_->committer,
                          {.key = std::move(key),
                           .expression = std::move(expression),
                           .includes_visitors = true},
                          {}, {}, [&](auto put) { done.set_value(put.status()); })
                    .ok());
    EXPECT_TRUE(done.get_future().get().ok());
  }
  void apply(const LogEntry& entry) {
    book_.apply(entry);
    changed_.apply(entry);
  }
  void view(std::uint32_t user, TimeMs ago_ms = 0) {
    apply(entries_.view(user, "cup", clock_.now_ms() - ago_ms));
  }
  void settle() {
    while (engine_->step()) {
    }
  }
  std::vector<std::uint32_t> members(std::string_view key) {
    std::vector<std::uint32_t> numbers;
    const auto members = engine_->members(key, UserNumber(0), 1'000'000);
    if (!members) return numbers;
    for (const UserNumber member : *members) numbers.push_back(member.value());
    return numbers;
  }
  // What may happen to one of 200 people: mostly something new, at times something about an order
  // of theirs, or that they are somebody else, or are forgotten.
  LogEntry anything(Random& random) {
    constexpr std::array<EventType, 8> k_types = {
        EventType::view,   EventType::cart_add, EventType::purchase, EventType::refund,
        EventType::cancel, EventType::search,   EventType::identify, EventType::order_update};
    const auto user = static_cast<std::uint32_t>(1 + random.below(200));
    const std::string order = fmt::format("o-{}-{}", user, random.below(5));
    if (random.below(100) == 0) return entries_.takeover(user, order);
    if (random.below(100) == 0) return entries_.erasure({UserNumber(user)});
    if (random.below(100) == 0) return entries_.link(user + 200, user + 200, user);
    const bool is_usual = random.below(2) == 0;
    const EventType type = is_usual ? k_types.at(random.below(3)) : k_types.at(random.below(8));
    const bool is_visitor = random.below(4) == 0;
    LogEntry entry =
        entries_.event(is_visitor ? user + 200 : user, type, random.below(2) == 0 ? "cup" : "boot",
                       clock_.now_ms() - static_cast<TimeMs>(random.below(k_hour_ms)),
                       type == EventType::view ? "" : order);
    auto& event = std::get<Event>(entry.what);
    event.price = Money{static_cast<std::int64_t>(random.below(6'000))};
    event.currency = "EUR";
    if (type == EventType::identify) {
      event.properties_json =
          fmt::format(R"({{"traits":{{"plan":"{}"}}}})", random.below(2) == 0 ? "gold" : "free");
    }
    return entry;
  }
  // Everybody asked now.
  std::vector<std::uint32_t> twin(std::string_view key) {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t user = 1; user <= 400; ++user) {
      if (engine_->holds(key, UserNumber(user))) numbers.push_back(user);
    }
    return numbers;
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::optional<CommitterOnStore> on_{std::in_place, *database_};
  std::unique_ptr<SegmentStore> store_ = SegmentStore::open(*database_).value();
  FakeClock clock_{k_now_ms};
  catalog::ProductNumbers numbers_;
  static std::vector<Product> products() {
    Product cup;
    cup.product_id = "cup";
    cup.price = Money{1500};
    cup.currency = "EUR";
    Product boot = cup;
    boot.product_id = "boot";
    boot.price = Money{4500};
    boot.categories = {"Shoes > Boots"};
    return {cup, boot};
  }
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::Catalog::in_memory(products(), numbers_);
  std::shared_ptr<const LevelRules> levels_ = std::make_shared<const LevelRules>(
      LevelRules{.levels = {{"silver", 50}, {"gold", 150}}, .grace_days = 20});
  std::unique_ptr<identity::IdentityBook> identities_ = identity::IdentityBook::of_nobody();
  profiles::ProfileBook book_{numbers_};
  profiles::Entries entries_;
  ChangedPeople changed_;
  std::optional<SegmentEngine> engine_;
};

TEST_F(SegmentEngineTest, ASegmentHoldsThoseWhoWereThereAndThoseWhoCome) {
  view(1);
  view(2, 8 * k_day_ms);
  put("active", "count(\"view\", \"7d\") >= 1");
  EXPECT_FALSE(engine_->status("active")->is_built);
  settle();
  EXPECT_THAT(members("active"), testing::ElementsAre(1));
  EXPECT_TRUE(engine_->status("active")->is_built);
  view(2);
  view(3);
  settle();
  EXPECT_THAT(members("active"), testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(engine_->status("active")->size, 3U);
}

TEST_F(SegmentEngineTest, PeopleLeaveWithinASecondOfTheirTime) {
  put("active", "count(\"view\", \"24h\") >= 1");
  view(1);
  settle();
  const TimeMs minute_ms = k_now_ms - k_now_ms % k_minute_ms;  // views are counted by the minute
  clock_.set(minute_ms + k_day_ms - 1);
  settle();
  EXPECT_THAT(members("active"), testing::ElementsAre(1));
  clock_.set(minute_ms + k_day_ms + 1000);
  settle();
  EXPECT_THAT(members("active"), testing::IsEmpty());
}

// A view does not change since when somebody is known, unless it is an older one than all before.
TEST_F(SegmentEngineTest, AnEventThatCameLateMakesSomebodyKnownForLonger) {
  put("old", "user.lifetime_days >= 5");
  put("early", "user.first_seen_at < timestamp(\"" + format_time(k_now_ms - 9 * k_day_ms) + "\")");
  view(1);
  view(2);
  settle();
  view(1, k_day_ms);
  settle();
  EXPECT_THAT(members("old"), testing::IsEmpty());
  view(1, 10 * k_day_ms);
  settle();
  EXPECT_THAT(members("old"), testing::ElementsAre(1));
  EXPECT_THAT(members("early"), testing::ElementsAre(1));
  put("later", "user.lifetime_days >= 8");
  view(2, 9 * k_day_ms);
  settle();
  EXPECT_THAT(members("old"), testing::ElementsAre(1, 2));
  EXPECT_THAT(members("later"), testing::ElementsAre(1, 2));
}

TEST_F(SegmentEngineTest, ADecisionSeesTheLastEventBeforeTheMembersDo) {
  put("active", "count(\"view\", \"24h\") >= 1");
  settle();
  view(1);
  EXPECT_TRUE(engine_->holds("active", UserNumber(1)));
  EXPECT_THAT(engine_->segments_of(UserNumber(1)), testing::ElementsAre("active"));
  EXPECT_THAT(members("active"), testing::IsEmpty());
}

TEST_F(SegmentEngineTest, AnEditedSegmentAndThoseThatAskForItAreBuiltAnew) {
  view(1);
  for (int i = 0; i < 3; ++i) view(2);
  put("active", "count(\"view\", \"24h\") >= 1");
  put("quiet", "!in_segment(\"active\")");
  settle();
  EXPECT_THAT(members("quiet"), testing::IsEmpty());
  put("active", "count(\"view\", \"24h\") >= 3");
  EXPECT_FALSE(engine_->status("active")->is_built);
  EXPECT_EQ(engine_->status("active")->size, 2U) << "of the version before";
  settle();
  EXPECT_THAT(members("active"), testing::ElementsAre(2));
  EXPECT_THAT(members("quiet"), testing::ElementsAre(1));
  EXPECT_EQ(engine_->size_of_both("active", "quiet"), 0U);
  EXPECT_EQ(engine_->size_of_both("active", "active"), 1U);
}

TEST_F(SegmentEngineTest, AVisitorWhoTurnsOutToBeSomebodyLeavesForThem) {
  put("active", "count(\"view\", \"24h\") >= 2");
  view(5);
  view(9);
  settle();
  EXPECT_THAT(members("active"), testing::IsEmpty());
  apply(entries_.link(9, 9, 5));
  settle();
  EXPECT_THAT(members("active"), testing::ElementsAre(5));
}

TEST_F(SegmentEngineTest, PeoplePutInByHandAreLookedAtWhereTheyAreAskedFor) {
  view(1);
  view(2);
  std::promise<absl::Status> made;
  ASSERT_TRUE(store_
                  ->put(on_->committer, {.key = "hand", .kind = Segment::Kind::fixed}, {}, {},
                        [&](auto put) { made.set_value(put.status()); })
                  .ok());
  ASSERT_TRUE(made.get_future().get().ok());
  put("not-hand", "!in_segment(\"hand\")");
  settle();
  EXPECT_THAT(members("not-hand"), testing::ElementsAre(1, 2));
  store_->on_change([this](const std::vector<UserNumber>& users) {
    for (const UserNumber user : users) changed_.note(user, clock_.now_ms());
  });
  std::promise<absl::Status> changed;
  ASSERT_TRUE(store_
                  ->change(on_->committer, "hand", {.added = {UserNumber(2)}, .removed = {}},
                           [&](auto count) { changed.set_value(count.status()); })
                  .ok());
  ASSERT_TRUE(changed.get_future().get().ok());
  settle();
  EXPECT_THAT(members("not-hand"), testing::ElementsAre(1));
  EXPECT_THAT(members("hand"), testing::ElementsAre(2));
}

// Half a year of random events, with steps of hours and days between them.
TEST_F(SegmentEngineTest, MembersAreThoseWhoAreMeantWhateverHappens) {
  const std::vector<std::pair<std::string, std::string>> segments = {
      {"active", "count(\"view\", \"7d\") >= 2"},
      {"lapsed", "days_since(user.last_order_at) > 20"},
      {"spender", "sum(\"purchase\", \"30d\") > 50"},
      {"abandoned", "count(\"cart_add\", \"24h\") >= 1 && count(\"purchase\", \"24h\") == 0"},
      {"stage", "user.stage == \"active\" || user.stage == \"at_risk\""},
      {"score", "user.rfm.recency >= 3"},
      {"half", "bucket(\"x\", 0, 0.5) && user.lifetime_days > 10"},
      {"coin", "bucket(\"y\", 0, 0.5)"},
      {"told", "user.traits.plan == \"gold\""},
      {"busy", "user.events_count >= 5 && days_since(last(\"search\")) < 10"},
      {"shoes", "count_in(\"view\", \"Shoes\", \"30d\") > 0"},
      {"level", "user.level == \"gold\""},
      {"cheap", "user.price_to <= 20 && user.orders_count > 0"},
      {"known", "user.is_known || user.lifetime_days == 0"},
      {"lately", "days_since(user.first_seen_at) < 3"},
      {"mixed", "in_segment(\"active\") && !in_segment(\"spender\")"}};
  for (const auto& [key, expression] : segments) put(key, expression);
  Random random(3);
  std::size_t seen = 0;
  for (int round = 0; round < 120; ++round) {
    for (int i = 0; i < 20; ++i) {
      apply(anything(random));
    }
    clock_.advance(static_cast<TimeMs>(random.below(3 * k_day_ms)));
    settle();
    clock_.set(clock_.now_ms() / 1000 * 1000 + 1000);  // what was due is due to the second
    settle();
    for (const auto& [key, expression] : segments) {
      ASSERT_EQ(members(key), twin(key)) << key << " in round " << round;
      seen += members(key).size();
    }
  }
  EXPECT_GT(seen, 10'000U) << "the twin must have somebody to compare";
}

TEST_F(SegmentEngineTest, APreviewOfFewAsksThemAll) {
  for (std::uint32_t user = 1; user <= 50; ++user) view(user, user % 5 == 0 ? 0 : 9 * k_day_ms);
  const auto program = compile_for_people("count(\"view\", \"7d\") > 0");
  const Preview preview = *engine_->preview(*program, true);
  EXPECT_TRUE(preview.is_exact);
  EXPECT_EQ(preview.people, 50U);
  EXPECT_EQ(preview.matched, 10U);
  EXPECT_EQ(preview.estimate, 10);
  EXPECT_EQ(engine_->preview(*program, false)->matched, 0U) << "all of them are visitors";
  EXPECT_FALSE(engine_->preview(*compile_for_people("in_segment(\"x\")"), true).ok());
}

TEST_F(SegmentEngineTest, APreviewOfManyIsASampleWithAnIntervalThatHoldsTheTruth) {
  constexpr std::uint32_t k_people = 30'000;
  for (std::uint32_t user = 1; user <= k_people; ++user) {
    view(user, user % 5 == 0 ? 0 : 9 * k_day_ms);
  }
  settle();
  const auto program = compile_for_people("count(\"view\", \"7d\") > 0");
  const Preview preview = *engine_->preview(*program, true);
  EXPECT_FALSE(preview.is_exact);
  EXPECT_NEAR(static_cast<double>(preview.asked), k_people / 100.0, 60);
  EXPECT_LT(preview.low, 6'000);
  EXPECT_GT(preview.high, 6'000);
  EXPECT_LT(preview.high - preview.low, 4'000);
  EXPECT_EQ(engine_->preview_exactly(*program, true)->matched, 6'000U);
}

TEST(ShareIntervalTest, IsWilsons) {
  const auto [low, high] = share_interval(10, 100);
  EXPECT_NEAR(low, 0.0552, 0.0001);
  EXPECT_NEAR(high, 0.1744, 0.0001);
  EXPECT_EQ(share_interval(0, 0), std::pair(0.0, 1.0));
  EXPECT_GT(share_interval(0, 100).second, 0);
}

}  // namespace
}  // namespace vitrine::segments
