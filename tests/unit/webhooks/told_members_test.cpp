#include "server/webhooks/told_members.h"

#include <gmock/gmock.h>

#include "base/random.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::webhooks {
namespace {

using Pair = ToldMembers::Pair;

class ToldMembersTest : public testing::Test {
 protected:
  void commit(const std::function<void(events::Batch&)>& stage) {
    EXPECT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      stage(batch);
                      return absl::OkStatus();
                    })
                    .ok());
  }
  std::vector<UserNumber> reopened(const Pair& pair) {
    return ToldMembers::open(*database_).value()->list(pair, k_nobody, 1'000'000);
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::optional<CommitterOnStore> on_{std::in_place, *database_};
  std::unique_ptr<ToldMembers> told_ = ToldMembers::open(*database_).value();
  const Pair vip_{"crm", "vip"};
  const Pair vip_too_{"crm", "vip2"};
};

TEST_F(ToldMembersTest, WhatIsOnDiskIsWhatMemorySaysAfterManyChanges) {
  Random chance(1);
  for (int round = 0; round < 40; ++round) {
    std::vector<ToldMembers::Change> changes;
    for (int i = 0; i < 50; ++i) {
      changes.push_back(
          {UserNumber(static_cast<std::uint32_t>(1 + chance.below(20'000))), chance.below(3) > 0});
    }
    commit([&](events::Batch& batch) { told_->stage(batch, vip_, changes); });
  }
  const std::vector<UserNumber> now = told_->list(vip_, k_nobody, 1'000'000);
  EXPECT_GT(now.size(), 500U);
  EXPECT_EQ(reopened(vip_), now);
}

TEST_F(ToldMembersTest, PairsAreKeptApart) {
  const std::vector<ToldMembers::Change> one{{UserNumber(1), true}};
  const std::vector<ToldMembers::Change> two{{UserNumber(2), true}};
  commit([&](events::Batch& batch) {
    told_->stage(batch, vip_, one);
    told_->stage(batch, vip_too_, two);
    told_->stage_begun(batch, vip_);
  });
  EXPECT_TRUE(told_->has_begun(vip_));
  EXPECT_FALSE(told_->has_begun(vip_too_));
  commit([&](events::Batch& batch) { told_->stage_removal(batch, *database_, vip_); });
  EXPECT_THAT(reopened(vip_), testing::IsEmpty());
  EXPECT_THAT(reopened(vip_too_), testing::ElementsAre(UserNumber(2)));
  EXPECT_THAT(ToldMembers::open(*database_).value()->pairs(), testing::ElementsAre(vip_too_));
}

TEST_F(ToldMembersTest, NobodyIsKeptWhoIsForgotten) {
  const std::vector<ToldMembers::Change> both{{UserNumber(1), true}, {UserNumber(5000), true}};
  commit([&](events::Batch& batch) { told_->stage(batch, vip_, both); });
  commit([&](events::Batch& batch) {
    EXPECT_EQ(told_->forget(batch, {UserNumber(5000), UserNumber(9)}), 1U);
  });
  EXPECT_THAT(reopened(vip_), testing::ElementsAre(UserNumber(1)));
}

}  // namespace
}  // namespace vitrine::webhooks
