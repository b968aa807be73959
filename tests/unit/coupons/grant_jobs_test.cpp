#include "server/coupons/grant_jobs.h"

#include <future>

#include "tests/unit/coupons/desk_fixture.h"

namespace vitrine::coupons {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class GrantJobsTest : public DeskTest {
 protected:
  void SetUp() override {
    DeskTest::SetUp();
    use(campaign());
    use(granted());
    open_jobs();
  }
  void TearDown() override { jobs_.reset(); }

  void open_jobs() {
    jobs_ = GrantJobs::open({.database = *database_,
                             .committer = on_->committer,
                             .identities = *identities_,
                             .desk = *desk_,
                             .metrics = on_->metrics,
                             .log = *on_->log})
                .value();
  }
  void restart() {
    jobs_.reset();
    reopen();
    open_jobs();
  }
  static Offer granted() {
    Offer offer = twenty();
    offer.code = "";
    offer.trigger = Trigger::granted;
    return offer;
  }
  static std::vector<std::string> people(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back("user-" + std::to_string(i));
    return ids;
  }
  using Answer = absl::StatusOr<GrantJob>;
  template <class Call>
  static Answer answer_of(Call call) {
    std::promise<Answer> promise;
    const absl::Status sent = call([&](Answer job) { promise.set_value(std::move(job)); });
    return sent.ok() ? promise.get_future().get() : Answer(sent);
  }
  Answer begin(GrantJobs::Plan plan) {
    return answer_of([&](auto done) { return jobs_->begin(std::move(plan), done); });
  }
  Answer change(std::uint64_t job, GrantJobs::Change change) {
    return answer_of([&](auto done) { return jobs_->change(job, change, done); });
  }
  void run_to_the_end() {
    while (jobs_->step().value()) {
    }
  }
  std::size_t grants_of(const std::string& user_id) {
    return desk_->grants_of(identities_->find(user_id, "").user, 100)->size();
  }

  std::unique_ptr<GrantJobs> jobs_;
};

TEST_F(GrantJobsTest, EverybodyIsGivenOneAndTheJobIsDone) {
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(120)});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->people, 120U);
  EXPECT_EQ(job->state, JobState::running);
  run_to_the_end();
  const GrantJob now = jobs_->job(job->number).value();
  EXPECT_EQ(now.state, JobState::done);
  EXPECT_EQ(now.granted, 120U);
  EXPECT_EQ(now.looked_at, 120U);
  EXPECT_EQ(grants_of("user-7"), 1U);
  EXPECT_EQ(balance("offer/twenty/issued").committed, 120);
  expect_sound();
}

TEST_F(GrantJobsTest, PeopleOfTheHoldoutAreKeptFromItAndCounted) {
  Campaign spring = campaign();
  spring.holdout_share = 0.5;
  use(spring);
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(120)});
  run_to_the_end();
  restart();
  const GrantJob now = jobs_->job(job->number).value();
  const std::uint64_t kept = now.withheld.at(static_cast<std::size_t>(Withheld::holdout));
  EXPECT_EQ(now.granted + kept, 120U);
  EXPECT_GT(kept, 30U);
  EXPECT_GT(now.granted, 30U);
  EXPECT_EQ(balance("offer/twenty/issued").committed, static_cast<std::int64_t>(now.granted));
  expect_sound();
}

TEST_F(GrantJobsTest, AfterARestartItGoesOnAndNobodyIsGivenTwice) {
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(120)});
  EXPECT_TRUE(jobs_->step().value());
  EXPECT_EQ(jobs_->job(job->number)->granted, GrantJobs::k_portion);
  restart();
  run_to_the_end();
  EXPECT_EQ(jobs_->job(job->number)->granted, 120U);
  // Another job of the same round finds that all have it, one of another round gives again.
  const Answer again = begin({.offer = "twenty", .round = "1", .user_ids = people(120)});
  run_to_the_end();
  EXPECT_EQ(jobs_->job(again->number)->had_it, 120U);
  std::ignore = begin({.offer = "twenty", .round = "2", .user_ids = {"user-7"}});
  run_to_the_end();
  EXPECT_EQ(grants_of("user-7"), 2U);
  EXPECT_EQ(balance("offer/twenty/issued").committed, 121);
  expect_sound();
}

TEST_F(GrantJobsTest, ItStopsWhenTheBudgetIsSpentAndGoesOnWhenThereIsMore) {
  use(campaign({{.measure = Measure::issued, .value = 70}}));
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(120)});
  run_to_the_end();
  const GrantJob stopped = jobs_->job(job->number).value();
  EXPECT_EQ(stopped.state, JobState::stopped);
  EXPECT_EQ(stopped.stopped_by, Reason::budget);
  EXPECT_EQ(stopped.granted, 70U);
  EXPECT_EQ(stopped.looked_at, 70U);
  use(campaign({{.measure = Measure::issued, .value = 1000}}));
  EXPECT_TRUE(change(job->number, GrantJobs::Change::resume).ok());
  run_to_the_end();
  EXPECT_EQ(jobs_->job(job->number)->granted, 120U);
  expect_sound();
}

TEST_F(GrantJobsTest, WhoMayNotHaveOneIsCountedByReasonAndTheRestGoesOn) {
  Offer offer = granted();
  offer.limits = {{.measure = Measure::issued, .scope = Scope::user, .value = 1}};
  use(offer);
  std::ignore = issue({.offer = "twenty", .round = "early", .user_ids = {"user-0", "user-1"}});
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(10)});
  run_to_the_end();
  const GrantJob now = jobs_->job(job->number).value();
  EXPECT_EQ(now.state, JobState::done);
  EXPECT_EQ(now.denied.at(static_cast<std::size_t>(Reason::user_limit)), 2U);
  EXPECT_EQ(now.granted, 8U);
}

TEST_F(GrantJobsTest, APausedJobWaitsAndACancelledOneIsOver) {
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(120)});
  EXPECT_TRUE(jobs_->step().value());
  EXPECT_EQ(change(job->number, GrantJobs::Change::pause)->state, JobState::paused);
  restart();
  EXPECT_FALSE(jobs_->step().value());
  EXPECT_EQ(change(job->number, GrantJobs::Change::resume)->state, JobState::running);
  EXPECT_TRUE(jobs_->step().value());
  EXPECT_EQ(change(job->number, GrantJobs::Change::cancel)->state, JobState::cancelled);
  EXPECT_FALSE(jobs_->step().value());
  EXPECT_EQ(jobs_->job(job->number)->granted, 2 * GrantJobs::k_portion);
  EXPECT_THAT(change(job->number, GrantJobs::Change::resume).status().message(),
              HasSubstr("is cancelled"));
}

TEST_F(GrantJobsTest, WhatCannotBeGivenByAJobIsRefused) {
  EXPECT_THAT(begin({.offer = "none", .user_ids = {"ann"}}).status().message(),
              HasSubstr("no offer none"));
  use(twenty());
  EXPECT_THAT(begin({.offer = "twenty", .user_ids = {"ann"}}).status().message(),
              HasSubstr("trigger code"));
  use(granted());
  for (std::size_t i = 0; i < GrantJobs::k_unfinished_max; ++i) {
    EXPECT_TRUE(begin({.offer = "twenty", .user_ids = {"ann"}}).ok());
  }
  EXPECT_THAT(begin({.offer = "twenty", .user_ids = {"ann"}}).status().message(),
              HasSubstr("at most 20 may be"));
  EXPECT_THAT(jobs_->jobs(), SizeIs(GrantJobs::k_unfinished_max));
}

TEST_F(GrantJobsTest, OfAnAllocationEachPersonGetsOneOfferAndItsDecisionKeepsTheScore) {
  Offer ten = granted();
  ten.id = "ten";
  use(ten);
  std::ignore = issue({.offer = "twenty", .round = "before", .user_ids = people(120)});
  const auto number_of = [&](int i) {
    return identities_->find("user-" + std::to_string(i), "").user;
  };
  std::vector<GrantJobs::Plan> plans(2);
  for (int i = 0; i < 120; ++i) {
    for (std::size_t place = 0; place < plans.size(); ++place) {
      if (place == 1 && i < 60) continue;  // the others are in both
      plans[place].people.set(number_of(i), true);
      plans[place].scores.push_back(static_cast<float>(i) + 0.5F);
    }
  }
  for (std::size_t place = 0; place < plans.size(); ++place) {
    plans[place].offer = place == 0 ? "twenty" : "ten";
    plans[place].round = "1";
    plans[place].allocation = "a";
    plans[place].policy = "allocation";
  }
  std::promise<absl::Status> begun;
  ASSERT_TRUE(
      jobs_->begin_all(std::move(plans), [&](auto jobs) { begun.set_value(jobs.status()); }).ok());
  ASSERT_TRUE(begun.get_future().get().ok());
  EXPECT_TRUE(jobs_->step().value());
  restart();
  run_to_the_end();
  const std::vector<GrantJob> jobs = jobs_->jobs_of("a");
  ASSERT_THAT(jobs, SizeIs(2));
  EXPECT_EQ(jobs[0].granted, 120U);
  EXPECT_EQ(jobs[1].granted, 0U);
  EXPECT_EQ(jobs[1].had_it, 60U);
  std::size_t decided = 0;
  ASSERT_TRUE(decisions_
                  ->for_each({},
                             [&](const CouponDecision& decision) {
                               if (decision.policy != "allocation") return;
                               ++decided;
                               ASSERT_THAT(decision.arms, SizeIs(2));
                               EXPECT_EQ(decision.arms[0].offer, "twenty");
                               EXPECT_EQ(decision.arms[0].propensity, 1);
                               const auto place = static_cast<int>(decision.arms[0].score);
                               EXPECT_EQ(decision.user, number_of(place));
                             })
                  .ok());
  EXPECT_EQ(decided, 120U);
  expect_sound();
}

TEST_F(GrantJobsTest, SeveralAreBegunTogetherOrNotAtAll) {
  std::vector<GrantJobs::Plan> plans(2);
  plans[0].offer = "twenty";
  plans[1].offer = "none";
  std::promise<absl::Status> begun;
  ASSERT_TRUE(
      jobs_->begin_all(std::move(plans), [&](auto jobs) { begun.set_value(jobs.status()); }).ok());
  EXPECT_THAT(begun.get_future().get().message(), HasSubstr("no offer none"));
  EXPECT_THAT(jobs_->jobs(), SizeIs(0));
  plans = std::vector<GrantJobs::Plan>(GrantJobs::k_unfinished_max + 1);
  for (GrantJobs::Plan& plan : plans) plan.offer = "twenty";
  std::promise<absl::Status> refused;
  ASSERT_TRUE(
      jobs_->begin_all(std::move(plans), [&](auto jobs) { refused.set_value(jobs.status()); })
          .ok());
  EXPECT_THAT(refused.get_future().get().message(), HasSubstr("at most 20 may be"));
}

TEST_F(GrantJobsTest, WhoWasErasedMeanwhileIsPassedOver) {
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(3)});
  const events::DataSubject subject = identities_->subject("user-1", "").value().value();
  EXPECT_TRUE(identities_->erase_person(subject, on_->committer).ok());
  run_to_the_end();
  EXPECT_EQ(jobs_->job(job->number)->granted, 2U);
  EXPECT_EQ(jobs_->job(job->number)->gone, 1U);
}

TEST_F(GrantJobsTest, ItsOwnThreadDoesTheWork) {
  jobs_->start();
  const Answer job = begin({.offer = "twenty", .round = "1", .user_ids = people(60)});
  for (int i = 0; i < 1000 && !jobs_->job(job->number)->is_over(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(jobs_->job(job->number)->granted, 60U);
}

}  // namespace
}  // namespace vitrine::coupons
