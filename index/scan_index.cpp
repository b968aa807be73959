#include "index/scan_index.h"

#include <utility>

#include "base/status.h"
#include "index/block_scan.h"
#include "index/faiss_file.h"
#include "index/segmented_index.h"

namespace vitrine::index {

absl::StatusOr<std::shared_ptr<const ProductIndex>> ScanIndex::build(
    const VectorTable& vectors, std::shared_ptr<const void> owner, const Kernels& kernels) {
  VITRINE_RETURN_IF_ERROR(check_vectors(vectors));
  return std::make_shared<SegmentedIndex>(
      std::make_shared<BlockScan>(vectors, std::move(owner), kernels), kernels);
}

absl::StatusOr<std::shared_ptr<const ProductIndex>> ScanIndex::load(
    const std::filesystem::path& path) {
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<faiss::IndexFlat> flat, read_flat(path));
  auto index = build(table_of(*flat));
  if (index.ok()) return index;
  return data_loss("index file '{}': {}", path.string(), message_of(index.status()));
}

}  // namespace vitrine::index
