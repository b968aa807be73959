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

bool is_over(const ProductIndex& index, const VectorTable& vectors) {
  if (index.row_count() != vectors.row_count || index.dimension() != vectors.dimension) {
    return false;
  }
  for (std::uint32_t row = 0; row < vectors.row_count; ++row) {
    const std::span<const float> kept = index.vector(row);
    if (!std::ranges::equal(kept, std::span(vectors.values + row * vectors.stride, kept.size()))) {
      return false;
    }
  }
  return true;
}

// Written beside and renamed: a file that is there is whole.
absl::Status keep(const ProductIndex& index, const std::filesystem::path& file) {
  std::filesystem::path unfinished = file;
  unfinished += ".unfinished";
  absl::Status status = index.save(unfinished);
  std::error_code error;
  if (status.ok()) std::filesystem::rename(unfinished, file, error);
  if (error) status = unavailable("cannot write {}: {}", file.string(), error.message());
  if (!status.ok()) std::filesystem::remove(unfinished, error);
  return status;
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> kept_or_new_graph(
    const VectorTable& vectors, std::shared_ptr<const void> owner, const BuildOptions& options,
    bool& is_read) {
  const std::filesystem::path& file = options.graph_file;
  if (file.empty()) return GraphIndex::build(vectors, std::move(owner), options.graph);
  auto kept = GraphIndex::load(file, options.graph);
  is_read = kept.ok() && is_over(**kept, vectors);
  if (is_read) return kept;
  VITRINE_ASSIGN_OR_RETURN(auto built, GraphIndex::build(vectors, std::move(owner), options.graph));
  // A full disk costs the next start some minutes, not this one its model.
  keep(*built, file).IgnoreError();
  return built;
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> build(IndexKind kind,
                                                          const VectorTable& vectors,
                                                          std::shared_ptr<const void> owner,
                                                          const BuildOptions& options,
                                                          bool& is_read) {
  switch (kind) {
    case IndexKind::exact:
      return ExactIndex::build(vectors, std::move(owner));
    case IndexKind::scan:
      return ScanIndex::build(vectors, std::move(owner));
    case IndexKind::graph:
      return kept_or_new_graph(vectors, std::move(owner), options, is_read);
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
  BuiltIndex built{.index = nullptr, .kind = kind, .recall = 1};
  VITRINE_ASSIGN_OR_RETURN(built.index, build(kind, vectors, owner, options, built.is_read));
  VITRINE_ASSIGN_OR_RETURN(built.recall, measure_recall(built.index, kind, options));
  if (built.recall >= options.recall_min) return built;
  if (kind == IndexKind::graph) {
    BuildOptions with_scan = options;
    with_scan.kind = IndexKind::scan;
    return build_index(vectors, with_scan, std::move(owner));
  }
  return failed_precondition(
      "the {} index finds {:.4f} of the true best products, at least {} is asked", name_of(kind),
      built.recall, options.recall_min);
}

}  // namespace vitrine::index
