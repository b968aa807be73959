#include <gmock/gmock.h>

#include "server/recommend/chance.h"
#include "server/recommend/plan.h"
#include "server/recommend/sources/sources.h"
#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class DeadlineTest : public Shop {
 protected:
  DeadlineTest() {
    open_shelves();
    for (int i = 0; i < 3; ++i) visitor_views("v" + std::to_string(i), "Garden-4");
    visitor_views("late", "Toys-1");
  }

  RecommendRequest request(TimeMs waited_ms = 0) const {
    RecommendRequest request;
    request.visitor_id = "late";
    request.limit = 6;
    request.arrived_us = steady_us() - waited_ms * 1000;
    return request;
  }
  static std::vector<std::string_view> sources(const RecommendAnswer& answer) {
    std::vector<std::string_view> sources;
    for (const RecommendedProduct& product : answer.products) sources.push_back(product.source);
    return sources;
  }
};

TEST_F(DeadlineTest, WhoWaitedTooLongIsAnsweredByTheFallback) {
  const RecommendAnswer answer = ask(request(k_deadline_ms + 1));

  EXPECT_THAT(answer.products, SizeIs(6));
  EXPECT_THAT(sources(answer), Each(AnyOf("trending", "popular", "new")));
  EXPECT_THAT(metrics_.text(),
              HasSubstr("vitrine_recommend_source_late_total{source=\"personal\"} 1"));
  EXPECT_THAT(metrics_.text(),
              HasSubstr("vitrine_recommend_late_answers_total{placement=\"home\"} 1"));
}

TEST_F(DeadlineTest, WhoIsInTimeIsAnsweredByEverySource) {
  const RecommendAnswer answer = ask(request());

  EXPECT_TRUE(names(answer, "Toys-1"));
  EXPECT_THAT(metrics_.text(),
              HasSubstr("vitrine_recommend_late_answers_total{placement=\"home\"} 0"));
}

TEST_F(DeadlineTest, AFallbackThatSearchesIsLeftOutWhenItIsLate) {
  RecommendRequest late = request(k_deadline_ms + 1);
  late.placement = "product_page";
  late.product_id = "Paper-1";

  EXPECT_THAT(sources(ask(late)), Each(AnyOf("trending", "popular", "new")));
}

// Takes until the deadline has passed, and finds nothing.
class SlowSource final : public CandidateSource {
 public:
  std::string_view name() const override { return "slow"; }
  absl::Status produce(const Context& context, std::vector<ProductNumber>&) const override {
    while (!context.is_late()) {
    }
    return absl::OkStatus();
  }
  Reason reason(const Context&, ProductNumber) const override { return {}; }
};

TEST_F(DeadlineTest, SourcesBehindASlowOneAreLeftOutAndCounted) {
  const SlowSource slow;
  const Plans plans(PlacementBook::shipped(), metrics_);
  Plan plan = **plans.find("home");
  const auto last = plan.sources.back();
  plan.sources = {last, {&slow, last.failures, last.late}, plan.sources.front()};
  plan.found_by = {last.source, &slow, plan.sources.back().source};
  Scratch memory;
  const RecommendRequest asked = request(k_deadline_ms - 50);
  const Recommender::Parts parts = {.identities = *identities_,
                                    .profiles = profiles_,
                                    .popularity = popularity_,
                                    .sessions = sessions_,
                                    .catalog = *catalog_,
                                    .live_model = model_,
                                    .clock = clock_,
                                    .metrics = metrics_,
                                    .deadline_ms = k_deadline_ms};
  const Context context =
      make_context(parts, take_snapshot(parts, asked), asked, *plan.placement, memory.context, {});
  FilterStage filter(context, memory.context.marks);
  Chance chance(1);

  plan.gather(context, filter, memory);
  const Selection selection = plan.select(context, filter, memory, chance);

  EXPECT_THAT(selection.picks(), SizeIs(asked.limit));
  EXPECT_THAT(metrics_.text(),
              HasSubstr("vitrine_recommend_source_late_total{source=\"session\"} 1"));
  EXPECT_THAT(metrics_.text(),
              Not(HasSubstr("vitrine_recommend_source_late_total{source=\"popular\"} 1")));
}

}  // namespace
}  // namespace vitrine::recommend
