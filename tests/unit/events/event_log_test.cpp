#include "server/events/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
