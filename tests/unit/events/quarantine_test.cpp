#include "server/events/quarantine.h"

#include <gtest/gtest.h>

#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::events {
namespace {

class QuarantineTest : public testing::Test {
 protected:
  std::unique_ptr<Quarantine> open(std::uint64_t events_max) {
    return std::move(Quarantine::open(*database_, {.events_max = events_max})).value();
  }
  void add(Quarantine& quarantine, std::initializer_list<const char*> raws) {
    CommitterOnStore writing(*database_);
    ASSERT_TRUE(writing.committer
                    .submit_and_wait([&](Batch& batch) {
                      for (const char* raw : raws) {
                        quarantine.stage(batch, {.received_ms = batch.time_ms(),
                                                 .source = "shop",
                                                 .code = "missing_id",
                                                 .message = "one of ...",
                                                 .raw = raw});
                      }
                      return absl::OkStatus();
                    })
                    .ok());
  }
  static std::string raws_of(const Quarantine& quarantine, std::uint64_t before,
                             std::size_t limit) {
    std::string raws;
    const auto events = quarantine.list(before, limit).value();
    for (const auto& event : events) raws += event.raw;
    return raws;
  }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
};

TEST_F(QuarantineTest, ListsNewestFirstPageByPageWithEverythingKept) {
  const auto quarantine = open(100);
  EXPECT_EQ(quarantine->size(), 0U);
  EXPECT_TRUE(quarantine->list(0, 10)->empty());
  add(*quarantine, {"a", "b"});
  add(*quarantine, {"c", "\xff\x01"});

  const auto newest = quarantine->list(0, 2).value();
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].raw, "\xff\x01");
  EXPECT_EQ(newest[1].raw, "c");
  EXPECT_EQ(newest[1].source, "shop");
  EXPECT_EQ(newest[1].code, "missing_id");
  EXPECT_EQ(newest[1].message, "one of ...");
  EXPECT_EQ(newest[1].received_ms, CommitterOnStore::k_now_ms);
  EXPECT_EQ(raws_of(*quarantine, newest[1].number, 10), "ba");
}

TEST_F(QuarantineTest, TheOldestMakeRoomAlsoAfterReopening) {
  {
    const auto quarantine = open(3);
    add(*quarantine, {"a", "b", "c", "d"});
    EXPECT_EQ(quarantine->size(), 3U);
    EXPECT_EQ(raws_of(*quarantine, 0, 10), "dcb");
  }
  const auto quarantine = open(3);
  EXPECT_EQ(quarantine->size(), 3U);
  add(*quarantine, {"e"});
  EXPECT_EQ(raws_of(*quarantine, 0, 10), "edc");
}

TEST_F(QuarantineTest, WhatIsTooLongIsCut) {
  const auto quarantine = open(10);
  const std::string long_text(Quarantine::k_raw_bytes_max + 5, 'x');
  add(*quarantine, {long_text.c_str()});
  EXPECT_EQ(quarantine->list(0, 1)->front().raw.size(), Quarantine::k_raw_bytes_max);
}

}  // namespace
}  // namespace vitrine::events
