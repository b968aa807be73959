// Picks the kind of index for a table of vectors, builds it, and measures what it finds.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "index/graph_index.h"
#include "index/product_index.h"

namespace vitrine::index {

enum class IndexKind { exact, scan, graph };
std::string_view name_of(IndexKind kind);

struct BuildOptions {
  std::optional<IndexKind> kind = {};  // empty: by the number of rows
  // Up to so many rows an exact scan takes less than 30 us, and needs no second copy of the rows.
  std::size_t exact_up_to_rows = 4096;
  // Up to so many rows a scan finds more in less time than a graph.
  std::size_t scan_up_to_rows = 2'000'000;
  // Rows of the table, evenly spaced, asked for their neighbours; 0: not measured.
  std::size_t recall_queries = 16;
  std::size_t recall_k = 100;  // at most ProductIndex::k_max
  // A graph that finds less gives way to a scan; a scan that finds less is refused. 0 to 1.
  double recall_min = 0;
  GraphOptions graph = {};
  // A graph takes minutes to build: it is kept here and read the next time, as long as it is one
  // over the same vectors. Empty: not kept.
  std::filesystem::path graph_file = {};
};

struct BuiltIndex {
  std::shared_ptr<const ProductIndex> index;
  IndexKind kind;
  // Share of the true best `recall_k` rows that a search returns, judged by an exact scan (an exact
  // one by that of the plain kernels); a row as good as the last of them counts. 1 when not
  // measured.
  double recall;
  bool is_read = false;  // a graph that was kept, not built
};

// Searches `vectors` where they lie, kept alive by `owner`, when they are aligned and padded as
// ExactIndex::build says; copies them otherwise.
// Errors   as ExactIndex::build; FailedPrecondition: it finds less than recall_min. A graph file
// that cannot be read or written is none.
absl::StatusOr<BuiltIndex> build_index(const VectorTable& vectors, const BuildOptions& options = {},
                                       std::shared_ptr<const void> owner = nullptr);

}  // namespace vitrine::index
