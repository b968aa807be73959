// Members beside a slow twin that asks everybody anew, through events, time, edits and merges.
#include "server/segments/segment_engine.h"

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
                                         .log = *on_->log});
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
  // Everybody asked now.
  std::vector<std::uint32_t> twin(std::string_view key) {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t user = 1; user <= 300; ++user) {
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
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::Catalog::in_memory({}, numbers_);
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
      {"mixed", "in_segment(\"active\") && !in_segment(\"spender\")"}};
  for (const auto& [key, expression] : segments) put(key, expression);
  Random random(3);
  constexpr std::array<EventType, 3> k_types = {EventType::view, EventType::cart_add,
                                                EventType::purchase};
  std::size_t seen = 0;
  for (int round = 0; round < 120; ++round) {
    for (int i = 0; i < 20; ++i) {
      const EventType type = k_types.at(random.below(k_types.size()));
      LogEntry entry = entries_.event(
          static_cast<std::uint32_t>(1 + random.below(200)), type, "cup",
          clock_.now_ms() - static_cast<TimeMs>(random.below(k_hour_ms)),
          type == EventType::purchase ? "o-" + std::to_string(random.below(1'000'000)) : "");
      std::get<Event>(entry.what).price = Money{static_cast<std::int64_t>(random.below(6'000))};
      std::get<Event>(entry.what).currency = "EUR";
      apply(entry);
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
