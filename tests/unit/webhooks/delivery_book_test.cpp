#include "server/webhooks/delivery_book.h"

#include <gmock/gmock.h>

#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::webhooks {
namespace {

using Kind = DeliveryBook::Kind;

class DeliveryBookTest : public testing::Test {
 protected:
  DeliveryBookTest() { reopen(); }
  void reopen() {
    options_.retry.attempts_max = 2;
    options_.retry.wait_ms = 1;
    options_.waiting_max = 3;
    book_ = DeliveryBook::open(*database_, on_->metrics, options_).value();
  }
  void commit(const std::function<void(events::Batch&)>& stage) {
    EXPECT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      stage(batch);
                      return absl::OkStatus();
                    })
                    .ok());
  }
  void add(std::uint32_t user) {
    commit([&](events::Batch& batch) {
      book_->stage(batch, "crm",
                   {{.type = "segment.entered", .segment = "vip", .user = UserNumber(user)}});
    });
  }
  void fail(int times) {
    for (int i = 0; i < times; ++i) {
      const TimeMs later_ms = CommitterOnStore::k_now_ms + i * k_hour_ms;
      const auto taken = book_->take("crm", later_ms);
      ASSERT_TRUE(taken.has_value());
      book_->end(on_->committer, "crm", *taken, {.http_status = 500}, later_ms);
    }
    commit([](events::Batch&) {});  // what nobody awaits is behind it
  }
  std::size_t count(Kind kind) { return book_->list("crm", kind, 0, 100).size(); }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::optional<CommitterOnStore> on_{std::in_place, *database_};
  DeliveryBook::Options options_;
  std::unique_ptr<DeliveryBook> book_;
};

TEST_F(DeliveryBookTest, WhatWaitsAndWhatWasGivenUpIsThereAfterAStart) {
  add(1);
  fail(2);
  add(2);
  const std::string id = book_->list("crm", Kind::dead, 0, 1).front().id;
  reopen();
  EXPECT_EQ(count(Kind::waiting), 1U);
  ASSERT_EQ(count(Kind::dead), 1U);
  EXPECT_EQ(book_->list("crm", Kind::dead, 0, 1).front().id, id);
  EXPECT_EQ(book_->list("crm", Kind::dead, 0, 1).front().http_status, 500);
}

TEST_F(DeliveryBookTest, WhatWasDeliveredDoesNotComeAgain) {
  add(1);
  const auto taken = book_->take("crm", CommitterOnStore::k_now_ms);
  ASSERT_TRUE(taken.has_value());
  reopen();
  EXPECT_EQ(count(Kind::waiting), 1U) << "nobody knows whether it arrived";
  const auto again = book_->take("crm", CommitterOnStore::k_now_ms);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, taken->id);
  book_->end(on_->committer, "crm", *again, {.http_status = 200}, CommitterOnStore::k_now_ms);
  commit([](events::Batch&) {});
  reopen();
  EXPECT_EQ(count(Kind::waiting), 0U);
}

TEST_F(DeliveryBookTest, TheRoomIsBounded) {
  EXPECT_EQ(book_->room("crm"), 3U);
  for (std::uint32_t user = 1; user <= 3; ++user) add(user);
  EXPECT_EQ(book_->room("crm"), 0U);
  EXPECT_EQ(book_->room("other"), 3U);
}

TEST_F(DeliveryBookTest, WhatWasGivenUpMayBeTriedAnew) {
  add(1);
  fail(2);
  commit([&](events::Batch& batch) {
    EXPECT_EQ(book_->stage_again(batch, "crm", CommitterOnStore::k_now_ms), 1U);
  });
  reopen();
  EXPECT_EQ(count(Kind::dead), 0U);
  EXPECT_TRUE(book_->take("crm", CommitterOnStore::k_now_ms).has_value());
}

TEST_F(DeliveryBookTest, NothingIsKeptOfSomebodyWhoIsForgotten) {
  add(1);
  fail(2);
  add(1);
  add(2);
  commit([&](events::Batch& batch) { EXPECT_EQ(book_->forget(batch, {UserNumber(1)}), 2U); });
  reopen();
  EXPECT_EQ(count(Kind::dead), 0U);
  ASSERT_EQ(count(Kind::waiting), 1U);
  EXPECT_EQ(book_->list("crm", Kind::waiting, 0, 1).front().user, UserNumber(2));
}

TEST_F(DeliveryBookTest, AWebhookThatIsGoneLeavesNothing) {
  add(1);
  fail(2);
  add(2);
  commit([&](events::Batch& batch) { book_->stage_removal(batch, *database_, "crm"); });
  reopen();
  EXPECT_THAT(book_->webhooks(), testing::IsEmpty());
}

}  // namespace
}  // namespace vitrine::webhooks
