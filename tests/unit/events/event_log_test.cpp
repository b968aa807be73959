#include "server/events/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "base/status.h"
#include "server/store/key.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/events/support.h"

namespace vitrine::events {
namespace {

class EventLogTest : public testing::Test {
 protected:
  void append(std::initializer_list<const char*> event_ids) {
    CommitterOnStore writing(*database_);
    ASSERT_TRUE(writing.committer
                    .submit_and_wait([&](Batch& batch) {
                      for (const char* id : event_ids) batch.append(entry_of(id));
                      return absl::OkStatus();
                    })
                    .ok());
  }
  void put(store::Family family, std::string_view key, std::string_view value) {
    store::WriteSet changes;
    changes.put(family, key, value);
    ASSERT_TRUE(database_->write(std::move(changes)).ok());
  }
  // So many entries, each with an id of 600 bytes: several times what is read ahead.
  static constexpr Position k_many = 8'000;
  static std::string long_id(Position position) { return fmt::format("{:>0600}", position); }
  void put_many() {
    store::WriteSet changes;
    for (Position position = 1; position <= k_many; ++position) {
      changes.put(store::Family::log, store::key_of(position), encode(entry_of(long_id(position))));
    }
    ASSERT_TRUE(database_->write(std::move(changes)).ok());
  }
  absl::Status replay_into(RecordingProjection& projection) {
    Projection* const all[] = {&projection};
    return replay(*log_, *database_, all, {});
  }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  const std::unique_ptr<EventLog> log_ = make_local_event_log(*database_);
};

TEST_F(EventLogTest, ReadsInOrderFromAnyPositionUntilToldToStop) {
  EXPECT_EQ(log_->last_position(), 0U);
  append({"a", "b", "c", "d"});
  EXPECT_EQ(log_->last_position(), 4U);

  std::string seen;
  const auto status = log_->read(1, [&](LogEntry&& entry) {
    seen += fmt::format("{}{} ", entry.position, entry.event()->event_id);
    EXPECT_EQ(entry.committed_ms, CommitterOnStore::k_now_ms);
    return entry.position < 3;
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(seen, "2b 3c ");
  EXPECT_TRUE(log_->read(4, [](LogEntry&&) { return ADD_FAILURE(), false; }).ok());
}

TEST_F(EventLogTest, AGapAndABrokenEntryAreDataLossNamingThePosition) {
  append({"a"});
  put(store::Family::log, store::key_of(std::uint64_t{3}), encode(entry_of("c")));
  const auto everything = [](LogEntry&&) { return true; };
  absl::Status status = log_->read(0, everything);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(message_of(status)), testing::HasSubstr("position 2"));

  put(store::Family::log, store::key_of(std::uint64_t{2}), "\xff\xff");
  status = log_->read(0, everything);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(message_of(status)), testing::HasSubstr("position 2"));
}

TEST_F(EventLogTest, ManyEntriesComeWholeAndInOrder) {
  put_many();
  Position last = 0;
  const auto status = log_->read(0, [&](LogEntry&& entry) {
    EXPECT_EQ(entry.position, last + 1);
    EXPECT_EQ(entry.event()->event_id, long_id(entry.position));
    last = entry.position;
    return !HasFailure();
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(last, k_many);
}

TEST_F(EventLogTest, ReadingManyEndsWhereItIsToldTo) {
  put_many();
  for (const Position stop : {Position{1'000}, Position{1'025}, Position{3'000}, k_many}) {
    Position last = 0;
    EXPECT_TRUE(log_->read(0,
                           [&](LogEntry&& entry) {
                             last = entry.position;
                             return last < stop;
                           })
                    .ok());
    EXPECT_EQ(last, stop);
  }
  EXPECT_THROW(static_cast<void>(log_->read(0,
                                            [](LogEntry&& entry) {
                                              if (entry.position == 5'000) throw std::bad_alloc();
                                              return true;
                                            })),
               std::bad_alloc);
}

TEST_F(EventLogTest, ABrokenEntryAmongManyIsDataLossAfterAllBeforeIt) {
  put_many();
  constexpr Position k_broken = 6'543;
  put(store::Family::log, store::key_of(k_broken), "\xff\xff");
  Position last = 0;
  const auto status = log_->read(0, [&](LogEntry&& entry) {
    last = entry.position;
    return true;
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(message_of(status)), testing::HasSubstr("position 6543"));
  EXPECT_EQ(last, k_broken - 1);
}

TEST_F(EventLogTest, ReplayWithoutCheckpointStartsAtTheBeginning) {
  append({"a", "b", "c"});
  RecordingProjection projection;
  Projection* const all[] = {&projection};
  Position told = 0;
  ASSERT_TRUE(replay(*log_, *database_, all, [&](Position done, Position last) {
                told = done;
                EXPECT_EQ(last, 3U);
              }).ok());
  EXPECT_EQ(projection.seen, "a b c ");
  EXPECT_EQ(told, 3U);
}

TEST_F(EventLogTest, ReplayGoesOnFromACheckpoint) {
  append({"a", "b", "c"});
  put(store::Family::checkpoints, "recording", store::key_of(std::uint64_t{2}) + "state-of-2 ");
  RecordingProjection projection;
  ASSERT_TRUE(replay_into(projection).ok());
  EXPECT_EQ(projection.seen, "state-of-2 c ");
  EXPECT_EQ(projection.position(), 3U);
}

TEST_F(EventLogTest, ACheckpointOfUnknownFormMeansReplayingEverything) {
  append({"a", "b"});
  put(store::Family::checkpoints, "recording", store::key_of(std::uint64_t{1}) + "another form");
  RecordingProjection projection;
  ASSERT_TRUE(replay_into(projection).ok());
  EXPECT_EQ(projection.seen, "a b ");
}

TEST_F(EventLogTest, ABrokenOrImpossibleCheckpointStopsTheStart) {
  append({"a", "b"});
  for (const std::string& stored :
       {store::key_of(std::uint64_t{1}) + "broken", store::key_of(std::uint64_t{3}) + "the future",
        std::string("short")}) {
    put(store::Family::checkpoints, "recording", stored);
    RecordingProjection projection;
    EXPECT_EQ(replay_into(projection).code(), absl::StatusCode::kDataLoss) << stored;
  }
}

}  // namespace
}  // namespace vitrine::events
