#include "index/graph_index.h"

#include <faiss/IndexHNSW.h>

#include <utility>

#include "base/status.h"
#include "index/faiss_file.h"
#include "index/graph_scan.h"
#include "index/segmented_index.h"

namespace vitrine::index {

absl::StatusOr<std::shared_ptr<const ProductIndex>> GraphIndex::build(
    const VectorTable& vectors, std::shared_ptr<const void> owner, const GraphOptions& options) {
  VITRINE_RETURN_IF_ERROR(check_vectors(vectors));
  if (options.links < 2 || options.links > 256) {
    return invalid_argument("links must be 2 to 256, got {}", options.links);
  }
  if (options.build_effort < 1) {
    return invalid_argument("build_effort must be positive, got {}", options.build_effort);
  }
  return std::make_shared<SegmentedIndex>(
      std::make_shared<GraphScan>(vectors, std::move(owner), options), best_kernels());
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> GraphIndex::load(
    const std::filesystem::path& path, const GraphOptions& options) {
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<faiss::Index> read, read_graph(path));
  const auto* graph = dynamic_cast<const faiss::IndexHNSW*>(read.get());
  const auto* flat =
      graph == nullptr ? nullptr : dynamic_cast<const faiss::IndexFlat*>(graph->storage);
  if (flat == nullptr || graph->metric_type != faiss::METRIC_INNER_PRODUCT ||
      flat->ntotal != graph->ntotal ||
      flat->codes.size() != static_cast<std::size_t>(flat->ntotal * flat->d) * sizeof(float)) {
    return data_loss("index file '{}' must hold an IndexHNSWFlat by inner product", path.string());
  }
  const VectorTable vectors = table_of(*flat);
  absl::Status status = check_vectors(vectors);
  if (status.ok()) {
    auto segment = GraphScan::adopt(*graph, vectors, options);
    if (segment.ok()) return std::make_shared<SegmentedIndex>(*std::move(segment), best_kernels());
    status = segment.status();
  }
  return data_loss("index file '{}': {}", path.string(), message_of(status));
}

}  // namespace vitrine::index
