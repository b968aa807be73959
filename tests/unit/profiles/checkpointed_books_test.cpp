// Profiles and popularity through checkpoints, kills and restarts, against books that saw the whole
// log at once.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/random.h"
#include "server/events/checkpointer.h"
#include "server/profiles/popularity_book.h"
#include "server/profiles/profile_book.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::profiles {
namespace {

constexpr std::uint32_t k_people = 300;
constexpr std::size_t k_entries = 12'000;

// What people do, visitors who turn out to be users included.
std::vector<LogEntry> random_log(Random& random) {
  Entries entries;
  std::vector<LogEntry> log;
  while (log.size() < k_entries) {
    const auto user = static_cast<std::uint32_t>(1 + random.below(k_people));
    if (random.below(40) == 0) {
      log.push_back(entries.link(k_people + user, k_people + user, user));
      continue;
    }
    const TimeMs time_ms = k_now_ms + static_cast<TimeMs>(log.size()) * k_minute_ms -
                           static_cast<TimeMs>(random.below(std::uint64_t{3} * k_day_ms));
    const EventType type = random.below(4) == 0   ? EventType::purchase
                           : random.below(9) == 0 ? EventType::refund
                                                  : EventType::view;
    const std::uint32_t person = random.below(3) == 0 ? k_people + user : user;
    log.push_back(entries.event(
        person, type, "p" + std::to_string(random.below(1 + log.size() / 20)), time_ms,
        "o" + std::to_string(random.below(50)), "s" + std::to_string(random.below(9)),
        static_cast<std::int64_t>(random.below(4))));
    std::get<Event>(log.back().what).price = Money{static_cast<std::int64_t>(random.below(900))};
    std::get<Event>(log.back().what).currency = random.below(5) == 0 ? "USD" : "EUR";
  }
  return log;
}

// One process's life: restored from the store, then killed or stopped.
struct Life {
  Life(store::Database& database, std::size_t cache_bytes,
       const events::Checkpointer::Options& options)
      : numbers_book(numbers, database),
        profiles(numbers, database, metrics, {.cache_bytes = cache_bytes}),
        popularity(numbers, database),
        checkpointer(database, all, clock, metrics, *log, options) {
    for (events::Projection* projection : all) {
      const absl::Status restored = events::restore_checkpoint(database, k_entries, *projection);
      EXPECT_TRUE(restored.ok()) << restored;
    }
  }
  Position position() const { return profiles.position(); }
  void apply(const LogEntry& entry) {
    for (events::Projection* projection : all) projection->apply(entry);
  }

  FakeClock clock{k_now_ms};
  Metrics metrics;
  const std::unique_ptr<Log> log = Log::to_stderr(Log::Level::off);
  catalog::ProductNumbers numbers;
  catalog::CheckpointedNumbers numbers_book;
  ProfileBook profiles;
  PopularityBook popularity;
  std::array<events::Projection*, 3> all{&numbers_book, &profiles, &popularity};
  events::Checkpointer checkpointer;
};

class CheckpointedBooksTest : public testing::Test {
 protected:
  void expect_recount(Life& life) {
    ProfileBook profiles(life.numbers);
    PopularityBook popularity(life.numbers);
    for (std::size_t i = 0; i < life.position(); ++i) {
      profiles.apply(log_[i]);
      popularity.apply(log_[i]);
    }
    EXPECT_EQ(life.profiles.size(), profiles.size());
    for (std::uint32_t user = 1; user <= 2 * k_people; ++user) {
      const auto seen = life.profiles.find(UserNumber(user));
      const auto counted = profiles.find(UserNumber(user));
      ASSERT_EQ(seen == nullptr, counted == nullptr) << user;
      if (seen == nullptr) continue;
      ASSERT_EQ(*seen, *counted) << user;
    }
    std::set<UserNumber> walked;
    EXPECT_TRUE(life.profiles
                    .walk([&](UserNumber user, const Profile& profile) {
                      EXPECT_TRUE(walked.insert(user).second) << "somebody is seen twice";
                      EXPECT_EQ(profile, *profiles.find(user));
                      return true;
                    })
                    .ok());
    EXPECT_EQ(walked.size(), profiles.size());
    EXPECT_EQ(life.profiles.fingerprint(), profiles.fingerprint());
    EXPECT_EQ(life.popularity.fingerprint(), popularity.fingerprint());
    const auto seen = life.popularity.popular();
    const auto counted = popularity.popular();
    ASSERT_EQ(seen->size(), counted->size());
    for (std::size_t i = 0; i < seen->size(); ++i) {
      EXPECT_EQ((*seen)[i].product, (*counted)[i].product);
      EXPECT_EQ((*seen)[i].score, (*counted)[i].score);
    }
  }

  Random random_{31};
  const std::vector<LogEntry> log_ = random_log(random_);
  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
};

TEST_F(CheckpointedBooksTest, EndAsARecountDoesWhereverCheckpointsAndKillsFall) {
  // Room for a few people only, so that most are read from the checkpoint.
  constexpr std::size_t k_cache_bytes = 64 * 1024;
  Position durable = 0;
  for (int life_number = 0; durable < k_entries; ++life_number) {
    Life life(*database_, k_cache_bytes, {.entries = 1'000'000'000});
    EXPECT_GE(life.position(), durable);
    const Position killed_at = life.position() + random_.below(3000);
    while (life.position() < std::min<Position>(killed_at, k_entries)) {
      life.apply(log_[life.position()]);
      // In the background while entries come, mostly.
      if (random_.below(400) == 0) life.checkpointer.ask();
      if (random_.below(10) == 0) {
        ASSERT_TRUE(life.checkpointer.while_replaying(life.position()).ok());
      } else {
        life.checkpointer.between_batches(life.position());
      }
      life.profiles.find(UserNumber(static_cast<std::uint32_t>(1 + random_.below(k_people))));
    }
    if (life_number % 4 == 0 || life.position() == k_entries) expect_recount(life);
    if (life.position() == k_entries) {
      ASSERT_TRUE(life.checkpointer.finish(k_entries).ok());
      expect_recount(life);
    }
    durable = life.checkpointer.last_durable();
  }
  Life last(*database_, k_cache_bytes, {});
  EXPECT_EQ(last.position(), k_entries);
  expect_recount(last);
}

TEST_F(CheckpointedBooksTest, StaysWithinItsBytesOnceDurable) {
  constexpr std::size_t k_cache_bytes = 128 * 1024;
  Life life(*database_, k_cache_bytes, {.entries = 500});
  for (const LogEntry& entry : log_) {
    life.apply(entry);
    ASSERT_TRUE(life.checkpointer.while_replaying(entry.position).ok());
  }
  for (std::uint32_t user = 1; user <= 2 * k_people; ++user) life.profiles.find(UserNumber(user));
  ASSERT_TRUE(life.checkpointer.finish(k_entries).ok());
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t user = 1; user <= 2 * k_people; ++user) life.profiles.find(UserNumber(user));
  }

  const std::string told = life.metrics.text();
  EXPECT_EQ(life.profiles.pinned_bytes(), 0U);
  EXPECT_LE(life.profiles.cached_bytes(), k_cache_bytes + k_cache_bytes / 4) << told;
  expect_recount(life);
}

TEST_F(CheckpointedBooksTest, AreReadWhileTheyAreWrittenAndCheckpointed) {
  Life life(*database_, 64 * 1024, {.entries = 700});
  std::thread reader([&] {
    Random random(3);
    while (life.position() < k_entries) {
      const auto profile =
          life.profiles.find(UserNumber(static_cast<std::uint32_t>(1 + random.below(k_people))));
      if (profile == nullptr) continue;
      ASSERT_LE(profile->recent.size(), profile->events);
    }
  });
  for (const LogEntry& entry : log_) {
    life.apply(entry);
    life.checkpointer.between_batches(entry.position);
  }
  reader.join();

  expect_recount(life);
}

TEST_F(CheckpointedBooksTest, AreWalkedWholeWhileACheckpointEnds) {
  Life life(*database_, 64 * 1024, {.entries = 1'000'000'000});
  ProfileBook recount(life.numbers);
  for (const LogEntry& entry : log_) {
    life.apply(entry);
    recount.apply(entry);
    if (life.position() % 400 != 0) continue;
    life.checkpointer.ask();
    life.checkpointer.between_batches(life.position());
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(life.profiles.fingerprint(), recount.fingerprint()) << life.position();
    }
  }
}

TEST_F(CheckpointedBooksTest, NeedTheProductNumbersOfTheirCheckpoint) {
  {
    Life life(*database_, 64 * 1024, {});
    for (std::size_t i = 0; i < 500; ++i) life.apply(log_[i]);
    life.checkpointer.ask();
    life.checkpointer.between_batches(500);
    ASSERT_TRUE(life.checkpointer.finish(500).ok());
  }
  Metrics metrics;
  catalog::ProductNumbers numbers;
  ProfileBook profiles(numbers, *database_, metrics, {});

  EXPECT_EQ(events::restore_checkpoint(*database_, k_entries, profiles).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vitrine::profiles
