#include "server/events/checkpointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <map>
#include <set>

#include "base/status.h"
#include "server/events/event_log.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/events/support.h"

namespace vitrine::events {
namespace {

// Counts entries by their event id: the counts under keys, how many ids there are in the state.
class CountingProjection final : public Projection {
 public:
  explicit CountingProjection(const store::Database& database)
      : reader_(read_checkpoint_of(name(), database)) {}
  std::string_view name() const override { return "counting"; }
  Position position() const override { return position_; }
  void apply(const LogEntry& entry) override {
    position_ = entry.position;
    ++counts[entry.event()->event_id];
    dirty_.insert(entry.event()->event_id);
    ++applied;
  }
  std::string checkpoint() const override { return form + std::to_string(counts.size()); }
  absl::Status restore(std::string_view state, Position at) override {
    if (!state.starts_with("1:")) return absl::UnimplementedError("another form");
    position_ = at;
    return reader_->walk({}, [&](std::string_view key, std::string_view value) {
      counts[std::string(key)] = std::stoi(std::string(value));
      return true;
    });
  }
  CheckpointPart begin_checkpoint() override {
    std::map<std::string, int> changed;
    for (const std::string& id : dirty_) changed[id] = counts[id];
    writing_ = std::exchange(dirty_, {});
    return [this, changed](CheckpointWriter& out) {
      for (const auto& [id, count] : changed) out.put(id, std::to_string(count));
      if (on_write) on_write();
    };
  }
  void end_checkpoint(bool is_durable) override {
    if (!is_durable) dirty_.merge(writing_);
    writing_.clear();
  }
  std::size_t pinned_bytes() const override { return dirty_.size(); }

  std::map<std::string, int> counts;
  std::string form = "1:";
  std::function<void()> on_write;
  int applied = 0;

 private:
  const std::unique_ptr<CheckpointReader> reader_;
  Position position_ = 0;
  std::set<std::string> dirty_;
  std::set<std::string> writing_;
};

class CheckpointerTest : public testing::Test {
 protected:
  // What one life of a server does: restore, replay, append, end with a kill.
  struct Life {
    Life(store::Database& database, const Checkpointer::Options& options)
        : counting(database),
          checkpointer(database, projections, clock, metrics, *log, options),
          replayed(
              replay(*make_local_event_log(database), database, projections, {}, &checkpointer)),
          committer(database, projections, clock, metrics, *log, {}, &checkpointer) {}
    void append(const std::vector<std::string>& event_ids) {
      for (const std::string& id : event_ids) {
        ASSERT_TRUE(committer
                        .submit_and_wait([&](Batch& batch) {
                          batch.append(entry_of(id));
                          return absl::OkStatus();
                        })
                        .ok());
      }
    }
    absl::Status finish() {
      committer.stop();
      return checkpointer.finish(committer.visible());
    }

    FakeClock clock{1'800'000'000'000};
    Metrics metrics;
    const std::unique_ptr<Log> log = Log::to_stderr(Log::Level::off);
    CountingProjection counting;
    RecordingProjection recording;
    std::array<Projection*, 2> projections{&recording, &counting};
    Checkpointer checkpointer;
    const absl::Status replayed;
    Committer committer;
  };

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
};

const Checkpointer::Options k_never{.entries = 1'000'000};

TEST_F(CheckpointerTest, ARestartReplaysOnlyWhatCameAfterTheCheckpoint) {
  {
    Life life(*database_, k_never);
    life.append({"a", "b", "a"});
    ASSERT_TRUE(life.finish().ok());
    EXPECT_EQ(life.checkpointer.last_durable(), 3U);
  }
  {
    Life life(*database_, k_never);
    EXPECT_EQ(life.counting.applied, 0);
    life.append({"b", "c"});
  }
  database_.reset();
  database_ = open_store(folder_.path());
  Life life(*database_, k_never);

  EXPECT_TRUE(life.replayed.ok()) << life.replayed;
  EXPECT_EQ(life.counting.applied, 2);
  EXPECT_EQ(life.recording.seen, "a b a b c ");
  EXPECT_EQ(life.counting.counts, (std::map<std::string, int>{{"a", 2}, {"b", 2}, {"c", 1}}));
}

TEST_F(CheckpointerTest, WritesAfterSoManyEntriesInTheBackground) {
  std::latch written(1);
  Life life(*database_, {.entries = 3});
  life.counting.on_write = [&] { written.count_down(); };
  life.append({"a", "b"});
  EXPECT_FALSE(written.try_wait());
  life.append({"c"});

  written.wait();
  ASSERT_TRUE(life.finish().ok());
  EXPECT_EQ(life.checkpointer.last_durable(), 3U);
}

TEST_F(CheckpointerTest, WritesAfterSoMuchTimeAndWhenMuchIsPinned) {
  for (const bool by_time : {true, false}) {
    std::latch written(1);
    Life life(*database_, {.entries = 1'000'000, .pinned_bytes = by_time ? 1'000'000U : 2U});
    life.counting.on_write = [&] { written.count_down(); };
    life.append({"a"});
    EXPECT_FALSE(written.try_wait());
    if (by_time) life.clock.advance(k_minute_ms);
    life.append({"b"});

    written.wait();
    life.counting.on_write = nullptr;
  }
}

TEST_F(CheckpointerTest, CommitsGoOnWhileACheckpointIsWritten) {
  std::latch begun(1);
  std::latch go_on(1);
  {
    Life life(*database_, {.entries = 2});
    life.counting.on_write = [&] {
      begun.count_down();
      go_on.wait();
    };
    life.append({"a", "a"});
    begun.wait();
    life.append({"a", "b", "c", "d"});
    EXPECT_EQ(life.committer.visible(), 6U);
    EXPECT_EQ(life.checkpointer.last_durable(), 0U);
    go_on.count_down();
  }
  Life life(*database_, k_never);
  EXPECT_EQ(life.recording.seen, "a a a b c d ");
  EXPECT_EQ(life.counting.counts.at("a"), 3);
}

TEST_F(CheckpointerTest, WhatCouldNotBeWrittenIsPartOfTheNext) {
  auto options = small_store_options();
  {
    Life life(*database_, k_never);
    life.append({"a", "b"});
  }
  database_.reset();
  options.min_free_bytes = UINT64_MAX;
  database_ = std::move(store::Database::open(folder_.path(), options)).value();
  {
    Life life(*database_, k_never);
    EXPECT_EQ(life.counting.counts.size(), 2U);
    EXPECT_EQ(life.finish().code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(life.finish().code(), absl::StatusCode::kUnavailable) << "it is still to be written";
  }
  database_.reset();
  database_ = open_store(folder_.path());
  {
    Life life(*database_, k_never);
    EXPECT_EQ(life.counting.applied, 2) << "the former checkpoint, here none, was left";
    ASSERT_TRUE(life.finish().ok());
  }
  EXPECT_EQ(Life(*database_, k_never).counting.counts.size(), 2U);
}

TEST_F(CheckpointerTest, AStateOfUnknownFormIsReplayedFromTheBeginningAndItsKeysAreGone) {
  {
    Life life(*database_, k_never);
    life.counting.form = "2:";
    life.append({"a", "b"});
    ASSERT_TRUE(life.finish().ok());
  }
  Life life(*database_, k_never);

  EXPECT_TRUE(life.replayed.ok()) << life.replayed;
  EXPECT_EQ(life.counting.applied, 2);
  EXPECT_EQ(life.recording.applied, 0) << "the other one stands";
  EXPECT_FALSE(read_checkpoint_of("counting", *database_)->get("a").value().has_value());
}

TEST_F(CheckpointerTest, ALongReplayIsCheckpointedOnItsWay) {
  {
    Life life(*database_, k_never);
    life.append({"a", "b", "c", "d", "e"});
  }
  {
    const Life life(*database_, {.entries = 2});
    EXPECT_EQ(life.checkpointer.last_durable(), 4U);
  }
  EXPECT_EQ(Life(*database_, k_never).counting.applied, 1);
}

TEST_F(CheckpointerTest, ALongReplayGoesOnWithoutRoomForACheckpoint) {
  {
    Life life(*database_, k_never);
    life.append({"a", "b", "c", "d", "e"});
  }
  database_.reset();
  auto options = small_store_options();
  options.min_free_bytes = UINT64_MAX;
  database_ = std::move(store::Database::open(folder_.path(), options)).value();

  const Life life(*database_, {.entries = 2});

  EXPECT_TRUE(life.replayed.ok()) << life.replayed;
  EXPECT_EQ(life.counting.counts.size(), 5U);
  EXPECT_EQ(life.checkpointer.last_durable(), 0U);
}

TEST_F(CheckpointerTest, TellsTheSameFingerprintForTheSameLogHoweverItWasApplied) {
  std::uint64_t straight = 0;
  {
    Life life(*database_, {.entries = 2});
    life.append({"a", "b", "c"});
    straight = life.recording.fingerprint();
    ASSERT_TRUE(life.finish().ok());
  }
  Life life(*database_, k_never);
  EXPECT_EQ(life.recording.fingerprint(), straight);
  life.append({"d"});
  EXPECT_NE(life.recording.fingerprint(), straight);
}

}  // namespace
}  // namespace vitrine::events
