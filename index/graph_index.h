// Walks a graph of neighbours instead of scanning: the choice past two million products, where a
// scan takes longer than a shopper's answer may.
//
// It finds most of the best products, not all: the more are asked for, the fewer of them
// (benchmarks/index prints the recall). Scores are the ones of ExactIndex to the last bit.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <memory>

#include "index/product_index.h"

namespace vitrine::index {

struct GraphOptions {
  int links = 32;                   // of a product on the ground level, halved; 2 to 256
  int build_effort = 200;           // products looked at to place one
  std::size_t search_effort = 512;  // products kept while searching, at least twice k
};

struct GraphIndex {
  // As ExactIndex::build. Takes minutes for a million rows.
  static absl::StatusOr<std::shared_ptr<const ProductIndex>> build(
      const VectorTable& vectors, std::shared_ptr<const void> owner = nullptr,
      const GraphOptions& options = {});

  // Reads what save() wrote, or any IndexHNSWFlat of FAISS by inner product; of `options` the
  // search effort counts.
  // Errors   NotFound: no such file. DataLoss: not such an index, or with values that are not
  // finite
  static absl::StatusOr<std::shared_ptr<const ProductIndex>> load(const std::filesystem::path& path,
                                                                  const GraphOptions& options = {});
};

}  // namespace vitrine::index
