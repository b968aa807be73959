// kill -9 in the middle of writing, thirty times on one directory: nothing acknowledged is lost,
// nothing is there twice, and all families tell the same story.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <sstream>

#include "base/random.h"
#include "base/status.h"
#include "base/string_map.h"
#include "server/events/event_log.h"
#include "server/identity/identity_book.h"
#include "server/store/key.h"
#include "tests/crash/crash_store.h"
#include "tests/crash/written_process.h"
#include "tests/support/temp_folder.h"

namespace vitrine::crash {
namespace {

using store::Family;

// What the log says, read once from end to end.
struct Story {
  StringMap<int> times_seen;                  // of each event id
  std::map<std::uint32_t, UserNumber> owner;  // of each visitor, after the last link
  std::map<std::uint32_t, UserNumber> home;   // whose each visitor's own history became
  StringMap<UserNumber> buyer;                // of each order, who bought it first
  std::size_t events = 0;
  std::size_t wrong_dedupe = 0;  // events whose key does not lead back to them
  std::size_t wrong_owner = 0;   // events given to somebody else than the links so far say
};

void follow(const store::Database& database, const LogEntry& entry, Story& story) {
  const auto owner_of = [&](UserNumber visitor) {
    const auto found = story.owner.find(visitor.value());
    return found == story.owner.end() ? visitor : found->second;
  };
  if (const VisitorLink* link = entry.link()) {
    if (owner_of(link->visitor) != link->from_user) ++story.wrong_owner;
    story.owner[link->visitor.value()] = link->to_user;
    story.home.emplace(link->visitor.value(), link->to_user);
    return;
  }
  ++story.events;
  const std::string& id = entry.event()->event_id;
  ++story.times_seen[id];
  const std::string key = store::hashed_key(database.secret(), "event", entry.source, id);
  const auto position = database.get(Family::dedupe, key);
  if (!position.ok() || !position->has_value() || **position != store::key_of(entry.position)) {
    ++story.wrong_dedupe;
  }
  // What is taken back goes to whoever has what was bought, the rest to whoever did it.
  const Event& event = *entry.event();
  const auto bought = story.buyer.find(event.order_id);
  if (event.type != EventType::purchase && bought != story.buyer.end()) {
    const auto moved = story.home.find(bought->second.value());
    const UserNumber holder = moved == story.home.end() ? bought->second : moved->second;
    if (entry.user != holder) ++story.wrong_owner;
    return;
  }
  if (event.type == EventType::purchase) story.buyer.emplace(event.order_id, entry.user);
  if (entry.visitor != k_nobody && owner_of(entry.visitor) != entry.user) ++story.wrong_owner;
}

std::size_t count(const store::Database& database, Family family) {
  std::size_t entries = 0;
  const auto cursor = database.walk(family, {}, true);
  for (; cursor->valid(); cursor->next()) ++entries;
  EXPECT_TRUE(cursor->status().ok()) << cursor->status();
  return entries;
}

// Everybody has a record and a way to it, and belongs to whom the log says.
void expect_people_agree(const store::Database& database, const Story& story) {
  const auto book = std::move(identity::IdentityBook::open(database)).value();
  std::size_t people = 0;
  const auto cursor = database.walk(Family::people, {}, true);
  for (; cursor->valid(); cursor->next(), ++people) {
    const UserNumber number(store::small_number_in(cursor->key()).value());
    EXPECT_EQ(number.value(), people + 1) << "numbers are dense";
    const auto person = book->person(number).value().value();
    if (person.visitor_id.empty()) {
      EXPECT_EQ(book->find(person.user_id, "").user, number);
      continue;
    }
    EXPECT_EQ(book->find("", person.visitor_id).visitor, number);
    const auto owner = story.owner.find(number.value());
    EXPECT_EQ(person.linked_user, owner == story.owner.end() ? number : owner->second);
  }
  EXPECT_EQ(count(database, Family::ids), people);
}

class CrashTest : public testing::Test {
 protected:
  // Writes until killed and takes down what was acknowledged.
  void crash(int round, Random& random) {
    WrittenProcess writer({VITRINE_CRASH_WRITER, folder_.path().string(), std::to_string(round)});
    // Every sixth round dies at any moment from its first instruction on, the others while they
    // write.
    const bool dies_starting = round % 6 == 5;
    if (!dies_starting) {
      ASSERT_TRUE(writer.read_until("ready\n")) << "round " << round;
    }
    writer.read_for(static_cast<int>(random.below(dies_starting ? 60 : 150)));
    ASSERT_TRUE(writer.kill_and_drain()) << "the writer ended by itself in round " << round;
    for (const std::string& line : writer.lines()) {
      std::istringstream words(line);
      std::string id;
      for (words >> id; words >> id;) acknowledged_.insert(id);
    }
  }

  void judge() {
    const auto database = store::Database::open(folder_.path(), store_options());
    ASSERT_TRUE(database.ok()) << database.status();
    Story story;
    const absl::Status whole =
        events::make_local_event_log(**database)->read(0, [&](LogEntry&& entry) {
          return follow(**database, entry, story), true;
        });
    ASSERT_TRUE(whole.ok()) << whole;  // a gap of positions is DataLoss
    for (const std::string& id : acknowledged_) lost_ += story.times_seen.contains(id) ? 0 : 1;
    for (const auto& [id, times] : story.times_seen) doubled_ += times > 1 ? 1 : 0;
    EXPECT_EQ(lost_, 0U);
    EXPECT_EQ(doubled_, 0U);
    EXPECT_EQ(story.wrong_dedupe, 0U);
    EXPECT_EQ(story.wrong_owner, 0U);
    EXPECT_EQ(count(**database, Family::dedupe), story.events);
    expect_people_agree(**database, story);
    expect_books_agree(**database);
    events_ = story.events;
  }

  // Checkpoint and replay end where applying the whole log does.
  void expect_books_agree(store::Database& database) {
    Metrics metrics;
    Books restored(database, metrics);
    const auto log = events::make_local_event_log(database);
    const absl::Status replayed = events::replay(*log, database, restored.all, {});
    ASSERT_TRUE(replayed.ok()) << replayed;
    profiles::ProfileBook profiles(restored.numbers);
    profiles::PopularityBook popularity(restored.numbers);
    ASSERT_TRUE(log->read(0,
                          [&](LogEntry&& entry) {
                            profiles.apply(entry);
                            popularity.apply(entry);
                            return true;
                          })
                    .ok());
    EXPECT_EQ(restored.profiles.size(), profiles.size());
    EXPECT_EQ(restored.profiles.fingerprint(), profiles.fingerprint());
    EXPECT_EQ(restored.popularity.fingerprint(), popularity.fingerprint());
    const auto stored = database.get(Family::checkpoints, "profiles");
    if (stored.ok() && stored->has_value()) ++rounds_with_checkpoint_;
  }

  const TempFolder folder_;
  StringSet acknowledged_;
  std::size_t lost_ = 0;
  std::size_t doubled_ = 0;
  std::size_t events_ = 0;
  int rounds_with_checkpoint_ = 0;
};

TEST_F(CrashTest, NothingAcknowledgedIsLostAndNothingIsThereTwice) {
  constexpr int k_rounds = 30;
  Random random(20261122);
  int round = 0;
  for (; round < k_rounds && !HasFailure(); ++round) {
    crash(round, random);
    if (!HasFatalFailure()) judge();
  }
  std::printf(
      "crash: %d rounds, %zu events in the log, %zu ids acknowledged, %zu lost, %zu double\n",
      round, events_, acknowledged_.size(), lost_, doubled_);
  EXPECT_GT(acknowledged_.size(), 1000U) << "the rounds must have written something";
  EXPECT_GT(rounds_with_checkpoint_, k_rounds / 2) << "and checkpoints too";
}

}  // namespace
}  // namespace vitrine::crash
