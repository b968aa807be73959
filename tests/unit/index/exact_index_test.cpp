#include "index/exact_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/index_io.h>
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "base/random.h"
#include "index/flat_scan.h"
#include "tests/unit/index/plain_loop.h"

namespace vitrine::index {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const ProductIndex> index_of(const Vectors& vectors,
                                             const Kernels& kernels = best_kernels()) {
  auto index = ExactIndex::build(vectors.table(), nullptr, kernels);
  EXPECT_TRUE(index.ok()) << index.status();
  return *index;
}

std::vector<Neighbor> found(const ProductIndex& index, std::span<const float> query, std::size_t k,
                            const RowFilter& allowed) {
  auto neighbors = index.search(query, k, allowed);
  EXPECT_TRUE(neighbors.ok()) << neighbors.status();
  return *std::move(neighbors);
}

// A new file in the test's own temporary folder.
std::filesystem::path file_named(const std::string& name) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) /
      ("vitrine_index_" +
       std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder / name;
}

TEST(ExactIndexTest, EqualsThePlainLoopForAnySizeFilterAndK) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    const std::size_t dimension = 1 + random.below(70);
    const std::size_t row_count = random.below(900);
    const std::size_t k = 1 + random.below(random.below(2) == 0 ? 20 : ProductIndex::k_max);
    const double shares[] = {0, 0.01, 0.07, 0.1, 0.5, 1};
    const double share = shares[random.below(6)];
    const Vectors vectors = whole_number_vectors(row_count, dimension, random);
    const Vectors query = whole_number_vectors(1, dimension, random);
    const RowFilter allowed = random_filter(row_count, share, random);

    ASSERT_EQ(found(*index_of(vectors), query.values, k, allowed),
              plain_search(vectors, query.values, k, allowed))
        << row_count << " x " << dimension << ", k " << k << ", share " << share;
  }
}

TEST(ExactIndexTest, FindsTheSameProductsWithEveryKernel) {
  Random random(12);
  const Vectors vectors = normal_vectors(5000, 50, random);
  const RowFilter allowed = random_filter(5000, 0.6, random);
  for (int round = 0; round < 20; ++round) {
    const Vectors query = normal_vectors(1, 50, random);
    const auto judged = plain_search(vectors, query.values, 100, allowed);
    for (const Kernels& kernels : supported_kernels()) {
      const auto neighbors = found(*index_of(vectors, kernels), query.values, 100, allowed);
      ASSERT_EQ(neighbors.size(), judged.size());
      for (std::size_t i = 0; i < judged.size(); ++i) {
        EXPECT_EQ(neighbors[i].row, judged[i].row) << kernels.name;
        EXPECT_NEAR(neighbors[i].score, judged[i].score, 1e-5 * (1 + std::abs(judged[i].score)));
      }
    }
  }
}

TEST(ExactIndexTest, OrdersEqualScoresByRow) {
  const Vectors vectors{2, std::vector<float>(2 * 500, 1.0F)};
  const float query[] = {1, 1};

  const auto neighbors = found(*index_of(vectors), query, 3, RowFilter::all(500));

  EXPECT_THAT(neighbors, ElementsAre(Neighbor{0, 2}, Neighbor{1, 2}, Neighbor{2, 2}));
}

TEST(ExactIndexTest, ReturnsWhatTheFilterLeaves) {
  const Vectors vectors{1, {1, 2, 3, 4}};
  const float query[] = {1};
  RowFilter two = RowFilter::none(4);
  two.set(1);
  two.set(3);

  EXPECT_THAT(found(*index_of(vectors), query, 10, two),
              ElementsAre(Neighbor{3, 4}, Neighbor{1, 2}));
  EXPECT_THAT(found(*index_of(vectors), query, 10, RowFilter::none(4)), IsEmpty());
}

TEST(ExactIndexTest, RefusesWhatItCannotAnswer) {
  const Vectors vectors{2, {1, 0, 0, 1}};
  const auto index = index_of(vectors);
  const RowFilter all = RowFilter::all(2);
  const float good[] = {1, 2};
  const float not_finite[] = {1, std::numeric_limits<float>::quiet_NaN()};
  const float infinite[] = {std::numeric_limits<float>::infinity(), 1};
  const float huge[] = {1, 1e30F};

  const auto refusal = [&](std::span<const float> query, std::size_t k, const RowFilter& allowed) {
    const auto answer = index->search(query, k, allowed);
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kInvalidArgument);
    return answer.status().ToString();
  };
  EXPECT_THAT(refusal(std::span(good).first(1), 1, all),
              HasSubstr("query must have 2 values, got 1"));
  EXPECT_THAT(refusal(not_finite, 1, all), HasSubstr("finite"));
  EXPECT_THAT(refusal(infinite, 1, all), HasSubstr("finite"));
  EXPECT_THAT(refusal(huge, 1, all), HasSubstr("1e+30"));
  EXPECT_THAT(refusal(good, 0, all), HasSubstr("k must be 1 to 1000, got 0"));
  EXPECT_THAT(refusal(good, 1001, all), HasSubstr("got 1001"));
  EXPECT_THAT(refusal(good, 1, RowFilter::all(3)), HasSubstr("allowed must have 2 rows, got 3"));
  EXPECT_TRUE(index->search(good, 1000, all).ok());
}

TEST(ExactIndexTest, RefusesVectorsThatAreNotUsable) {
  const Vectors bad{2, {1, 2, 3, std::numeric_limits<float>::infinity()}};
  EXPECT_THAT(ExactIndex::build(bad.table()).status().ToString(), HasSubstr("in row 1"));
  EXPECT_FALSE(ExactIndex::build({nullptr, 0, 0, 0}).ok());
  EXPECT_FALSE(ExactIndex::build({nullptr, 0, 4097, 4097}).ok());
  EXPECT_FALSE(ExactIndex::build({nullptr, 0, 8, 7}).ok());
  EXPECT_TRUE(ExactIndex::build({nullptr, 0, 8, 8}).ok());
}

TEST(ExactIndexTest, ReadsRowsThatAreFurtherApartThanTheyAreLong) {
  const float padded[] = {1, 2, 99, 3, 4, 99};
  const auto index = ExactIndex::build({padded, 2, 2, 3});
  const float query[] = {1, 1};
  EXPECT_THAT(found(**index, query, 2, RowFilter::all(2)),
              ElementsAre(Neighbor{1, 7}, Neighbor{0, 3}));
}

TEST(ExactIndexTest, FindsTailRowsAsIfTheyHadBeenBuiltIn) {
  Random random(13);
  Vectors all = whole_number_vectors(100, 10, random);
  std::shared_ptr<const ProductIndex> index = index_of(all);
  for (const std::size_t added : {1U, 1U, 70U, 255U, 256U, 600U, 3U}) {
    const Vectors tail = whole_number_vectors(added, 10, random);
    all.values.insert(all.values.end(), tail.values.begin(), tail.values.end());

    index = *index->with_tail(tail.table());

    ASSERT_EQ(index->row_count(), all.row_count());
    for (std::uint32_t row = 0; row < all.row_count(); ++row) {
      ASSERT_THAT(index->vector(row),
                  ElementsAreArray(std::span(all.values).subspan(row * 10, 10)));
    }
    const Vectors query = whole_number_vectors(1, 10, random);
    for (const double share : {0.02, 0.5, 1.0}) {
      const RowFilter allowed = random_filter(all.row_count(), share, random);
      ASSERT_EQ(found(*index, query.values, 50, allowed),
                plain_search(all, query.values, 50, allowed));
    }
  }
}

TEST(ExactIndexTest, KeepsOldSnapshotsAsTheyWere) {
  const Vectors vectors{1, {1, 2}};
  const float query[] = {1};
  const std::shared_ptr<const ProductIndex> before = index_of(vectors);
  const float first_tail[] = {5};
  const float second_tail[] = {7};

  const auto after_one = *before->with_tail({first_tail, 1, 1, 1});
  const auto after_two = *after_one->with_tail({second_tail, 1, 1, 1});

  EXPECT_THAT(found(*before, query, 9, RowFilter::all(2)),
              ElementsAre(Neighbor{1, 2}, Neighbor{0, 1}));
  EXPECT_THAT(found(*after_one, query, 1, RowFilter::all(3)), ElementsAre(Neighbor{2, 5}));
  EXPECT_THAT(found(*after_two, query, 1, RowFilter::all(4)), ElementsAre(Neighbor{3, 7}));
}

TEST(ExactIndexTest, RefusesATailThatDoesNotFit) {
  const auto index = index_of(Vectors{2, {1, 2}});
  const float bad[] = {1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(index->with_tail({bad, 1, 1, 1}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(index->with_tail({bad, 1, 2, 2}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ExactIndexTest, NeverReturnsTombstonesAndBringsThemBack) {
  const Vectors vectors{1, {4, 3, 2, 1}};
  const float query[] = {1};
  const float tail[] = {9};
  const auto whole = *index_of(vectors)->with_tail({tail, 1, 1, 1});
  RowFilter dead = RowFilter::none(5);
  dead.set(0);
  dead.set(4);

  const auto without = *whole->with_tombstones(dead);
  const auto again = *without->with_tombstones(RowFilter::none(5));

  EXPECT_THAT(found(*without, query, 2, RowFilter::all(5)),
              ElementsAre(Neighbor{1, 3}, Neighbor{2, 2}));
  EXPECT_THAT(found(*again, query, 2, RowFilter::all(5)),
              ElementsAre(Neighbor{4, 9}, Neighbor{0, 4}));
  EXPECT_FALSE(whole->with_tombstones(RowFilter::none(4)).ok());
}

TEST(ExactIndexTest, KeepsTombstonesWhenTheTailGrows) {
  const float query[] = {1};
  const float tail[] = {2};
  RowFilter dead = RowFilter::none(2);
  dead.set(0);

  const auto index =
      *(*index_of(Vectors{1, {9, 1}})->with_tombstones(dead))->with_tail({tail, 1, 1, 1});

  EXPECT_THAT(found(*index, query, 3, RowFilter::all(3)),
              ElementsAre(Neighbor{2, 2}, Neighbor{1, 1}));
}

TEST(ExactIndexTest, AnswersTheSameAfterSaveAndLoad) {
  Random random(14);
  const Vectors base = normal_vectors(300, 20, random);
  const Vectors tail = normal_vectors(10, 20, random);
  const Vectors query = normal_vectors(1, 20, random);
  const auto saved = *index_of(base)->with_tail(tail.table());
  const std::filesystem::path path = file_named("index.faiss");

  ASSERT_TRUE(saved->save(path).ok());
  const auto loaded = ExactIndex::load(path);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(found(**loaded, query.values, 50, RowFilter::all(310)),
            found(*saved, query.values, 50, RowFilter::all(310)));
}

TEST(ExactIndexTest, SavesAPlainFlatIndexThatFaissReads) {
  const std::filesystem::path path = file_named("index.faiss");
  ASSERT_TRUE(index_of(Vectors{3, {1, 2, 3, 4, 5, 6}})->save(path).ok());

  const std::unique_ptr<faiss::Index> read(faiss::read_index(path.c_str()));

  ASSERT_NE(dynamic_cast<faiss::IndexFlat*>(read.get()), nullptr);
  EXPECT_EQ(read->metric_type, faiss::METRIC_INNER_PRODUCT);
  float row[3];
  read->reconstruct(1, row);
  EXPECT_THAT(row, ElementsAre(4, 5, 6));
}

TEST(ExactIndexTest, RefusesFilesThatAreNotItsOwn) {
  const std::filesystem::path path = file_named("index.faiss");
  EXPECT_EQ(ExactIndex::load(path).status().code(), absl::StatusCode::kNotFound);

  ASSERT_TRUE(index_of(Vectors{3, {1, 2, 3, 4, 5, 6}})->save(path).ok());
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 5);
  EXPECT_EQ(ExactIndex::load(path).status().code(), absl::StatusCode::kDataLoss);

  std::ofstream(path) << "not an index at all";
  EXPECT_EQ(ExactIndex::load(path).status().code(), absl::StatusCode::kDataLoss);

  const faiss::IndexFlatL2 by_distance(3);
  faiss::write_index(&by_distance, path.c_str());
  EXPECT_EQ(ExactIndex::load(path).status().code(), absl::StatusCode::kDataLoss);

  faiss::IndexFlatIP with_nan(1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  with_nan.add(1, &nan);
  faiss::write_index(&with_nan, path.c_str());
  EXPECT_EQ(ExactIndex::load(path).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ExactIndexTest, ReportsAFolderThatIsNotThere) {
  EXPECT_EQ(index_of(Vectors{1, {1}})->save("/nonexistent/folder/index.faiss").code(),
            absl::StatusCode::kUnavailable);
}

TEST(FlatScanTest, BehavesAsAFaissIndex) {
  Random random(15);
  const Vectors vectors = whole_number_vectors(200, 24, random);
  const Vectors queries = whole_number_vectors(3, 24, random);
  const FlatScan scan(vectors.table(), nullptr, best_kernels());
  const faiss::IDSelectorRange only_some(40, 45);
  faiss::SearchParameters params;
  params.sel = const_cast<faiss::IDSelectorRange*>(&only_some);
  RowFilter allowed = RowFilter::none(200);
  for (std::uint32_t row = 40; row < 45; ++row) allowed.set(row);
  float distances[3 * 8];
  faiss::Index::idx_t labels[3 * 8];

  scan.search(3, queries.values.data(), 8, distances, labels, &params);

  for (std::size_t q = 0; q < 3; ++q) {
    const auto judged =
        plain_search(vectors, std::span(queries.values).subspan(q * 24, 24), 8, allowed);
    ASSERT_EQ(judged.size(), 5U);
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(labels[q * 8 + i], i < 5 ? faiss::Index::idx_t{judged[i].row} : -1);
    }
    EXPECT_EQ(distances[q * 8], judged[0].score);
  }
}

}  // namespace
}  // namespace vitrine::index
