#include "index/build_index.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/exact_index.h"

namespace vitrine::index {
namespace {

double plain_score(const VectorTable& vectors, std::span<const float> query, std::size_t row) {
  const float* values = vectors.values + row * vectors.stride;
  double sum = 0;
  for (std::size_t j = 0; j < vectors.dimension; ++j) {
    sum += static_cast<double>(query[j]) * static_cast<double>(values[j]);
  }
  return sum;
}

// How many of the k best rows `found` holds. A row as good as the last of them counts, whichever of
// its equals the loop would have taken; single precision may order two rows the other way round
// when they are this close.
std::size_t hits(const VectorTable& vectors, std::span<const float> query, std::size_t k,
                 std::span<const Neighbor> found) {
  std::vector<double> scores(vectors.row_count);
  for (std::size_t row = 0; row < scores.size(); ++row) {
    scores[row] = plain_score(vectors, query, row);
  }
  std::vector<double> ranked = scores;
  const auto last = ranked.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(ranked.begin(), last, ranked.end(), std::greater<>());
  double largest = 0;
  for (const double score : scores) largest = std::max(largest, std::abs(score));
  const double enough = *last - 1e-6 * largest;
  return static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(),
                    [&](const Neighbor& neighbor) { return scores[neighbor.row] >= enough; }));
}

absl::StatusOr<double> measure_recall(const ProductIndex& index, const VectorTable& vectors,
                                      const BuildOptions& options) {
  const std::size_t queries = std::min(options.recall_queries, vectors.row_count);
  if (queries == 0) return 1.0;
  const std::size_t k = std::min(options.recall_k, vectors.row_count);
  const RowFilter everything = RowFilter::all(vectors.row_count);
  std::size_t found_in_all = 0;
  for (std::size_t i = 0; i < queries; ++i) {
    const std::size_t row = i * vectors.row_count / queries;
    const std::span<const float> query(vectors.values + row * vectors.stride, vectors.dimension);
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Neighbor> found, index.search(query, k, everything));
    found_in_all += hits(vectors, query, k, found);
  }
  return static_cast<double>(found_in_all) / static_cast<double>(queries * k);
}

}  // namespace

std::string_view name_of(IndexKind kind) {
  switch (kind) {
    case IndexKind::exact:
      return "exact";
  }
  return "unknown";
}

absl::StatusOr<BuiltIndex> build_index(const VectorTable& vectors, const BuildOptions& options) {
  VITRINE_ASSIGN_OR_RETURN(std::shared_ptr<const ProductIndex> index, ExactIndex::build(vectors));
  VITRINE_ASSIGN_OR_RETURN(const double recall, measure_recall(*index, vectors, options));
  return BuiltIndex{std::move(index), IndexKind::exact, recall};
}

}  // namespace vitrine::index
