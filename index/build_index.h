// Picks the kind of index for a table of vectors, builds it, and measures what it finds.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <string_view>

#include "index/product_index.h"

namespace vitrine::index {

enum class IndexKind { exact };
std::string_view name_of(IndexKind kind);

struct BuildOptions {
  std::size_t recall_queries =
      16;  // rows of the table, evenly spaced, asked for their neighbours; 0: not measured
  std::size_t recall_k = 100;  // at most ProductIndex::k_max
};

struct BuiltIndex {
  std::shared_ptr<const ProductIndex> index;
  IndexKind kind;
  // Share of the true best `recall_k` rows that a search returns, judged by a plain loop; 1 when
  // not measured.
  double recall;
};

// Errors   as ExactIndex::build
absl::StatusOr<BuiltIndex> build_index(const VectorTable& vectors,
                                       const BuildOptions& options = {});

}  // namespace vitrine::index
