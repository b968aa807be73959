#include "index/build_index.h"

#include <gmock/gmock.h>

#include <fstream>
#include <limits>
#include <memory>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/index/plain_loop.h"

namespace vitrine::index {
namespace {

TEST(BuildIndexTest, PicksTheKindByTheNumberOfRowsAndMeasuresIt) {
  Random random(21);
  const BuildOptions options = {.exact_up_to_rows = 700, .scan_up_to_rows = 800, .recall_k = 10};
  for (const auto& [row_count, kind, recall] :
       {std::tuple{700U, "exact", 1.0}, {701U, "scan", 0.999}, {801U, "graph", 0.8}}) {
    const Vectors vectors = normal_vectors(row_count, 33, random);

    const auto built = build_index(vectors.table(), options);

    ASSERT_TRUE(built.ok()) << built.status();
    EXPECT_EQ(name_of(built->kind), kind);
    EXPECT_GE(built->recall, recall);
    EXPECT_LE(built->recall, 1.0);
    EXPECT_EQ(built->index->row_count(), row_count);
    EXPECT_EQ(built->index->dimension(), 33U);
  }
}

TEST(BuildIndexTest, BuildsTheKindItIsAskedFor) {
  Random random(22);
  const Vectors vectors = normal_vectors(100, 5, random);
  for (const IndexKind kind : {IndexKind::exact, IndexKind::scan, IndexKind::graph}) {
    const auto built = build_index(vectors.table(), {.kind = kind});
    ASSERT_TRUE(built.ok()) << built.status();
    EXPECT_EQ(built->kind, kind);
  }
}

// Long rows near the end of many short ones: a graph with hardly any effort loses its way.
Vectors hard_to_walk(Random& random) {
  Vectors vectors = normal_vectors(3000, 40, random);
  for (std::size_t i = 0; i < vectors.values.size(); ++i) {
    vectors.values[i] *= (i / 40) % 50 == 0 ? 3.0F : 1.0F;
  }
  return vectors;
}

TEST(BuildIndexTest, SaysWhenAnIndexMissesProducts) {
  Random random(23);
  const Vectors vectors = hard_to_walk(random);
  const auto built = build_index(vectors.table(),
                                 {.kind = IndexKind::graph, .recall_queries = 50, .recall_k = 500});
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_LT(built->recall, 1.0);
  EXPECT_GT(built->recall, 0.1);
}

// One large value in every row leaves 4 bits nothing for what tells the rows apart.
Vectors hard_to_code(std::size_t rows, Random& random) {
  Vectors vectors = normal_vectors(rows, 16, random);
  for (std::size_t row = 0; row < rows; ++row) vectors.values[row * 16] = 3000;
  return vectors;
}

TEST(BuildIndexTest, RefusesAScanThatFindsTooLittle) {
  Random random(26);
  const Vectors vectors = hard_to_code(20'000, random);

  const auto refused = build_index(vectors.table(), {.kind = IndexKind::scan, .recall_min = 0.999});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(), testing::HasSubstr("at least 0.999 is asked"));
  EXPECT_TRUE(build_index(vectors.table(), {.kind = IndexKind::scan, .recall_min = 0}).ok());
}

TEST(BuildIndexTest, ScansWhereAGraphFindsTooLittle) {
  Random random(27);
  const Vectors vectors = normal_vectors(5000, 40, random);
  const GraphOptions careless = {.links = 2, .build_effort = 1, .search_effort = 1};
  BuildOptions options = {
      .kind = IndexKind::graph, .recall_queries = 50, .recall_k = 10, .graph = careless};
  ASSERT_LT(build_index(vectors.table(), options)->recall, 0.8);
  options.recall_min = 0.95;

  const auto built = build_index(vectors.table(), options);

  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_EQ(built->kind, IndexKind::scan);
  EXPECT_GE(built->recall, 0.95);
}

TEST(BuildIndexTest, KeepsAGraphAndReadsItWhileItFitsTheVectors) {
  Random random(24);
  const TempFolder folder;
  const Vectors vectors = normal_vectors(600, 20, random);
  const Vectors others = normal_vectors(600, 20, random);
  const BuildOptions options = {.kind = IndexKind::graph, .graph_file = folder / "graph.faiss"};
  const auto answer = [&](const Vectors& of) {
    const auto built = build_index(of.table(), options);
    EXPECT_TRUE(built.ok()) << built.status();
    return *built->index->search(std::span(vectors.values).first(20), 10, RowFilter::all(600));
  };

  const std::vector<Neighbor> first = answer(vectors);
  const auto written = std::filesystem::last_write_time(options.graph_file);
  EXPECT_EQ(answer(vectors), first);
  EXPECT_EQ(std::filesystem::last_write_time(options.graph_file), written);
  EXPECT_TRUE(build_index(vectors.table(), options)->is_read);

  // Another model's vectors, then a file that is none: built anew, and kept.
  EXPECT_NE(answer(others), first);
  EXPECT_EQ(answer(vectors), first);
  std::ofstream(options.graph_file, std::ios::trunc) << "no graph";
  EXPECT_EQ(answer(vectors), first);
  EXPECT_GT(std::filesystem::file_size(options.graph_file), 600U * 20 * 4);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(BuildIndexTest, ServesWithoutAPlaceToKeepAGraph) {
  Random random(25);
  const Vectors vectors = normal_vectors(100, 5, random);

  const auto built = build_index(
      vectors.table(), {.kind = IndexKind::graph, .graph_file = "/no/such/folder/graph.faiss"});

  EXPECT_TRUE(built.ok()) << built.status();
}

TEST(BuildIndexTest, SearchesTheOwnersRowsWhereTheyLie) {
  struct alignas(64) Line {
    float values[16];
  };
  const auto owner = std::make_shared<std::vector<Line>>(5000, Line{});
  const auto built = build_index({(*owner)[0].values, 5000, 16, 16}, {}, owner);
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_EQ(built->kind, IndexKind::scan);
  EXPECT_EQ(built->index->vector(0).data(), (*owner)[0].values);
  EXPECT_EQ(built->index->vector(4999).data(), (*owner)[4999].values);
}

TEST(BuildIndexTest, BuildsAnEmptyTable) {
  const auto built = build_index({nullptr, 0, 16, 16});
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_EQ(built->index->row_count(), 0U);
  EXPECT_EQ(built->recall, 1.0);
}

TEST(BuildIndexTest, RefusesVectorsThatAreNotFinite) {
  const Vectors bad{1, {1, std::numeric_limits<float>::quiet_NaN()}};
  EXPECT_EQ(build_index(bad.table()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::index
