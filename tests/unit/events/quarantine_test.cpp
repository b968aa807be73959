#include "server/events/quarantine.h"

#include <gtest/gtest.h>

#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::events {
namespace {

class QuarantineTest : public testing::Test {
 protected:
  std::unique_ptr<Quarantine> open(std::uint64_t events_max) {
    // One reason may take it all: most tests know one only.
    return open_with({.events_max = events_max, .code_share_percent = 100});
  }
  std::unique_ptr<Quarantine> open_with(const Quarantine::Options& options) {
    return std::move(Quarantine::open(*database_, options)).value();
  }
  void add_one(Quarantine& quarantine, const char* code, const char* raw, const char* source = "a",
               TimeMs age_ms = 0) {
    CommitterOnStore writing(*database_);
    ASSERT_TRUE(writing.committer
                    .submit_and_wait([&](Batch& batch) {
                      quarantine.stage(batch, {.received_ms = batch.time_ms() - age_ms,
                                               .source = source,
                                               .code = code,
                                               .message = "",
                                               .raw = raw});
                      return absl::OkStatus();
                    })
                    .ok());
  }
  static std::string raws_of(const Quarantine& quarantine, const QuarantineFilter& filter) {
    std::string raws;
    const auto page = quarantine.list(filter, 0, 100).value();
    for (const auto& event : page.events) raws += event.raw;
    return raws;
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
    const auto events = quarantine.list({}, before, limit).value().events;
    for (const auto& event : events) raws += event.raw;
    return raws;
  }

  const TempFolder folder_;
  const std::unique_ptr<store::Database> database_ = open_store(folder_.path());
};

TEST_F(QuarantineTest, ListsNewestFirstPageByPageWithEverythingKept) {
  const auto quarantine = open(100);
  EXPECT_EQ(quarantine->size(), 0U);
  EXPECT_TRUE(quarantine->list({}, 0, 10)->events.empty());
  add(*quarantine, {"a", "b"});
  add(*quarantine, {"c", "\xff\x01"});

  const auto newest = quarantine->list({}, 0, 2).value().events;
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
  EXPECT_EQ(quarantine->list({}, 0, 1)->events.front().raw.size(), Quarantine::k_raw_bytes_max);
}

TEST_F(QuarantineTest, AFloodOfOneReasonLeavesTheOthers) {
  const auto quarantine = open_with({.events_max = 8});
  add_one(*quarantine, "missing_id", "k");
  for (const char* raw : {"a", "b", "c", "d", "e", "f"}) add_one(*quarantine, "unknown_type", raw);
  EXPECT_EQ(raws_of(*quarantine, {}), "fedck") << "half of the 8, and what was there before";
}

TEST_F(QuarantineTest, BytesAreBounded) {
  const auto quarantine = open_with({.bytes_max = 1500, .code_share_percent = 100});
  const std::string large(1000, 'x');
  add_one(*quarantine, "missing_id", "a");
  add_one(*quarantine, "missing_id", large.c_str());
  EXPECT_EQ(quarantine->size(), 2U);
  add_one(*quarantine, "missing_id", large.c_str());
  EXPECT_EQ(quarantine->size(), 1U) << "the oldest made room";
}

TEST_F(QuarantineTest, WhatIsTooOldGoesWithTheNextThatComes) {
  const auto forgetful = open_with({.age_ms_max = k_day_ms});
  add_one(*forgetful, "missing_id", "old", "a", 2 * k_day_ms);
  add_one(*forgetful, "missing_id", "b");
  EXPECT_EQ(raws_of(*forgetful, {}), "b");
}

TEST_F(QuarantineTest, FiltersByReasonSourceAndTimeAndGoesOnWhereAPageEnded) {
  const auto quarantine = open(100);
  add_one(*quarantine, "missing_id", "a", "web", 3 * k_day_ms);
  add_one(*quarantine, "unknown_type", "b", "web");
  add_one(*quarantine, "missing_id", "c", "app");
  add_one(*quarantine, "missing_id", "d", "web");
  const TimeMs day_ago_ms = CommitterOnStore::k_now_ms - k_day_ms;
  EXPECT_EQ(raws_of(*quarantine, {.code = "missing_id"}), "dca");
  EXPECT_EQ(raws_of(*quarantine, {.source = "web"}), "dba");
  EXPECT_EQ(raws_of(*quarantine, {.code = "missing_id", .source = "web", .from_ms = day_ago_ms}),
            "d");
  EXPECT_EQ(raws_of(*quarantine, {.until_ms = day_ago_ms}), "a");
  EXPECT_EQ(raws_of(*quarantine, {.code = "no_such"}), "");

  const auto first = quarantine->list({.source = "web"}, 0, 2).value();
  ASSERT_EQ(first.events.size(), 2U);
  const auto second = quarantine->list({.source = "web"}, first.next_before, 2).value();
  ASSERT_EQ(second.events.size(), 1U);
  EXPECT_EQ(second.events[0].raw, "a");
  EXPECT_EQ(second.next_before, 0U);
}

TEST_F(QuarantineTest, WhatIsTakenOutIsGoneAlsoAfterReopening) {
  {
    const auto quarantine = open(100);
    add(*quarantine, {"a", "b", "c"});
    const std::uint64_t number = quarantine->list({}, 0, 2)->events.back().number;
    CommitterOnStore writing(*database_);
    ASSERT_TRUE(writing.committer
                    .submit_and_wait([&](Batch& batch) {
                      quarantine->remove(batch, number);
                      quarantine->remove(batch, 999);
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_EQ(raws_of(*quarantine, {}), "ca");
  }
  EXPECT_EQ(raws_of(*open(100), {}), "ca");
}

}  // namespace
}  // namespace vitrine::events
