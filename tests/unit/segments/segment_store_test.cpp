#include "server/segments/segment_store.h"

#include <gmock/gmock.h>

#include <future>

#include "base/status.h"
#include "server/segments/segment_records.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::segments {
namespace {

class SegmentStoreTest : public testing::Test {
 protected:
  absl::StatusOr<SegmentStore::Put> put(Segment segment, SegmentStore::Expected expected = {}) {
    std::promise<absl::StatusOr<SegmentStore::Put>> done;
    EXPECT_TRUE(store_
                    ->put(on_->committer, std::move(segment), expected, {},
                          [&](auto outcome) { done.set_value(std::move(outcome)); })
                    .ok());
    return done.get_future().get();
  }
  absl::Status remove(std::string key) {
    std::promise<absl::Status> done;
    EXPECT_TRUE(store_
                    ->remove(on_->committer, std::move(key), {},
                             [&](const absl::Status& status) { done.set_value(status); })
                    .ok());
    return done.get_future().get();
  }
  absl::StatusOr<std::size_t> change(std::string key, SegmentStore::Change change) {
    std::promise<absl::StatusOr<std::size_t>> done;
    EXPECT_TRUE(store_
                    ->change(on_->committer, std::move(key), std::move(change),
                             [&](auto changed) { done.set_value(std::move(changed)); })
                    .ok());
    return done.get_future().get();
  }
  void reopen() {
    store_.reset();
    on_.reset();
    database_.reset();
    database_ = open_store(folder_.path());
    on_.emplace(*database_);
    store_ = SegmentStore::open(*database_).value();
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::optional<CommitterOnStore> on_{std::in_place, *database_};
  std::unique_ptr<SegmentStore> store_ = SegmentStore::open(*database_).value();
};

TEST_F(SegmentStoreTest, WhatWasPutIsThereAfterARestart) {
  const auto first = put({.key = "buyers",
                          .name = "Käufer \"1\"",
                          .description = "d",
                          .expression = "user.orders_count > 0",
                          .includes_visitors = true,
                          .changed_ms = 5});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->is_new);
  ASSERT_TRUE(put({.key = "hand", .kind = Segment::Kind::fixed}).ok());
  EXPECT_EQ(*change("hand", {.added = {UserNumber(3), UserNumber(9)}, .removed = {}}), 2U);
  EXPECT_EQ(*change("hand", {.added = {UserNumber(3)}, .removed = {UserNumber(9)}}), 1U);
  reopen();
  const Segment* const kept = store_->current()->list().find("buyers");
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(encode(*kept), encode(first->segment));
  EXPECT_TRUE(store_->has("hand", UserNumber(3)));
  EXPECT_FALSE(store_->has("hand", UserNumber(9)));
}

TEST_F(SegmentStoreTest, VersionsAscendAndAreNeverGivenTwice) {
  const auto first = put({.key = "a", .expression = "user.orders_count > 0"});
  const auto second = put({.key = "a", .expression = "user.orders_count > 1"});
  EXPECT_GT(second->segment.version, first->segment.version);
  EXPECT_EQ(message_of(put({.key = "a", .expression = "true"}, first->segment.version).status()),
            "If-Match expects version 1, the segment has version 2");
  ASSERT_TRUE(remove("a").ok());
  EXPECT_GT(put({.key = "a", .expression = "true"})->segment.version, second->segment.version);
}

TEST_F(SegmentStoreTest, WhatAnotherSegmentAsksForCannotBeRemoved) {
  ASSERT_TRUE(put({.key = "a", .expression = "user.orders_count > 0"}).ok());
  ASSERT_TRUE(put({.key = "b", .expression = "in_segment(\"a\")"}).ok());
  EXPECT_EQ(message_of(remove("a")), "segment a cannot be removed: segment b asks for it");
  EXPECT_TRUE(remove("b").ok());
  EXPECT_TRUE(remove("a").ok());
  EXPECT_TRUE(absl::IsNotFound(remove("a")));
}

TEST_F(SegmentStoreTest, WhatDoesNotFitTheOthersIsRefusedAndChangesNothing) {
  ASSERT_TRUE(put({.key = "a", .expression = "user.orders_count > 0"}).ok());
  EXPECT_FALSE(put({.key = "a", .expression = "in_segment(\"a\")"}).ok());
  EXPECT_FALSE(put({.key = "b", .expression = "in_segment(\"c\")"}).ok());
  EXPECT_EQ(store_->current()->list().all().size(), 1U);
  EXPECT_EQ(store_->current()->list().find("a")->expression, "user.orders_count > 0");
  EXPECT_EQ(message_of(change("a", {.added = {UserNumber(1)}, .removed = {}}).status()),
            "segment a is dynamic: people are put into static ones only");
}

TEST_F(SegmentStoreTest, WhoIsErasedIsInNoListAnyMore) {
  ASSERT_TRUE(put({.key = "hand", .kind = Segment::Kind::fixed}).ok());
  ASSERT_TRUE(put({.key = "other", .kind = Segment::Kind::fixed}).ok());
  ASSERT_TRUE(change("hand", {.added = {UserNumber(1), UserNumber(2)}, .removed = {}}).ok());
  ASSERT_TRUE(change("other", {.added = {UserNumber(3)}, .removed = {}}).ok());
  const events::DataSubject subject{.user_ids = {"ann"},
                                    .visitor_ids = {"cookie"},
                                    .people = {UserNumber(1), UserNumber(4)},
                                    .histories = {UserNumber(2)}};
  SegmentRecords records(*store_);
  EXPECT_EQ(records.export_person(subject).value(), R"(["hand"])");
  EXPECT_EQ(records.erase_person(subject, on_->committer)->dropped, 2U);
  EXPECT_EQ(records.erase_person(subject, on_->committer)->dropped, 0U);
  EXPECT_EQ(records.export_person(subject).value(), "[]");

  reopen();
  EXPECT_EQ(store_->members("hand")->size(), 0U);
  EXPECT_EQ(store_->members("other")->size(), 1U);
}

TEST(SegmentTest, WhatCannotBeOneIsRefusedWithItsField) {
  const auto refusal = [](Segment segment) { return std::string(message_of(validate(segment))); };
  EXPECT_EQ(refusal({.key = "Big", .expression = "true"}),
            "segment must be 1 to 64 of a-z, 0-9, - and _, got 'Big'");
  EXPECT_EQ(refusal({.key = "preview", .expression = "true"}), "segment must not be 'preview'");
  EXPECT_EQ(refusal({.key = "a"}), "expression must say who is in a dynamic segment");
  EXPECT_EQ(refusal({.key = "a", .kind = Segment::Kind::fixed, .expression = "true"}),
            "expression must be absent in a static segment: people are put in");
  EXPECT_EQ(refusal({.key = "a", .name = std::string(1001, 'x'), .expression = "true"}),
            "name may have at most 1000 bytes, got 1001");
}

}  // namespace
}  // namespace vitrine::segments
