// Who gets which offer in a small shop with everything real, and the limits of that.
#include "server/coupons/allocator.h"

#include <gmock/gmock.h>

#include "server/coupons/allocations.h"
#include "tests/unit/recommend/shop.h"

namespace vitrine::coupons {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Says that the first offer takes something away, and the second brings it.
class FixedUplift final : public UpliftSource {
 public:
  absl::StatusOr<LearnedUplift> learn(std::string_view, std::string_view) const override {
    LearnedUplift learnt{.offers = {"Garden", "Paper"}, .people = 2000};
    training::UpliftFit fit;
    fit.model.direct.weights.assign(learnt.inputs(), 0);
    fit.model.direct.weights[learnt.inputs() - 2] = -1;
    fit.model.direct.weights[learnt.inputs() - 1] = 2;
    learnt.fit = std::move(fit);
    return learnt;
  }
};

class AllocatorTest : public recommend::Shop {
 protected:
  AllocatorTest() {
    open_shelves();
    Campaign spring{
        .id = "spring", .state = CampaignState::active, .holdout_share = 0, .version = 1};
    publish(spring);
    for (const char* const shelf : {"Garden", "Paper"}) {
      Offer offer{.id = shelf, .campaign = "spring", .trigger = Trigger::granted, .version = 1};
      offer.conditions.products =
          recommend::ProductExpression::parse(fmt::format("\"{}\" in categories", shelf)).value();
      offer.amounts["*"] = {.currency = "EUR", .tiers = {{{4000}, {500}}}};
      publish(offer);
    }
    desk_ = Desk::open({.database = *database_,
                        .committer = *committer_,
                        .identities = *identities_,
                        .catalog = *catalog_,
                        .offers = offers_,
                        .clock = clock_,
                        .metrics = metrics_,
                        .decisions = &*decisions_,
                        .rules = {.control_percent = 0, .new_per_week = 2}})
                .value();
    recommender_.emplace(CouponRecommender::Parts{.people = people_parts(),
                                                  .desk = *desk_,
                                                  .decisions = *decisions_,
                                                  .committer = *committer_,
                                                  .log = *log_},
                         CouponRecommender::Options());
    jobs_ = GrantJobs::open({.database = *database_,
                             .committer = *committer_,
                             .identities = *identities_,
                             .desk = *desk_,
                             .metrics = metrics_,
                             .log = *log_})
                .value();
    std::vector<recommend::Deed> deeds;
    for (int i = 0; i < 6; ++i) {
      deeds.push_back(
          {.user_id = fmt::format("u{}", i), .product_id = i % 3 == 0 ? "Paper-1" : "Garden-1"});
    }
    deeds.push_back({.visitor_id = "v", .product_id = "Garden-1"});
    happen(deeds);
  }
  ~AllocatorTest() override {
    jobs_.reset();
    committer_->stop();
  }

  template <class Value>
  void publish(Value value) {
    offers_.publish(std::make_shared<const OfferBook>(offers_.current()->with(std::move(value))));
  }
  recommend::Recommender::Parts people_parts() {
    return {.identities = *identities_,
            .profiles = profiles_,
            .popularity = popularity_,
            .sessions = sessions_,
            .catalog = *catalog_,
            .live_model = model_,
            .clock = clock_,
            .metrics = metrics_,
            .chance_seed = 5};
  }
  Allocator allocator(const UpliftSource* uplift = nullptr,
                      std::size_t people_max = Allocator::k_people_max) {
    return Allocator({.people = people_parts(),
                      .recommender = *recommender_,
                      .desk = *desk_,
                      .segments = *engine_,
                      .uplift = uplift,
                      .people_max = people_max});
  }
  static absl::StatusOr<CampaignAllocation> allocated(const Allocator& allocator) {
    return allocator.allocate({.campaign = "spring"}, [](double) { return absl::OkStatus(); });
  }

  Published<OfferBook> offers_{std::make_shared<const OfferBook>()};
  std::unique_ptr<CouponDecisionLog> decisions_ =
      CouponDecisionLog::open(*database_, metrics_, {}).value();
  std::unique_ptr<Desk> desk_;
  std::optional<CouponRecommender> recommender_;
  std::unique_ptr<GrantJobs> jobs_;
  std::unique_ptr<segments::SegmentStore> segment_store_ =
      segments::SegmentStore::open(*database_).value();
  segments::ChangedPeople changed_;
  std::unique_ptr<segments::SegmentEngine> engine_ = std::make_unique<segments::SegmentEngine>(
      segments::SegmentEngine::Parts{.store = *segment_store_,
                                     .changed = changed_,
                                     .profiles = profiles_,
                                     .identities = *identities_,
                                     .catalog = *catalog_,
                                     .clock = clock_,
                                     .metrics = metrics_,
                                     .log = *log_});
};

TEST_F(AllocatorTest, UsersGetTheOfferOfWhatTheyLike) {
  const auto found = allocated(allocator());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->people, 6U);  // the visitor is none of them
  EXPECT_EQ(found->currency, "EUR");
  EXPECT_EQ(found->policy, Allocator::k_affinity_policy);
  ASSERT_THAT(found->plans, SizeIs(2));
  EXPECT_EQ(found->plans[0].offer, "Garden");
  EXPECT_EQ(found->plans[0].people.size(), 4U);
  EXPECT_EQ(found->plans[1].people.size(), 2U);
  EXPECT_THAT(found->plans[0].scores, SizeIs(4));
  EXPECT_GT(found->plans[0].scores[0], 0);
}

TEST_F(AllocatorTest, LearntUpliftTakesThePlaceOfAffinity) {
  const FixedUplift uplift;
  const auto found = allocated(allocator(&uplift));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->policy, k_uplift_policy);
  ASSERT_THAT(found->plans, SizeIs(1));
  EXPECT_EQ(found->plans[0].offer, "Paper");
  EXPECT_EQ(found->plans[0].people.size(), 6U);
  EXPECT_NEAR(found->batch.value, 12, 0.01);  // chance decides between equals
}

TEST_F(AllocatorTest, MorePeopleThanMayBeAreRefused) {
  EXPECT_TRUE(allocated(allocator(nullptr, 6)).ok());
  EXPECT_THAT(allocated(allocator(nullptr, 5)).status().message(),
              HasSubstr("6 people are asked about, at most 5 may be"));
}

TEST_F(AllocatorTest, TwoAreWorkedOnAtATimeAndFiftyAreKept) {
  const Allocator allocator = this->allocator();
  Allocations allocations({.allocator = allocator, .jobs = *jobs_, .clock = clock_, .log = *log_});
  const auto begin = [&] { return allocations.begin({.campaign = "spring"}, true); };
  const auto first = begin();
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(begin().ok());
  EXPECT_THAT(begin().status().message(), HasSubstr("2 allocations are worked on already"));
  allocations.work(first->id);
  const auto done = allocations.run("spring", first->id);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->state, AllocationState::done);
  EXPECT_THAT(done->jobs, IsEmpty());
  EXPECT_FALSE(allocations.run("autumn", first->id));
  for (std::size_t i = 2; i < Allocations::k_kept_max; ++i) {
    allocations.give_up(begin()->id, absl::CancelledError());
  }
  EXPECT_TRUE(allocations.run("spring", first->id));
  EXPECT_TRUE(begin().ok());
  EXPECT_FALSE(allocations.run("spring", first->id));
}

TEST_F(AllocatorTest, AStopEndsWhatIsWorkedOn) {
  const Allocator allocator = this->allocator();
  Allocations allocations({.allocator = allocator, .jobs = *jobs_, .clock = clock_, .log = *log_});
  const auto begun = allocations.begin({.campaign = "spring"}, false);
  ASSERT_TRUE(begun.ok()) << begun.status();
  allocations.stop();
  allocations.work(begun->id);
  const auto failed = allocations.run("spring", begun->id);
  EXPECT_EQ(failed->state, AllocationState::failed);
  EXPECT_THAT(failed->status.message(), HasSubstr("the server stops"));
  EXPECT_THAT(jobs_->jobs(), IsEmpty());
}

}  // namespace
}  // namespace vitrine::coupons
