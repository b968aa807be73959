// Product vectors with FAISS's graph of neighbours (HNSW, by inner product) over them.
//
// The graph answers wide filters; narrow ones, and answers that come back short, are scanned
// exactly. Inside index/ only, because it shows FAISS. Thread-safety: const methods may run at the
// same time from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <faiss/IndexHNSW.h>

#include <filesystem>
#include <memory>
#include <span>

#include "index/flat_scan.h"
#include "index/graph_index.h"
#include "index/segment.h"

namespace vitrine::index {

class GraphScan final : public Segment {
 public:
  // Builds the graph with all threads OpenMP has: minutes for a million rows.
  GraphScan(const VectorTable& vectors, std::shared_ptr<const void> owner,
            const GraphOptions& options);
  // Takes over the graph of an index that FAISS has read.
  // Errors   DataLoss: the graph does not fit its rows
  static absl::StatusOr<std::shared_ptr<const GraphScan>> adopt(const faiss::IndexHNSW& read,
                                                                const VectorTable& vectors,
                                                                const GraphOptions& options);

  void collect(std::span<Search> searches, const RowFilter& live) const override;
  VectorTable rows() const override { return rows_.rows(); }
  absl::Status save(std::span<const std::shared_ptr<const FlatScan>> tail,
                    const std::filesystem::path& path) const override;

 private:
  // Scores rows where they lie for FAISS, which would keep a copy of its own.
  class Storage;

  GraphScan(const VectorTable& vectors, std::shared_ptr<const void> owner,
            const GraphOptions& options, std::size_t row_count);
  std::vector<std::uint32_t> walk(const Search& search, const RowFilter& live) const;

  std::size_t effort_;
  FlatScan rows_;
  std::unique_ptr<faiss::Index> storage_;
  std::unique_ptr<faiss::IndexHNSW> graph_;
};

}  // namespace vitrine::index
