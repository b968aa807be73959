#include "index/graph_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>
#include <gmock/gmock.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include "base/random.h"
#include "index/exact_index.h"
#include "tests/unit/index/plain_loop.h"

namespace vitrine::index {
namespace {

using Index = std::shared_ptr<const ProductIndex>;

constexpr GraphOptions k_quick = {.links = 8, .build_effort = 40, .search_effort = 64};

std::vector<Neighbor> found(const Index& index, std::span<const float> query, std::size_t k,
                            const RowFilter& allowed) {
  auto neighbors = index->search(query, k, allowed);
  EXPECT_TRUE(neighbors.ok()) << neighbors.status();
  return *std::move(neighbors);
}

// A file of this test's own.
std::string file_of_test() {
  return ::testing::TempDir() + "vitrine_graph_" +
         ::testing::UnitTest::GetInstance()->current_test_info()->name();
}

class GraphIndexTest : public ::testing::Test {
 protected:
  Random random_{51};
  Vectors vectors_ = normal_vectors(2000, 12, random_);
  Index graph_ = *GraphIndex::build(vectors_.table(), nullptr, k_quick);
  Index exact_ = *ExactIndex::build(vectors_.table());
};

TEST_F(GraphIndexTest, FindsMostOfTheBestWithTheirExactScores) {
  std::size_t hits = 0;
  for (int round = 0; round < 20; ++round) {
    const Vectors query = normal_vectors(1, 12, random_);
    const RowFilter allowed = random_filter(2000, 0.7, random_);
    const auto every = found(exact_, query.values, 1000, allowed);
    const auto neighbors = found(graph_, query.values, 10, allowed);
    ASSERT_EQ(neighbors.size(), 10U);
    for (const Neighbor& neighbor : neighbors) {
      EXPECT_NE(std::find(every.begin(), every.end(), neighbor), every.end());
      hits += neighbor.score >= every[9].score ? 1U : 0U;
    }
  }
  EXPECT_GE(hits, 170U);
}

TEST_F(GraphIndexTest, AnswersNarrowFiltersExactly) {
  for (int round = 0; round < 20; ++round) {
    const Vectors query = normal_vectors(1, 12, random_);
    const RowFilter allowed = random_filter(2000, 0.03, random_);
    EXPECT_EQ(found(graph_, query.values, 20, allowed), found(exact_, query.values, 20, allowed));
  }
}

TEST_F(GraphIndexTest, FinishesShortAnswersExactly) {
  const Vectors query = normal_vectors(1, 12, random_);
  const RowFilter allowed = random_filter(2000, 0.3, random_);
  EXPECT_EQ(found(graph_, query.values, 1000, allowed), found(exact_, query.values, 1000, allowed));
}

TEST_F(GraphIndexTest, KnowsTailRowsAndTombstones) {
  const Vectors best = {12, std::vector<float>(2 * 12, 9.0F)};
  const std::vector<float> query(12, 1.0F);
  const Index grown = *graph_->with_tail(best.table());
  const auto before = found(grown, query, 3, RowFilter::all(2002));
  EXPECT_EQ(before[0], (Neighbor{2000, 108}));
  EXPECT_EQ(before[1], (Neighbor{2001, 108}));
  RowFilter dead = RowFilter::none(2002);
  dead.set(2000);
  dead.set(before[2].row);

  const auto after = found(*grown->with_tombstones(dead), query, 3, RowFilter::all(2002));

  EXPECT_EQ(after[0], (Neighbor{2001, 108}));
  EXPECT_NE(after[1].row, before[2].row);
}

TEST_F(GraphIndexTest, AnswersTheSameAfterSaveAndLoad) {
  const std::string path = file_of_test();
  ASSERT_TRUE(graph_->save(path).ok());
  const auto loaded = GraphIndex::load(path, k_quick);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  for (int round = 0; round < 10; ++round) {
    const Vectors query = normal_vectors(1, 12, random_);
    const RowFilter all = RowFilter::all(2000);
    EXPECT_EQ(found(*loaded, query.values, 10, all), found(graph_, query.values, 10, all));
  }
  std::filesystem::remove(path);
}

TEST_F(GraphIndexTest, SavesTailRowsIntoTheGraph) {
  const std::string path = file_of_test();
  const Vectors best = {12, std::vector<float>(2 * 12, 9.0F)};
  const std::vector<float> query(12, 1.0F);
  ASSERT_TRUE((*graph_->with_tail(best.table()))->save(path).ok());

  const auto loaded = GraphIndex::load(path, k_quick);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_EQ((*loaded)->row_count(), 2002U);
  EXPECT_EQ(found(*loaded, query, 2, RowFilter::all(2002))[1], (Neighbor{2001, 108}));
  std::filesystem::remove(path);
}

TEST_F(GraphIndexTest, RefusesFilesThatAreNotItsOwn) {
  const std::string path = file_of_test();
  EXPECT_EQ(GraphIndex::load(path).status().code(), absl::StatusCode::kNotFound);

  std::ofstream(path) << "not an index at all";
  EXPECT_EQ(GraphIndex::load(path).status().code(), absl::StatusCode::kDataLoss);

  ASSERT_TRUE(exact_->save(path).ok());
  EXPECT_EQ(GraphIndex::load(path).status().code(), absl::StatusCode::kDataLoss);

  faiss::IndexHNSWFlat by_distance(12, 8);
  by_distance.add(100, vectors_.values.data());
  faiss::write_index(&by_distance, path.c_str());
  EXPECT_EQ(GraphIndex::load(path).status().code(), absl::StatusCode::kDataLoss);
  std::filesystem::remove(path);
}

TEST_F(GraphIndexTest, RefusesAGraphThatLeadsOutOfItsRows) {
  const std::string path = file_of_test();
  faiss::IndexHNSWFlat graph(12, 8, faiss::METRIC_INNER_PRODUCT);
  graph.add(100, vectors_.values.data());
  const auto status_with = [&](auto&& spoil) {
    faiss::IndexHNSWFlat spoilt(12, 8, faiss::METRIC_INNER_PRODUCT);
    spoilt.storage->add(100, vectors_.values.data());
    spoilt.ntotal = 100;
    spoilt.hnsw = graph.hnsw;
    spoil(spoilt.hnsw);
    faiss::write_index(&spoilt, path.c_str());
    return GraphIndex::load(path).status().code();
  };
  EXPECT_EQ(status_with([](faiss::HNSW&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(status_with([](faiss::HNSW& hnsw) { hnsw.neighbors[5] = 100; }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(status_with([](faiss::HNSW& hnsw) { hnsw.entry_point = 1000; }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(status_with([](faiss::HNSW& hnsw) { hnsw.levels[3] = 99; }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(status_with([](faiss::HNSW& hnsw) { hnsw.offsets[3] += 1; }),
            absl::StatusCode::kDataLoss);
  std::filesystem::remove(path);
}

TEST(GraphIndexOptionsTest, AreRefusedOutOfRange) {
  const Vectors vectors{1, {1, 2}};
  EXPECT_FALSE(GraphIndex::build(vectors.table(), nullptr, {.links = 1}).ok());
  EXPECT_FALSE(GraphIndex::build(vectors.table(), nullptr, {.links = 257}).ok());
  EXPECT_FALSE(GraphIndex::build(vectors.table(), nullptr, {.build_effort = 0}).ok());
  const auto empty = GraphIndex::build({nullptr, 0, 4, 4});
  ASSERT_TRUE(empty.ok()) << empty.status();
  const float query[] = {1, 1, 1, 1};
  EXPECT_TRUE(found(*empty, query, 3, RowFilter::none(0)).empty());
}

}  // namespace
}  // namespace vitrine::index
