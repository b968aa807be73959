#include "server/coupons/coupon_decision_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/crypto.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::coupons {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimeMs k_noon_ms = CommitterOnStore::k_now_ms;

CouponDecision decision_at(TimeMs time_ms, std::string campaign = "spring",
                           UserNumber user = UserNumber(7)) {
  return {.decision_id = make_ulid(time_ms),
          .campaign = std::move(campaign),
          .time_ms = time_ms,
          .user = user,
          .person = UserNumber(3),
          .offer = "twenty",
          .propensity = 0.9,
          .assignment = training::Assignment::holdout,
          .outcome = DecisionOutcome::ghost,
          .arms = {{.offer = "twenty", .score = 1.5, .propensity = 0.9},
                   {.offer = "", .score = 0, .propensity = 0.1}},
          .policy = "affinity",
          .policy_version = 4};
}

class CouponDecisionLogTest : public ::testing::Test {
 protected:
  CouponDecisionLogTest() { open(); }
  void open(const CouponDecisionLog::Options& options = {}) {
    writer_.reset();
    log_ = *CouponDecisionLog::open(*database_, metrics_, options);
    writer_.emplace(*database_);
  }
  // Everything recorded before is on disk when it returns.
  void settle() {
    ASSERT_TRUE(
        writer_->committer.submit_and_wait([](events::Batch&) { return absl::OkStatus(); }).ok());
  }
  void record(CouponDecision decision) { log_->record(writer_->committer, std::move(decision)); }
  std::vector<CouponDecision> all(const CouponDecisionLog::Range& range = {}) {
    std::vector<CouponDecision> found;
    EXPECT_TRUE(log_->for_each(range, [&](const auto& one) { found.push_back(one); }).ok());
    return found;
  }

  TempFolder folder_;
  Metrics metrics_;
  std::unique_ptr<store::Database> database_ = open_store(folder_ / "store");
  std::unique_ptr<CouponDecisionLog> log_;
  std::optional<CommitterOnStore> writer_;
};

TEST_F(CouponDecisionLogTest, KeepsEverythingOfADecisionAcrossARestart) {
  const CouponDecision made = decision_at(k_noon_ms);
  record(made);
  settle();
  open();
  EXPECT_THAT(all(), ElementsAre(made));
  EXPECT_EQ(log_->size(), 1U);
}

TEST_F(CouponDecisionLogTest, ReadsThoseOfACampaignAndATime) {
  const CouponDecision first = decision_at(k_noon_ms - k_day_ms);
  const CouponDecision second = decision_at(k_noon_ms);
  CouponDecision beside = decision_at(k_noon_ms, "summer");
  beside.decision_id = second.decision_id;  // one request about two campaigns
  for (const CouponDecision& one : {first, second, beside}) record(one);
  settle();
  EXPECT_THAT(all({.campaign = "spring"}), ElementsAre(first, second));
  EXPECT_THAT(all({.campaign = "summer"}), ElementsAre(beside));
  EXPECT_THAT(all({.campaign = "spring", .from_ms = k_noon_ms}), ElementsAre(second));
  EXPECT_THAT(all({.campaign = "spring", .until_ms = k_noon_ms}), ElementsAre(first));
}

TEST_F(CouponDecisionLogTest, WhatIsStagedWithAGrantIsDurableWithIt) {
  const CouponDecision made = decision_at(k_noon_ms);
  ASSERT_TRUE(writer_->committer
                  .submit_and_wait([&](events::Batch& batch) {
                    log_->stage(batch, made);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(all(), ElementsAre(made));
}

TEST_F(CouponDecisionLogTest, LetsTheOldestGoAfterTheirTimeOrWhenThereAreTooMany) {
  open({.days_kept = 10, .decisions_max = 3});
  record(decision_at(k_noon_ms - 11 * k_day_ms));
  settle();
  std::vector<CouponDecision> kept;
  for (int i = 0; i < 4; ++i) {
    kept.push_back(decision_at(k_noon_ms + i));
    record(kept.back());
    settle();
  }
  record(kept.emplace_back(decision_at(k_noon_ms + 4)));
  settle();
  // What is written in the same batch is looked at with the next one.
  const std::vector<CouponDecision> left = all();
  EXPECT_LE(left.size(), 4U);
  EXPECT_EQ(left.back(), kept.back());
  EXPECT_GE(left.front().time_ms, k_noon_ms);
  EXPECT_EQ(log_->size(), left.size());
}

TEST_F(CouponDecisionLogTest, WhoIsErasedIsInNoDecisionButTheDecisionStays) {
  record(decision_at(k_noon_ms));
  record(decision_at(k_noon_ms + 1, "spring", UserNumber(8)));
  settle();
  events::DataSubject subject;
  subject.people = subject.histories = {UserNumber(7)};
  const auto exported = boost::json::parse(*log_->export_person(subject));
  ASSERT_EQ(exported.as_array().size(), 1U);
  EXPECT_EQ(exported.at(0).at("group").as_string(), "holdout");

  const auto erased = log_->erase_person(subject, writer_->committer);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_EQ(erased->kept_without_person, 1U);
  record(decision_at(k_noon_ms + 2));  // was being made meanwhile
  settle();
  for (const CouponDecision& one : all()) EXPECT_NE(one.user, UserNumber(7));
  EXPECT_EQ(all().size(), 3U);
  EXPECT_THAT(boost::json::parse(*log_->export_person(subject)).as_array(), IsEmpty());
}

}  // namespace
}  // namespace vitrine::coupons
