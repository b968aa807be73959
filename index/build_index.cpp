#include "index/build_index.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/status.h"
#include "index/exact_index.h"
#include "index/graph_index.h"
#include "index/kernels.h"
#include "index/scan_index.h"

namespace vitrine::index {
namespace {

IndexKind kind_for(std::size_t row_count, const BuildOptions& options) {
  if (options.kind) return *options.kind;
  if (row_count <= options.exact_up_to_rows) return IndexKind::exact;
  return row_count <= options.scan_up_to_rows ? IndexKind::scan : IndexKind::graph;
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> build(IndexKind kind,
                                                          const VectorTable& vectors,
                                                          std::shared_ptr<const void> owner) {
  switch (kind) {
    case IndexKind::exact:
      return ExactIndex::build(vectors, std::move(owner));
    case IndexKind::scan:
      return ScanIndex::build(vectors, std::move(owner));
    case IndexKind::graph:
      return GraphIndex::build(vectors, std::move(owner));
  }
  return invalid_argument("kind must be exact, scan or graph, got {}", static_cast<int>(kind));
}

// The exact scan over the rows of `index`, where they lie.
absl::StatusOr<std::shared_ptr<const ProductIndex>> judge_of(
    const std::shared_ptr<const ProductIndex>& index, IndexKind kind) {
  const VectorTable rows = {index->vector(0).data(), index->row_count(), index->dimension(),
                            padded_stride(index->dimension())};
  return ExactIndex::build(rows, index,
                           kind == IndexKind::exact ? supported_kernels().front() : best_kernels());
}

absl::StatusOr<double> measure_recall(const std::shared_ptr<const ProductIndex>& index,
                                      IndexKind kind, const BuildOptions& options) {
  const std::size_t row_count = index->row_count();
  const std::size_t queries = std::min(options.recall_queries, row_count);
  if (queries == 0) return 1.0;
  VITRINE_ASSIGN_OR_RETURN(const auto judge, judge_of(index, kind));
  const std::size_t k = std::min(options.recall_k, row_count);
  const RowFilter everything = RowFilter::all(row_count);
  std::size_t found_in_all = 0;
  for (std::size_t i = 0; i < queries; ++i) {
    const auto query = index->vector(static_cast<std::uint32_t>(i * row_count / queries));
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Neighbor> best, judge->search(query, k, everything));
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Neighbor> found,
                             index->search(query, k, everything));
    found_in_all += static_cast<std::size_t>(std::count_if(
        found.begin(), found.end(),
        [&](const Neighbor& neighbor) { return neighbor.score >= best.back().score; }));
  }
  return static_cast<double>(found_in_all) / static_cast<double>(queries * k);
}

}  // namespace

std::string_view name_of(IndexKind kind) {
  switch (kind) {
    case IndexKind::exact:
      return "exact";
    case IndexKind::scan:
      return "scan";
    case IndexKind::graph:
      return "graph";
  }
  return "unknown";
}

absl::StatusOr<BuiltIndex> build_index(const VectorTable& vectors, const BuildOptions& options,
                                       std::shared_ptr<const void> owner) {
  const IndexKind kind = kind_for(vectors.row_count, options);
  VITRINE_ASSIGN_OR_RETURN(std::shared_ptr<const ProductIndex> index,
                           build(kind, vectors, std::move(owner)));
  VITRINE_ASSIGN_OR_RETURN(const double recall, measure_recall(index, kind, options));
  return BuiltIndex{std::move(index), kind, recall};
}

}  // namespace vitrine::index
