#include "index/scan_index.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/random.h"
#include "index/block_scan.h"
#include "index/exact_index.h"
#include "tests/unit/index/plain_loop.h"

namespace vitrine::index {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Index = std::shared_ptr<const ProductIndex>;

Index scan_of(const Vectors& vectors, const Kernels& kernels = best_kernels()) {
  auto index = ScanIndex::build(vectors.table(), nullptr, kernels);
  EXPECT_TRUE(index.ok()) << index.status();
  return *index;
}

Index exact_of(const Vectors& vectors) { return *ExactIndex::build(vectors.table()); }

std::vector<Neighbor> found(const Index& index, std::span<const float> query, std::size_t k,
                            const RowFilter& allowed) {
  auto neighbors = index->search(query, k, allowed);
  EXPECT_TRUE(neighbors.ok()) << neighbors.status();
  return *std::move(neighbors);
}

void append(Vectors& vectors, const Vectors& more) {
  vectors.values.insert(vectors.values.end(), more.values.begin(), more.values.end());
}

// Every row times a factor of its own.
template <class FactorOf>
Vectors scaled(Vectors vectors, FactorOf&& factor_of) {
  for (std::size_t i = 0; i < vectors.values.size(); ++i) {
    vectors.values[i] *= static_cast<float>(factor_of(i / vectors.dimension));
  }
  return vectors;
}

TEST(ScanIndexTest, EqualsTheExactIndexForAnySizeFilterAndK) {
  Random random(31);
  for (int round = 0; round < 200; ++round) {
    const std::size_t dimension = 1 + random.below(130);
    const std::size_t row_count = random.below(4000);
    const std::size_t k = 1 + random.below(random.below(2) == 0 ? 20 : ProductIndex::k_max);
    const double shares[] = {0, 0.01, 0.07, 0.1, 0.5, 1};
    const double share = shares[random.below(6)];
    const Vectors vectors = normal_vectors(row_count, dimension, random);
    const Vectors query = normal_vectors(1, dimension, random);
    const RowFilter allowed = random_filter(row_count, share, random);

    ASSERT_EQ(found(scan_of(vectors), query.values, k, allowed),
              found(exact_of(vectors), query.values, k, allowed))
        << row_count << " x " << dimension << ", k " << k << ", share " << share;
  }
}

// The basis of a trained model: most of a vector's length in its first few dimensions, where 4 bits
// are coarse for the others.
TEST(ScanIndexTest, FindsTheBestOfVectorsThatLieMostlyInAFewDimensions) {
  Random random(32);
  constexpr std::size_t row_count = 20000;
  Vectors vectors = normal_vectors(row_count, 64, random);
  Vectors queries = normal_vectors(20, 64, random);
  for (Vectors* some : {&vectors, &queries}) {
    for (std::size_t i = 0; i < some->values.size(); ++i) {
      some->values[i] *= 4 * std::exp(-0.1F * static_cast<float>(i % 64));
    }
  }
  const Index scan = scan_of(vectors);
  const Index exact = exact_of(vectors);
  const RowFilter all = RowFilter::all(row_count);
  std::size_t hits = 0;
  for (std::size_t q = 0; q < 20; ++q) {
    const auto query = std::span(queries.values).subspan(q * 64, 64);
    const auto judged = found(exact, query, 100, all);
    for (const Neighbor& neighbor : found(scan, query, 100, all)) {
      hits += neighbor.score >= judged.back().score ? 1U : 0U;
    }
  }
  EXPECT_GE(hits, 1998U);
}

TEST(ScanIndexTest, AnswersTheSameWithEveryKernel) {
  Random random(33);
  for (const std::size_t dimension : {3U, 64U, 81U}) {
    const Vectors vectors = normal_vectors(3000, dimension, random);
    const RowFilter allowed = random_filter(3000, 0.6, random);
    for (int round = 0; round < 10; ++round) {
      const Vectors query = normal_vectors(1, dimension, random);
      const auto judged =
          found(scan_of(vectors, supported_kernels().front()), query.values, 100, allowed);
      for (const Kernels& kernels : supported_kernels()) {
        EXPECT_EQ(found(scan_of(vectors, kernels), query.values, 100, allowed), judged)
            << kernels.name;
      }
    }
  }
}

TEST(ScanIndexTest, OrdersEqualRowsByRow) {
  Random random(34);
  const Vectors one = normal_vectors(1, 8, random);
  Vectors vectors{8, {}};
  for (int i = 0; i < 5000; ++i) append(vectors, one);
  const Index index = scan_of(vectors);

  const auto neighbors = found(index, one.values, 300, RowFilter::all(5000));

  ASSERT_EQ(neighbors.size(), 300U);
  for (std::uint32_t i = 0; i < 300; ++i) EXPECT_EQ(neighbors[i].row, i);
}

TEST(ScanIndexTest, EndsEarlyWithoutLosingARow) {
  Random random(35);
  const Vectors same_length = normal_vectors(6000, 16, random);
  const Vectors falling =
      scaled(same_length, [](std::size_t row) { return std::exp(-0.002 * double(row)); });
  const Vectors rising =
      scaled(same_length, [](std::size_t row) { return std::exp(0.002 * double(row)); });
  const Vectors valley =
      scaled(same_length, [](std::size_t row) { return row >= 2000 && row < 5500 ? 0.001 : 1.0; });
  for (const Vectors& vectors : {same_length, falling, rising, valley}) {
    const Vectors query = normal_vectors(1, 16, random);
    for (const double share : {0.3, 1.0}) {
      const RowFilter allowed = random_filter(6000, share, random);
      EXPECT_EQ(found(scan_of(vectors), query.values, 50, allowed),
                found(exact_of(vectors), query.values, 50, allowed));
    }
  }
}

TEST(ScanIndexTest, AnswersOnRowsOfAnyLength) {
  Random random(36);
  const Vectors normal = normal_vectors(3000, 12, random);
  // From the smallest numbers a float can hold to the largest allowed.
  const Vectors spread =
      scaled(normal, [](std::size_t row) { return std::pow(10.0, -44.0 + 0.0193 * double(row)); });
  const Vectors zeros{12, std::vector<float>(3000 * 12, 0.0F)};
  Vectors half_zeros = normal;
  std::fill_n(half_zeros.values.begin(), 1500 * 12, 0.0F);
  const Vectors largest{12, std::vector<float>(3000 * 12, ProductIndex::value_max)};
  const RowFilter all = RowFilter::all(3000);
  for (const Vectors& vectors : {spread, zeros, half_zeros, largest}) {
    const Vectors query = normal_vectors(1, 12, random);
    const std::vector<float> zero_query(12, 0.0F);
    const std::vector<float> largest_query(12, -ProductIndex::value_max);
    for (const std::vector<float>& wanted : {query.values, zero_query, largest_query}) {
      EXPECT_EQ(found(scan_of(vectors), wanted, 100, all),
                found(exact_of(vectors), wanted, 100, all));
    }
  }
}

TEST(ScanIndexTest, AnswersOnTablesOfFewRows) {
  const float query[] = {2};
  EXPECT_THAT(found(scan_of(Vectors{1, {3}}), query, 5, RowFilter::all(1)),
              ElementsAre(Neighbor{0, 6}));
  EXPECT_THAT(found(scan_of(Vectors{1, {3}}), query, 5, RowFilter::none(1)), IsEmpty());
  EXPECT_THAT(found(scan_of(Vectors{1, {}}), query, 5, RowFilter::none(0)), IsEmpty());
}

TEST(ScanIndexTest, AnswersABatchAsItAnswersEachAlone) {
  Random random(37);
  const Vectors tail = normal_vectors(30, 40, random);
  const Index index = *scan_of(normal_vectors(5000, 40, random))->with_tail(tail.table());
  for (const std::size_t count : {0U, 1U, 2U, 3U, 5U, 7U, 8U, 9U, 20U}) {
    const Vectors queries = normal_vectors(count, 40, random);
    std::vector<RowFilter> filters;
    std::vector<SearchRequest> requests;
    filters.reserve(count);
    for (std::size_t q = 0; q < count; ++q) {
      const double shares[] = {0.01, 0.3, 1};
      filters.push_back(random_filter(5030, shares[random.below(3)], random));
      requests.push_back({std::span(queries.values).subspan(q * 40, 40),
                          1 + random.below(ProductIndex::k_max), &filters.back()});
    }

    const auto answers = index->search_batch(requests);

    ASSERT_EQ(answers.size(), count);
    for (std::size_t q = 0; q < count; ++q) {
      ASSERT_TRUE(answers[q].ok()) << answers[q].status();
      EXPECT_EQ(*answers[q], found(index, requests[q].query, requests[q].k, filters[q]));
    }
  }
}

TEST(ScanIndexTest, RefusesOnlyTheWrongRequestsOfABatch) {
  Random random(38);
  const Index index = scan_of(normal_vectors(500, 2, random));
  const RowFilter all = RowFilter::all(500);
  const float good[] = {1, 2};
  const float bad[] = {1, std::numeric_limits<float>::quiet_NaN()};
  const std::vector<SearchRequest> requests = {
      {good, 3, &all}, {bad, 3, &all}, {good, 0, &all}, {good, 7, &all}};

  const auto answers = index->search_batch(requests);

  EXPECT_EQ(*answers[0], found(index, good, 3, all));
  EXPECT_THAT(answers[1].status().ToString(), HasSubstr("finite"));
  EXPECT_THAT(answers[2].status().ToString(), HasSubstr("k must be 1 to 1000, got 0"));
  EXPECT_EQ(*answers[3], found(index, good, 7, all));
}

TEST(ScanIndexTest, EqualsTheExactIndexThroughAnyCatalogChanges) {
  Random random(39);
  for (int round = 0; round < 20; ++round) {
    const Vectors base = normal_vectors(500 + random.below(1000), 10, random);
    Index scan = scan_of(base);
    Index exact = exact_of(base);
    for (int change = 0; change < 8; ++change) {
      if (random.below(2) == 0) {
        const Vectors tail = normal_vectors(random.below(400), 10, random);
        scan = *scan->with_tail(tail.table());
        exact = *exact->with_tail(tail.table());
      } else {
        const RowFilter dead = random_filter(scan->row_count(), 0.3, random);
        scan = *scan->with_tombstones(dead);
        exact = *exact->with_tombstones(dead);
      }
      const Vectors query = normal_vectors(1, 10, random);
      const RowFilter allowed = random_filter(scan->row_count(), 0.7, random);
      ASSERT_EQ(found(scan, query.values, 100, allowed), found(exact, query.values, 100, allowed));
    }
  }
}

TEST(ScanIndexTest, AnswersTheSameAfterSaveAndLoad) {
  Random random(40);
  const Vectors tail = normal_vectors(10, 20, random);
  const Vectors query = normal_vectors(1, 20, random);
  const Index saved = *scan_of(normal_vectors(3000, 20, random))->with_tail(tail.table());
  const std::string path = ::testing::TempDir() + "vitrine_scan_index_test.faiss";

  ASSERT_TRUE(saved->save(path).ok());
  const auto loaded = ScanIndex::load(path);
  const auto plain = ExactIndex::load(path);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_TRUE(plain.ok()) << plain.status();
  const RowFilter all = RowFilter::all(3010);
  EXPECT_EQ(found(*loaded, query.values, 50, all), found(saved, query.values, 50, all));
  EXPECT_EQ(found(*plain, query.values, 50, all), found(saved, query.values, 50, all));
  std::filesystem::remove(path);
}

TEST(ScanIndexTest, RefusesWhatItCannotBuildOrLoad) {
  const Vectors bad{2, {1, 2, 3, std::numeric_limits<float>::infinity()}};
  EXPECT_THAT(ScanIndex::build(bad.table()).status().ToString(), HasSubstr("in row 1"));
  EXPECT_EQ(ScanIndex::load("/nonexistent/index.faiss").status().code(),
            absl::StatusCode::kNotFound);
}

struct Owned {
  alignas(64) float values[3 * 16] = {};
};

TEST(ScanIndexTest, ReadsAlignedRowsWhereTheyLieAndKeepsThemAlive) {
  auto owner = std::make_shared<Owned>();
  for (std::size_t row = 0; row < 3; ++row) owner->values[row * 16] = static_cast<float>(row + 1);
  const std::weak_ptr<Owned> watched = owner;
  const float* values = owner->values;

  Index index = *ScanIndex::build({values, 3, 10, 16}, std::move(owner));

  EXPECT_EQ(index->vector(0).data(), values);
  const std::vector<float> query(10, 2.0F);
  EXPECT_EQ(found(index, query, 1, RowFilter::all(3)).front(), (Neighbor{2, 6}));
  EXPECT_FALSE(watched.expired());
  index.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(ScanIndexTest, CopiesRowsThatTheKernelsCouldNotRead) {
  const auto owner = std::make_shared<Owned>();
  owner->values[15] = 9;  // behind the 10 numbers of the first row
  const Index dirty = *ScanIndex::build({owner->values, 3, 10, 16}, owner);
  const Index shifted = *ScanIndex::build({owner->values + 1, 2, 10, 16}, owner);
  const Index tight = *ScanIndex::build({owner->values, 3, 10, 12}, owner);
  EXPECT_NE(dirty->vector(0).data(), owner->values);
  EXPECT_NE(shifted->vector(0).data(), owner->values + 1);
  EXPECT_NE(tight->vector(0).data(), owner->values);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(BlockScanTest, BehavesAsAFaissIndex) {
  Random random(41);
  const Vectors vectors = normal_vectors(2000, 24, random);
  const Vectors queries = normal_vectors(3, 24, random);
  const BlockScan scan(vectors.table(), nullptr, best_kernels());
  float distances[3 * 8];
  faiss::Index::idx_t labels[3 * 8];

  scan.search(3, queries.values.data(), 8, distances, labels);

  for (std::size_t q = 0; q < 3; ++q) {
    const auto judged = found(exact_of(vectors), std::span(queries.values).subspan(q * 24, 24), 8,
                              RowFilter::all(2000));
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(labels[q * 8 + i], faiss::Index::idx_t{judged[i].row});
      EXPECT_EQ(distances[q * 8 + i], judged[i].score);
    }
  }
  float row[24];
  scan.reconstruct(7, row);
  EXPECT_EQ(row[3], vectors.values[7 * 24 + 3]);
}

}  // namespace
}  // namespace vitrine::index
