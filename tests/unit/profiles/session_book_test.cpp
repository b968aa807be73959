#include "server/profiles/session_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "base/random.h"
#include "server/profiles/profile_book.h"
#include "tests/unit/profiles/entries.h"

namespace vitrine::profiles {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SessionBookTest : public ::testing::Test {
 protected:
  void use(const SessionBook::Options& options) { book_.emplace(numbers_, options); }

  void apply(LogEntry entry) {
    entry.committed_ms = k_now_ms;
    book_->apply(entry);
  }
  void click(const std::string& session, const std::string& product, TimeMs time_ms,
             std::uint32_t person = 1) {
    apply(entries_.event(person, EventType::view, product, time_ms, {}, session));
  }

  std::vector<std::string> clicks_of(std::uint64_t key) {
    const auto session = book_->find(key);
    SessionBook::Session found;
    if (!session || !book_->read(*session, found)) return {};
    std::vector<std::string> ids;
    for (const ProductNumber product : found.clicks()) ids.emplace_back(numbers_.id_of(product));
    return ids;
  }
  std::vector<std::string> clicks_of(const std::string& id) {
    return clicks_of(session_key_of(id));
  }

  // Each as its clicks, latest session first.
  std::vector<std::vector<std::string>> sessions_of(const std::string& product,
                                                    std::size_t limit = 100) {
    std::vector<SessionOfProduct> sessions;
    book_->sessions_of(numbers_.number_of(product), limit, sessions);
    std::vector<std::vector<std::string>> all;
    for (const SessionOfProduct& entry : sessions) {
      SessionBook::Session found;
      std::vector<std::string>& ids = all.emplace_back();
      if (!book_->read(entry.session, found)) continue;
      for (const ProductNumber number : found.clicks()) ids.emplace_back(numbers_.id_of(number));
    }
    return all;
  }

  catalog::ProductNumbers numbers_;
  std::optional<SessionBook> book_{numbers_};
  Entries entries_;
};

TEST_F(SessionBookTest, ASecondUserOfADeviceBeginsASessionAlsoUnderTheSameSessionId) {
  const auto click_on_device = [&](std::uint32_t user, const std::string& product, TimeMs time_ms) {
    LogEntry entry = entries_.event(user, EventType::view, product, time_ms, {}, "s");
    entry.visitor = UserNumber(9);
    apply(entry);
  };
  click_on_device(9, "a", 10);
  apply(entries_.link(9, 9, 1));  // the first user: it was theirs already
  click_on_device(1, "b", 20);
  EXPECT_EQ(clicks_of("s"), (std::vector<std::string>{"a", "b"}));
  click("other", "x", 25);
  apply(entries_.link(9, 1, 2));
  EXPECT_EQ(clicks_of("s"), std::vector<std::string>{}) << "nothing of the first one's is shown";
  click_on_device(2, "c", 30);
  EXPECT_EQ(clicks_of("s"), std::vector<std::string>{"c"});
  EXPECT_EQ(clicks_of("other"), std::vector<std::string>{"x"});
  EXPECT_EQ(sessions_of("a").size(), 1U) << "what the first one did is learnt from as before";
}

TEST_F(SessionBookTest, SessionsOfWhoIsErasedAreGoneAndNoOthers) {
  click("s", "a", 10);
  click("s", "b", 20);
  click("kept", "a", 10, 2);
  click("kept", "b", 20, 2);
  apply(entries_.event(3, EventType::view, "a", 30));  // without a session id
  apply(entries_.event(4, EventType::view, "a", 30));
  apply(entries_.erasure({UserNumber(3)}, {session_key_of("s")}));
  EXPECT_EQ(clicks_of("s"), std::vector<std::string>{});
  EXPECT_EQ(clicks_of(unnamed_session_key(UserNumber(3))), std::vector<std::string>{});
  EXPECT_EQ(clicks_of(unnamed_session_key(UserNumber(4))), std::vector<std::string>{"a"});
  EXPECT_EQ(sessions_of("a"), (std::vector<std::vector<std::string>>{{"a", "b"}}));
  EXPECT_EQ(book_->size(), 1U);
}

TEST_F(SessionBookTest, KeepsTheClicksOfASessionInTheOrderOfTheirTimes) {
  click("s", "b", 20);
  click("s", "a", 10);
  click("s", "c", 30);
  click("s", "c", 40);
  EXPECT_THAT(clicks_of("s"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(clicks_of("other"), IsEmpty());
}

TEST_F(SessionBookTest, CountsWhatShowsInterestAndNothingElse) {
  for (const EventType type : all_event_types()) {
    apply(entries_.event(1, type, "p-" + std::string(name_of(type)), 10, {}, "s"));
  }
  EXPECT_THAT(clicks_of("s"),
              testing::UnorderedElementsAre("p-view", "p-click", "p-cart_add", "p-wish_add"));
}

TEST_F(SessionBookTest, LeadsFromAProductToItsSessionsTheLatestFirst) {
  click("old", "a", 10);
  click("old", "b", 11);
  click("new", "a", 20);
  click("new", "c", 21);
  EXPECT_THAT(sessions_of("a"), ElementsAre(ElementsAre("a", "c"), ElementsAre("a", "b")));
  EXPECT_THAT(sessions_of("a", 1), ElementsAre(ElementsAre("a", "c")));
  EXPECT_THAT(sessions_of("b"), ElementsAre(ElementsAre("a", "b")));
  EXPECT_EQ(book_->session_count_of(numbers_.number_of("a")), 2U);

  click("old", "a", 30);
  EXPECT_THAT(sessions_of("a"), ElementsAre(ElementsAre("a", "b", "a"), ElementsAre("a", "c")));
  EXPECT_EQ(book_->session_count_of(numbers_.number_of("a")), 2U);
}

TEST_F(SessionBookTest, DoesNotLeadToASessionOfOneProduct) {
  click("s", "a", 10);
  click("s", "a", 20);
  EXPECT_THAT(sessions_of("a"), IsEmpty());
  EXPECT_EQ(book_->size(), 0U);

  click("s", "b", 30);
  EXPECT_THAT(sessions_of("a"), ElementsAre(ElementsAre("a", "b")));
  EXPECT_EQ(book_->size(), 1U);
}

TEST_F(SessionBookTest, TellsSessionsWithoutAnIdApartByVisitorAndPause) {
  const auto view = [&](std::uint32_t visitor, const std::string& product, TimeMs time_ms) {
    LogEntry entry = entries_.view(9, product, time_ms);  // both are one user
    entry.visitor = UserNumber(visitor);
    apply(std::move(entry));
  };
  view(1, "a", k_now_ms);
  view(2, "x", k_now_ms + 1);
  view(1, "b", k_now_ms + SessionBook::k_session_gap_ms);
  EXPECT_THAT(clicks_of(unnamed_session_key(UserNumber(1))), ElementsAre("a", "b"));
  EXPECT_THAT(clicks_of(unnamed_session_key(UserNumber(2))), ElementsAre("x"));

  view(1, "c", k_now_ms + 2 * SessionBook::k_session_gap_ms + 1);
  EXPECT_THAT(clicks_of(unnamed_session_key(UserNumber(1))), ElementsAre("c"));
  EXPECT_THAT(sessions_of("a"), ElementsAre(ElementsAre("a", "b")));
}

TEST_F(SessionBookTest, PutsAnEventOfNobodyWithoutASessionNowhere) {
  apply(entries_.view(0, "a", 10));
  apply(entries_.view(0, "b", 11));
  EXPECT_THAT(sessions_of("a"), IsEmpty());
  click("s", "a", 10, 0);
  EXPECT_THAT(clicks_of("s"), ElementsAre("a"));
}

TEST_F(SessionBookTest, KeepsTheLatestClicksOfALongSession) {
  for (std::size_t i = 0; i <= SessionBook::k_clicks_max; ++i) {
    click("s", "p" + std::to_string(i), static_cast<TimeMs>(100 + i));
  }
  const auto clicks = clicks_of("s");
  EXPECT_EQ(clicks.size(), SessionBook::k_clicks_max);
  EXPECT_EQ(clicks.front(), "p1");
  EXPECT_THAT(sessions_of("p0"), IsEmpty());
  EXPECT_EQ(book_->session_count_of(numbers_.number_of("p0")), 0U);

  click("s", "too late", 1);
  EXPECT_EQ(clicks_of("s"), clicks);
  EXPECT_EQ(book_->session_count_of(numbers_.number_of("too late")), 0U);
}

TEST_F(SessionBookTest, ForgetsTheSessionThatWasQuietForLongestPastItsLimit) {
  use({.sessions_max = 2});
  click("1", "a", 10);
  click("1", "b", 11);
  click("2", "a", 20);
  click("2", "c", 21);
  click("1", "d", 30);
  const auto forgotten = book_->find(session_key_of("2"));

  click("3", "a", 40);
  click("3", "e", 41);

  EXPECT_THAT(clicks_of("2"), IsEmpty());
  EXPECT_THAT(sessions_of("a"), ElementsAre(ElementsAre("a", "e"), ElementsAre("a", "b", "d")));
  EXPECT_THAT(sessions_of("c"), IsEmpty());
  SessionBook::Session session;
  EXPECT_FALSE(book_->read(*forgotten, session)) << "its place belongs to another session";
}

TEST_F(SessionBookTest, ForgetsWhatIsOlderThanItsAge) {
  use({.age_ms_max = k_day_ms});
  click("1", "a", k_now_ms - k_day_ms - 1);
  click("1", "b", k_now_ms - k_day_ms - 1);
  EXPECT_EQ(book_->size(), 1U);
  click("2", "a", k_now_ms);
  EXPECT_EQ(book_->size(), 0U);
  click("3", "a", k_now_ms - k_day_ms - 1);
  EXPECT_THAT(clicks_of("3"), IsEmpty());
}

TEST_F(SessionBookTest, IsNotEmptiedByADateFarInTheFuture) {
  click("1", "a", k_now_ms);
  click("1", "b", k_now_ms);
  click("2", "a", k_now_ms + 10'000 * k_day_ms);
  EXPECT_EQ(book_->size(), 1U);
}

TEST_F(SessionBookTest, LeadsToTheLatestSessionsOfAProductOnlyPastItsLimit) {
  use({.sessions_of_product_max = 2});
  for (int i = 0; i < 3; ++i) {
    click(std::to_string(i), "a", 10 * i);
    click(std::to_string(i), "b" + std::to_string(i), 10 * i + 1);
  }
  EXPECT_THAT(sessions_of("a"), ElementsAre(ElementsAre("a", "b2"), ElementsAre("a", "b1")));
  EXPECT_EQ(book_->session_count_of(numbers_.number_of("a")), 3U);
}

TEST_F(SessionBookTest, IgnoresEntriesItHasApplied) {
  const LogEntry entry = entries_.event(1, EventType::view, "a", 10, {}, "s");
  apply(entry);
  apply(entries_.event(1, EventType::view, "b", 11, {}, "s"));
  LogEntry again = entries_.event(1, EventType::view, "c", 12, {}, "s");
  again.position = entry.position;
  apply(std::move(again));
  EXPECT_THAT(clicks_of("s"), ElementsAre("a", "b"));
  EXPECT_EQ(book_->position(), 2U);
}

TEST_F(SessionBookTest, EndsInTheSameStateWhateverTheOrderOfArrival) {
  Random random(5);
  std::vector<LogEntry> all;
  for (int i = 0; i < 600; ++i) {
    all.push_back(entries_.event(1, EventType::view, "p" + std::to_string(random.below(15)),
                                 static_cast<TimeMs>(random.below(100)), {},
                                 "s" + std::to_string(random.below(40))));
  }
  const auto state = [&] {
    std::vector<std::vector<std::string>> clicks;
    for (int i = 0; i < 40; ++i) clicks.push_back(clicks_of("s" + std::to_string(i)));
    return clicks;
  };
  const auto state_of = [&](const std::vector<LogEntry>& entries) {
    book_.emplace(numbers_);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      LogEntry entry = entries[i];
      entry.position = i + 1;
      apply(std::move(entry));
    }
    std::vector<std::size_t> counts;
    for (int i = 0; i < 15; ++i) {
      counts.push_back(book_->session_count_of(numbers_.number_of("p" + std::to_string(i))));
    }
    return std::pair(state(), counts);
  };
  const auto expected = state_of(all);
  ASSERT_EQ(book_->size(), 40U);
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
    EXPECT_EQ(state_of(all), expected);
  }
}

// Products of a session are all of one hundred: a torn read would mix them.
TEST_F(SessionBookTest, IsReadWhileItIsWritten) {
  use({.sessions_max = 4});
  for (std::uint32_t i = 0; i < 1000; ++i) numbers_.number_of("p" + std::to_string(i));
  std::atomic<bool> is_done = false;
  std::atomic<std::size_t> reads = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      std::vector<SessionOfProduct> sessions;
      SessionBook::Session session;
      while (!is_done || reads == 0) {
        for (std::uint32_t product = 0; product < 1000; product += 50) {
          book_->sessions_of(ProductNumber(product), 10, sessions);
          for (const SessionOfProduct& entry : sessions) {
            if (!book_->read(entry.session, session)) continue;
            ++reads;
            for (const ProductNumber click : session.clicks()) {
              ASSERT_EQ(click.value() / 100, session.products[0].value() / 100);
            }
          }
        }
      }
    });
  }
  for (int i = 0; i < 20'000; ++i) {
    const int session = i / 20;
    click(std::to_string(session), "p" + std::to_string(session % 10 * 100 + i % 2 * 50), i);
  }
  is_done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(reads, 0U);
}

// The keys of a checkpoint, in memory.
using Kept = std::map<std::string, std::string, std::less<>>;

class KeptWriter final : public events::CheckpointWriter {
 public:
  explicit KeptWriter(Kept& kept) : kept_(kept) {}
  void put(std::string_view key, std::string_view value) override {
    kept_.insert_or_assign(std::string(key), std::string(value));
  }
  void erase(std::string_view key) override { kept_.erase(std::string(key)); }

 private:
  Kept& kept_;
};

class KeptReader final : public events::CheckpointReader {
 public:
  explicit KeptReader(const Kept& kept) : kept_(kept) {}
  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override {
    const auto found = kept_.find(key);
    if (found == kept_.end()) return std::nullopt;
    return found->second;
  }
  absl::Status walk(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    for (const auto& [key, value] : kept_) {
      if (key.starts_with(prefix) && !visit(key, value)) break;
    }
    return absl::OkStatus();
  }

 private:
  const Kept& kept_;
};

class SessionCheckpointTest : public ::testing::Test {
 protected:
  void open() { book_.emplace(numbers_, options_, std::make_unique<KeptReader>(kept_)); }
  void keep(bool is_durable = true) {
    small_ = book_->checkpoint();
    KeptWriter writer(is_durable ? kept_ : lost_);
    book_->begin_checkpoint()(writer);
    book_->end_checkpoint(is_durable);
  }
  // Clicks of named and unnamed sessions; some of them are forgotten, some begin anew.
  LogEntry some_entry(Random& random) {
    const bool is_named = random.below(2) == 0;
    clock_ms_ += static_cast<TimeMs>(random.below(400'000));
    LogEntry entry =
        entries_.event(static_cast<std::uint32_t>(1 + random.below(10)), EventType::view,
                       "p" + std::to_string(random.below(12)), clock_ms_, {},
                       is_named ? "s" + std::to_string(random.below(30)) : "");
    entry.committed_ms = clock_ms_;
    return entry;
  }

  const SessionBook::Options options_{.sessions_max = 25};
  catalog::ProductNumbers numbers_;
  Kept kept_;
  Kept lost_;
  std::string small_;
  std::optional<SessionBook> book_;
  Entries entries_;
  TimeMs clock_ms_ = k_now_ms;
};

TEST_F(SessionCheckpointTest, AndWhatCameAfterItAreTheWholeState) {
  Random random(3);
  open();
  SessionBook recount(numbers_, options_);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 40; ++i) {
      const LogEntry entry = some_entry(random);
      book_->apply(entry);
      recount.apply(entry);
    }
    keep(round % 4 != 2);
    if (round % 4 != 3) continue;

    const Position at = book_->position();
    open();
    ASSERT_TRUE(book_->restore(small_, at).ok());
    EXPECT_EQ(book_->position(), at);
    EXPECT_EQ(book_->size(), recount.size());
    EXPECT_EQ(book_->fingerprint(), recount.fingerprint());
  }
  EXPECT_EQ(kept_.size(), options_.sessions_max);
  for (std::uint32_t product = 0; product < numbers_.size(); ++product) {
    EXPECT_EQ(book_->session_count_of(ProductNumber(product)),
              recount.session_count_of(ProductNumber(product)));
  }
}

TEST_F(SessionCheckpointTest, OfAnotherFormOrDamagedIsNotTaken) {
  Random random(4);
  open();
  for (int i = 0; i < 40; ++i) book_->apply(some_entry(random));
  keep();
  open();
  EXPECT_EQ(book_->restore("another form", 40).code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(book_->restore("", 40).code(), absl::StatusCode::kUnimplemented);
  kept_.begin()->second.pop_back();
  EXPECT_EQ(book_->restore(small_, 40).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vitrine::profiles
