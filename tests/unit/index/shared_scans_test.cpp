#include "index/shared_scans.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/random.h"
#include "index/scan_index.h"
#include "tests/unit/index/plain_loop.h"

namespace vitrine::index {
namespace {

constexpr std::size_t k_rows = 3000;
constexpr std::size_t k_dimension = 24;

using Index = std::shared_ptr<const ProductIndex>;
using Answer = absl::StatusOr<std::vector<Neighbor>>;

// A real index whose first pass does not begin before so many others wait for the next one.
class BusyIndex final : public ProductIndex {
 public:
  BusyIndex(Index index, const SharedScans& scans, std::size_t until_waiting)
      : index_(std::move(index)), scans_(scans), until_waiting_(until_waiting) {}

  Answer search(std::span<const float> query, std::size_t k,
                const RowFilter& allowed) const override {
    return index_->search(query, k, allowed);
  }
  std::vector<Answer> search_batch(std::span<const SearchRequest> requests) const override {
    sizes.push_back(requests.size());
    while (sizes.size() == 1 && scans_.waiting() < until_waiting_) std::this_thread::yield();
    return index_->search_batch(requests);
  }
  absl::StatusOr<Index> with_tail(const VectorTable& vectors) const override {
    return index_->with_tail(vectors);
  }
  absl::StatusOr<Index> with_tombstones(const RowFilter& dead) const override {
    return index_->with_tombstones(dead);
  }
  std::span<const float> vector(std::uint32_t row) const override { return index_->vector(row); }
  absl::Status save(const std::filesystem::path& path) const override { return index_->save(path); }
  std::size_t dimension() const override { return index_->dimension(); }
  std::size_t row_count() const override { return index_->row_count(); }

  mutable std::vector<std::size_t> sizes;  // of the passes, in their order; one lane writes

 private:
  Index index_;
  const SharedScans& scans_;
  std::size_t until_waiting_;
};

class SharedScansTest : public ::testing::Test {
 protected:
  Random random_{5};
  Index index_ = *ScanIndex::build(normal_vectors(k_rows, k_dimension, random_).table());
  RowFilter all_ = RowFilter::all(k_rows);
  Vectors queries_ = normal_vectors(64, k_dimension, random_);

  std::span<const float> query(std::size_t number) const {
    return std::span(queries_.values).subspan(number * k_dimension, k_dimension);
  }
  std::vector<Neighbor> alone(std::size_t number) const {
    return *index_->search(query(number), 10 + number, all_);
  }
};

TEST_F(SharedScansTest, ASearchThatWaitedLongEnoughGivesUpAndHarmsNobody) {
  SharedScans scans(1);
  const BusyIndex index(index_, scans, 2);
  std::vector<Answer> answers(3);
  Answer impatient;
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] { answers[0] = scans.search(index, query(0), 10, all_); });
    while (scans.passes() == 0) std::this_thread::yield();  // the only lane is taken
    impatient = scans.search(index, query(9), 10, all_, 1);
    for (std::size_t i : {1U, 2U}) {
      threads.emplace_back([&, i] { answers[i] = scans.search(index, query(i), 10 + i, all_); });
    }
  }

  EXPECT_EQ(impatient.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(scans.waiting(), 0U);
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(*answers[i], alone(i)) << i;
}

TEST_F(SharedScansTest, SearchesThatWaitShareTheNextPassAndAnswerAsIfAlone) {
  SharedScans scans(1);
  const BusyIndex index(index_, scans, 11);
  std::vector<Answer> answers(12);
  {
    std::vector<std::jthread> threads;
    threads.reserve(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      threads.emplace_back([&, i] { answers[i] = scans.search(index, query(i), 10 + i, all_); });
    }
  }

  for (std::size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i].ok()) << answers[i].status();
    EXPECT_EQ(*answers[i], alone(i));
  }
  EXPECT_THAT(index.sizes, ::testing::ElementsAre(1, 8, 3));
  EXPECT_EQ(scans.passes(), 3U);
}

TEST_F(SharedScansTest, SnapshotsOfTheCatalogAreNotMixed) {
  RowFilter dead = RowFilter::none(k_rows);
  const std::uint32_t best = alone(1).front().row;
  dead.set(best);
  const Index without_best = *index_->with_tombstones(dead);
  SharedScans scans(1);
  const BusyIndex index(index_, scans, 2);
  Answer first = std::vector<Neighbor>();
  Answer with_best = first;
  Answer without = first;
  {
    std::jthread a([&] { first = scans.search(index, query(0), 10, all_); });
    while (scans.passes() == 0) std::this_thread::yield();
    std::jthread b([&] { with_best = scans.search(index, query(1), 10, all_); });
    std::jthread c([&] { without = scans.search(*without_best, query(1), 10, all_); });
  }

  EXPECT_EQ(with_best->front().row, best);
  EXPECT_NE(without->front().row, best);
}

TEST_F(SharedScansTest, OneWhoAsksAloneIsAnsweredAtOnce) {
  SharedScans scans(2);

  EXPECT_EQ(*scans.search(*index_, query(3), 13, all_), alone(3));
  EXPECT_EQ(scans.passes(), 1U);
  EXPECT_FALSE(scans.search(*index_, query(3), 0, all_).ok());
}

TEST_F(SharedScansTest, ManyThreadsGetTheirOwnAnswers) {
  SharedScans scans(2);
  std::vector<std::size_t> wrong(16);
  {
    std::vector<std::jthread> threads;
    threads.reserve(wrong.size());
    for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t i = 0; i < 50; ++i) {
          const std::size_t number = (thread * 7 + i) % 64;
          const Answer answer = scans.search(*index_, query(number), 10 + number, all_);
          if (!answer.ok() || *answer != alone(number)) ++wrong[thread];
        }
      });
    }
  }

  EXPECT_THAT(wrong, ::testing::Each(0));
  EXPECT_LE(scans.passes(), 16U * 50);
}

}  // namespace
}  // namespace vitrine::index
