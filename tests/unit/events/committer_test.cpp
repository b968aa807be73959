#include "server/events/committer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "server/events/event_log.h"
#include "tests/support/no_room_once.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/events/support.h"

namespace vitrine::events {
namespace {

using store::Family;

class FunctionCommand final : public Command {
 public:
  FunctionCommand(std::function<absl::Status(Batch&)> stage,
                  std::function<void(const absl::Status&, Position)> answer)
      : stage_(std::move(stage)), answer_(std::move(answer)) {}
  absl::Status stage(Batch& batch) override { return stage_(batch); }
  void answer(const absl::Status& status, Position visible) override { answer_(status, visible); }

 private:
  std::function<absl::Status(Batch&)> stage_;
  std::function<void(const absl::Status&, Position)> answer_;
};

// Keeps the committer inside one command, so that what is submitted meanwhile shares a batch.
class HeldCommitter {
 public:
  explicit HeldCommitter(Committer& committer) {
    std::promise<void> entered;
    auto waiting = entered.get_future();
    EXPECT_TRUE(committer
                    .submit(std::make_unique<FunctionCommand>(
                        [this, &entered](Batch&) {
                          entered.set_value();
                          released_.get_future().wait();
                          return absl::OkStatus();
                        },
                        [](const absl::Status&, Position) {}))
                    .ok());
    waiting.wait();
  }
  void release() { released_.set_value(); }

 private:
  std::promise<void> released_;
};

class UnawaitedCommand final : public Command {
 public:
  explicit UnawaitedCommand(std::function<void(Batch&)> stage) : stage_(std::move(stage)) {}
  absl::Status stage(Batch& batch) override {
    stage_(batch);
    return absl::OkStatus();
  }
  bool is_awaited() const override { return false; }
  void answer(const absl::Status& status, Position) override { EXPECT_TRUE(status.ok()); }

 private:
  const std::function<void(Batch&)> stage_;
};

class CommitterTest : public testing::Test {
 protected:
  // Submits a command and notes its answer.
  void submit(Committer& committer, std::string name, std::function<absl::Status(Batch&)> stage) {
    ASSERT_TRUE(committer
                    .submit(std::make_unique<FunctionCommand>(
                        std::move(stage),
                        [this, name](const absl::Status& status, Position visible) {
                          answers_ +=
                              name + (status.ok() ? "+" : "-") + std::to_string(visible) + " ";
                        }))
                    .ok());
  }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::string answers_;  // written on the committer thread, read after stop()
};

TEST_F(CommitterTest, AnAnsweredCommandIsDurableVisibleAndProjected) {
  RecordingProjection projection;
  {
    CommitterOnStore on(*database_, {&projection});
    const auto position = on.committer.submit_and_wait([](Batch& batch) {
      EXPECT_EQ(batch.append(entry_of("a")), 1U);
      EXPECT_EQ(batch.append(entry_of("b")), 2U);
      EXPECT_EQ(batch.last_position(), 2U);
      batch.put(Family::meta, "k", "v");
      return absl::OkStatus();
    });
    EXPECT_EQ(position.value(), 2U);
    EXPECT_EQ(on.committer.visible(), 2U);
    EXPECT_EQ(projection.seen, "a b ");
    EXPECT_EQ(database_->get(Family::meta, "k").value(), "v");
    EXPECT_EQ(make_local_event_log(*database_)->last_position(), 2U);
  }
  CommitterOnStore next(*database_, {&projection});
  EXPECT_EQ(next.committer.visible(), 2U);
  EXPECT_EQ(next.committer
                .submit_and_wait([](Batch& batch) {
                  batch.append(entry_of("c"));
                  return absl::OkStatus();
                })
                .value(),
            3U);
}

TEST_F(CommitterTest, ALaterCommandOfABatchSeesWhatEarlierOnesStaged) {
  CommitterOnStore on(*database_);
  HeldCommitter held(on.committer);
  submit(on.committer, "first", [](Batch& batch) {
    batch.put(Family::meta, "spent", "6");
    batch.put(Family::meta, "gone", "soon");
    batch.append(entry_of("a"));
    return absl::OkStatus();
  });
  submit(on.committer, "second", [this](Batch& batch) {
    EXPECT_EQ(batch.get(Family::meta, "spent").value(), "6");
    EXPECT_EQ(database_->get(Family::meta, "spent").value(), std::nullopt) << "not yet durable";
    EXPECT_TRUE(batch.has_staged(Family::meta, "spent"));
    EXPECT_FALSE(batch.has_staged(Family::ids, "spent"));
    EXPECT_EQ(batch.last_position(), 1U);
    batch.erase(Family::meta, "gone");
    EXPECT_EQ(batch.get(Family::meta, "gone").value(), std::nullopt);
    EXPECT_FALSE(batch.has_staged(Family::meta, "gone"));
    return absl::OkStatus();
  });
  submit(on.committer, "third", [](Batch& batch) {
    return batch.has_staged(Family::meta, "spent") ? absl::InvalidArgumentError("spent already")
                                                   : absl::OkStatus();
  });
  submit(on.committer, "fourth", [](Batch& batch) {
    batch.append(entry_of("b"));
    return absl::OkStatus();
  });
  held.release();
  on.committer.stop();
  EXPECT_EQ(answers_, "first+2 second+2 third-2 fourth+2 ");
}

TEST_F(CommitterTest, PublishesBeforeProjectingAndAnswersLast) {
  struct OrderProjection final : Projection {
    explicit OrderProjection(std::string& out) : order(out) {}
    std::string_view name() const override { return "order"; }
    void apply(const LogEntry& entry) override {
      order += "apply ";
      last = entry.position;
    }
    Position position() const override { return last; }
    std::string& order;
    Position last = 0;
  };
  OrderProjection projection(answers_);
  CommitterOnStore on(*database_, {&projection});
  submit(on.committer, "answer", [this](Batch& batch) {
    batch.append(entry_of("a"));
    batch.after_sync([this, database = database_.get()] {
      EXPECT_TRUE(database->last_key(Family::log).has_value());
      answers_ += "publish ";
    });
    return absl::OkStatus();
  });
  on.committer.stop();
  EXPECT_EQ(answers_, "publish apply answer+1 ");
}

TEST_F(CommitterTest, WhatCannotBeWrittenLeavesNothingBehindAndTheNextBatchStartsClean) {
  NoRoomOnce narrow(*database_);
  RecordingProjection projection;
  CommitterOnStore on(narrow, {&projection});
  const auto stage = [this](Batch& batch) {
    batch.staged_by<int>(this, [&] {
      batch.after_sync([this] { answers_ += "published "; });
      answers_ += "made ";
      return std::make_shared<int>(0);
    });
    batch.append(entry_of("a"));
    return absl::OkStatus();
  };
  EXPECT_EQ(on.committer.submit_and_wait(stage).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(on.committer.visible(), 0U);
  EXPECT_EQ(projection.applied, 0);

  EXPECT_EQ(on.committer.submit_and_wait(stage).value(), 1U);
  EXPECT_EQ(projection.seen, "a ");
  EXPECT_EQ(answers_, "made made published ");
}

TEST_F(CommitterTest, AFullQueueRefusesAndAStoppedOneIsUnavailable) {
  CommitterOnStore on(*database_, {}, {.queue_max = 2});
  HeldCommitter held(on.committer);
  const auto nothing = [](Batch&) { return absl::OkStatus(); };
  submit(on.committer, "a", nothing);
  submit(on.committer, "b", nothing);
  EXPECT_EQ(on.committer.submit_and_wait(nothing).status().code(),
            absl::StatusCode::kResourceExhausted);
  held.release();
  on.committer.stop();
  EXPECT_EQ(answers_, "a+0 b+0 ") << "what was queued is finished";
  EXPECT_EQ(on.committer.submit_and_wait(nothing).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(CommitterTest, ABatchEndsAtItsBytes) {
  CommitterOnStore on(*database_, {}, {.batch_bytes_max = 1000});
  HeldCommitter held(on.committer);
  std::vector<Position> positions_before;
  for (int i = 0; i < 4; ++i) {
    submit(on.committer, "x", [&](Batch& batch) {
      // What an earlier batch wrote is durable by now, what this batch staged is not.
      positions_before.push_back(batch.last_position());
      const auto durable = database_->last_key(Family::log);
      EXPECT_EQ(durable.has_value(), batch.last_position() > 0);
      batch.append(entry_of(std::string(900, 'x')));
      batch.put(Family::meta, std::to_string(batch.last_position()), std::string(200, 'y'));
      return absl::OkStatus();
    });
  }
  held.release();
  on.committer.stop();
  EXPECT_EQ(positions_before, (std::vector<Position>{0, 1, 2, 3}));
  EXPECT_EQ(answers_, "x+1 x+2 x+3 x+4 ");
}

TEST_F(CommitterTest, WaitingForAPositionEndsWhenItIsVisible) {
  CommitterOnStore on(*database_);
  EXPECT_TRUE(on.committer.wait_until_visible(0, 0));
  EXPECT_FALSE(on.committer.wait_until_visible(1, 1));
  auto waiting =
      std::async(std::launch::async, [&] { return on.committer.wait_until_visible(1, 60'000); });
  submit(on.committer, "a", [](Batch& batch) {
    batch.append(entry_of("a"));
    return absl::OkStatus();
  });
  EXPECT_TRUE(waiting.get());
}

TEST_F(CommitterTest, ManyProducersGetDensePositions) {
  RecordingProjection projection;
  CommitterOnStore on(*database_, {&projection});
  std::vector<std::thread> producers;
  for (int i = 0; i < 4; ++i) {
    producers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        Position own = 0;
        const auto visible = on.committer.submit_and_wait([&](Batch& batch) {
          own = batch.append(entry_of("e"));
          return absl::OkStatus();
        });
        EXPECT_GE(visible.value(), own);
      }
    });
  }
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(projection.applied, 400);
  EXPECT_EQ(on.committer.visible(), 400U);
}

TEST_F(CommitterTest, WhatNobodyAwaitsIsWrittenWithoutASyncOfItsOwn) {
  CommitterOnStore on(*database_);
  ASSERT_TRUE(on.committer
                  .submit(std::make_unique<UnawaitedCommand>(
                      [](Batch& batch) { batch.put(Family::meta, "k", "v"); }))
                  .ok());
  on.committer.stop();
  EXPECT_EQ(database_->get(Family::meta, "k").value(), "v");
  EXPECT_THAT(on.metrics.text(), testing::HasSubstr("vitrine_commit_unsynced_batches_total 1"));
  EXPECT_THAT(on.metrics.text(), testing::HasSubstr("vitrine_commit_sync_seconds_count 0"));
}

TEST_F(CommitterTest, WhatNobodyAwaitsRidesBeforeTheCommandThatFollowsIt) {
  constexpr TimeMs k_an_hour = 3'600'000;
  CommitterOnStore on(*database_, {}, {.unawaited_wait_ms = k_an_hour});
  ASSERT_TRUE(on.committer
                  .submit(std::make_unique<UnawaitedCommand>(
                      [](Batch& batch) { batch.put(Family::meta, "shown", "v"); }))
                  .ok());
  const auto after = on.committer.submit_and_wait([](Batch& batch) {
    EXPECT_EQ(batch.get(Family::meta, "shown").value(), "v");
    batch.append(entry_of("a"));
    return absl::OkStatus();
  });
  EXPECT_EQ(after.value(), 1U);
  EXPECT_THAT(on.metrics.text(), testing::HasSubstr("vitrine_commit_unsynced_batches_total 0"));
}

TEST(CommitterDeathTest, WhatNobodyAwaitsMayNotAppendToTheLog) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const TempFolder folder;
  EXPECT_DEATH(
      {
        const auto database = open_store(folder.path());
        CommitterOnStore on(*database);
        on.committer
            .submit(std::make_unique<UnawaitedCommand>(
                [](Batch& batch) { batch.append(entry_of("a")); }))
            .IgnoreError();
        on.committer.stop();
      },
      "appends nothing to the log");
}

TEST(CommitterDeathTest, ARefusedCommandThatStagedSomethingIsABrokenPromise) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const TempFolder folder;
  EXPECT_DEATH(
      {
        const auto database = open_store(folder.path());
        CommitterOnStore on(*database);
        on.committer
            .submit_and_wait([](Batch& batch) {
              batch.append(entry_of("a"));
              return absl::InvalidArgumentError("no");
            })
            .status()
            .IgnoreError();
      },
      "staged nothing");
}

}  // namespace
}  // namespace vitrine::events
