#include <gmock/gmock.h>

#include <set>

#include "tests/unit/recommend/shop.h"

namespace vitrine::recommend {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

// A real index whose every search takes so many microseconds of the test's time.
class SlowIndex final : public index::ProductIndex {
 public:
  struct Time {
    std::int64_t now_us = 1'000'000'000;
    std::int64_t search_us = 0;
  };
  using Found = absl::StatusOr<std::vector<index::Neighbor>>;
  using Index = std::shared_ptr<const index::ProductIndex>;

  SlowIndex(Index index, Time& time) : index_(std::move(index)), time_(time) {}

  Found search(std::span<const float> query, std::size_t k,
               const index::RowFilter& allowed) const override {
    time_.now_us += time_.search_us;
    return index_->search(query, k, allowed);
  }
  std::vector<Found> search_batch(std::span<const index::SearchRequest> requests) const override {
    time_.now_us += time_.search_us;
    return index_->search_batch(requests);
  }
  absl::StatusOr<Index> with_tail(const index::VectorTable& vectors) const override {
    return std::make_shared<SlowIndex>(*index_->with_tail(vectors), time_);
  }
  absl::StatusOr<Index> with_tombstones(const index::RowFilter& dead) const override {
    return std::make_shared<SlowIndex>(*index_->with_tombstones(dead), time_);
  }
  std::span<const float> vector(std::uint32_t row) const override { return index_->vector(row); }
  absl::Status save(const std::filesystem::path& path) const override { return index_->save(path); }
  std::size_t dimension() const override { return index_->dimension(); }
  std::size_t row_count() const override { return index_->row_count(); }

 private:
  Index index_;
  Time& time_;
};

class DeadlineTest : public Shop {
 protected:
  static constexpr TimeMs k_short_deadline_ms = 100;

  DeadlineTest() {
    open_shelves();
    live_model::IndexedModel indexed = *live_model::index_model(shelf_model());
    indexed.index.index = std::make_shared<SlowIndex>(indexed.index.index, time_);
    model_.use(std::move(indexed), *catalog_);
    recommender_.emplace(Recommender::Parts{.identities = *identities_,
                                            .profiles = profiles_,
                                            .popularity = popularity_,
                                            .sessions = sessions_,
                                            .catalog = *catalog_,
                                            .live_model = model_,
                                            .clock = clock_,
                                            .metrics = metrics_,
                                            .deadline_ms = k_short_deadline_ms,
                                            .steady = [this] { return time_.now_us; }},
                         PlacementBook::shipped());
    for (int i = 0; i < 3; ++i) visitor_views("v" + std::to_string(i), "Garden-4");
    visitor_views("late", "Toys-1");
  }

  // Of somebody who waited so long for a thread.
  RecommendRequest request(TimeMs waited_ms = 0) const {
    RecommendRequest request;
    request.visitor_id = "late";
    request.limit = 6;
    request.arrived_us = time_.now_us - waited_ms * 1000;
    return request;
  }
  // Which sources were heard for what is shown.
  std::set<std::string_view> heard(RecommendRequest request) {
    request.explain = true;
    const RecommendAnswer answer = ask(request);
    EXPECT_THAT(answer.products, SizeIs(6));
    std::set<std::string_view> heard;
    for (const RecommendedProduct& product : answer.products) {
      for (const auto& [source, score] : product.source_scores) heard.insert(source);
      heard.insert(product.source);
    }
    return heard;
  }
  std::string late(std::string_view source, int times) const {
    return "vitrine_recommend_source_late_total{source=\"" + std::string(source) + "\"} " +
           std::to_string(times) + "\n";
  }

  SlowIndex::Time time_;
};

TEST_F(DeadlineTest, WhoWaitedTooLongIsAnsweredByTheFallback) {
  EXPECT_THAT(heard(request(k_short_deadline_ms + 1)), Each(AnyOf("trending", "popular", "new")));

  EXPECT_THAT(metrics_.text(), HasSubstr(late("personal", 1)));
  EXPECT_THAT(metrics_.text(), HasSubstr(late("similar", 1)));
  EXPECT_THAT(metrics_.text(),
              HasSubstr("vitrine_recommend_late_answers_total{placement=\"home\"} 1"));
}

TEST_F(DeadlineTest, WhoIsInTimeIsAnsweredByEverySource) {
  EXPECT_THAT(heard(request()), IsSupersetOf({"personal", "session", "similar"}));

  EXPECT_THAT(metrics_.text(),
              HasSubstr("vitrine_recommend_late_answers_total{placement=\"home\"} 0"));
  EXPECT_THAT(metrics_.text(), HasSubstr("vitrine_recommend_source_seconds_total"));
}

TEST_F(DeadlineTest, AFallbackThatSearchesIsLeftOutWhenItIsLate) {
  RecommendRequest late = request(k_short_deadline_ms + 1);
  late.placement = "product_page";
  late.product_id = "Paper-1";

  EXPECT_THAT(heard(late), Each(AnyOf("trending", "popular", "new")));
}

TEST_F(DeadlineTest, ASearchThatTakesTooLongCostsNothingElse) {
  time_.search_us = 150'000;
  const std::int64_t begun_us = time_.now_us;

  const auto sources = heard(request());

  EXPECT_EQ(time_.now_us - begun_us, time_.search_us) << "both tastes share a pass";
  EXPECT_THAT(sources, IsSupersetOf({"similar", "session", "personal"}));
  EXPECT_THAT(metrics_.text(), HasSubstr(late("personal", 0)));
  EXPECT_THAT(metrics_.text(), HasSubstr(late("similar", 0)));
  EXPECT_THAT(metrics_.text(), HasSubstr(late("session", 0)));
}

TEST_F(DeadlineTest, AnswersMadeTogetherShareAPassAndAreThoseOfEachAlone) {
  std::vector<RecommendRequest> requests;
  for (int i = 0; i < 9; ++i) {
    visitor_views("w" + std::to_string(i), "Garden-" + std::to_string(i % 4));
    requests.push_back(request());
    requests.back().visitor_id = "w" + std::to_string(i);
    requests.back().explore = false;
  }
  requests[5].placement = "nowhere";
  std::vector<std::vector<std::string>> alone;
  for (const RecommendRequest& each : requests) {
    const auto answer = recommender_->recommend(each);
    alone.push_back(answer.ok() ? ids(*answer) : std::vector<std::string>());
  }
  time_.search_us = 1'000;
  const std::int64_t begun_us = time_.now_us;

  const auto answers = recommender_->recommend_together(requests);

  EXPECT_EQ(time_.now_us - begun_us, 3 * time_.search_us) << "four, four and one";
  ASSERT_THAT(answers, SizeIs(requests.size()));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ASSERT_EQ(answers[i].ok(), i != 5) << i;
    if (!answers[i].ok()) continue;
    EXPECT_EQ(ids(*answers[i]), alone[i]) << i;
  }
}

TEST_F(DeadlineTest, NoSearchIsBegunThatWouldMostLikelyEndTooLate) {
  time_.search_us = 30'000;
  ASSERT_THAT(heard(request()), Contains("personal"));
  const std::int64_t begun_us = time_.now_us;

  // 50 ms are left, and searches took 30 each.
  const auto sources = heard(request(50));

  EXPECT_EQ(time_.now_us, begun_us) << "nothing was searched";
  EXPECT_THAT(sources, Contains("similar"));
  EXPECT_THAT(sources, Not(AnyOf(Contains("personal"), Contains("session"))));
  EXPECT_THAT(heard(request()), Contains("personal")) << "there is time enough";
}

TEST_F(DeadlineTest, SlowSearchesAreTriedAgainSeldomAndComeBackWhenTheyAreFast) {
  time_.search_us = 150'000;
  int late = 0;
  for (int i = 0; i < 200; ++i) {
    const std::int64_t begun_us = time_.now_us;
    ask(request());
    late += time_.now_us - begun_us > k_short_deadline_ms * 1000 ? 1 : 0;
  }
  EXPECT_LE(late, 20) << "of 200 answers, by two sources that search";
  EXPECT_GE(late, 2);

  time_.search_us = 100;
  for (int i = 0; i < 200; ++i) ask(request());
  EXPECT_THAT(heard(request()), IsSupersetOf({"personal", "session"}));
}

}  // namespace
}  // namespace vitrine::recommend
