// The rows an index was built from, in whatever layout searches them fast: a faiss::Index, and what
// FAISS's interface has no words for.
//
// Inside index/ only, because it shows FAISS. Thread-safety: const methods may run at the same time
// from any thread.
#pragma once

#include <absl/status/status.h>
#include <faiss/Index.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "index/best_rows.h"
#include "index/kernels.h"
#include "index/product_index.h"
#include "index/row_filter.h"

namespace vitrine::index {

class FlatScan;

// Where a filter leaves at most one row in so many, these are faster fetched and scored in full
// precision than found among all (benchmarks/index, "allowed").
constexpr std::size_t k_narrow_one_of = 12;

struct alignas(k_lane_floats * sizeof(float)) Lane {
  float values[k_lane_floats];
};

// A query as the kernels want it: aligned, and padded with zeros.
class PaddedQuery {
 public:
  PaddedQuery() = default;
  explicit PaddedQuery(std::span<const float> query);
  const float* values() const { return lanes_.front().values; }

 private:
  std::vector<Lane> lanes_;
};

// One search on its way through the segments. `allowed` must outlive it.
struct Search {
  Search(std::span<const float> wanted, std::size_t limit, const RowFilter& filter)
      : query(wanted), dimension(wanted.size()), k(limit), allowed(&filter), best(limit) {}

  PaddedQuery query;
  std::size_t dimension;
  std::size_t k;
  const RowFilter* allowed;
  BestRows best;
};

class Segment : public faiss::Index {
 public:
  explicit Segment(std::size_t dimension);

  // Offers each search its k best of the rows that its filter and `live` both contain, and perhaps
  // more. The rows of this segment are the first ones of the filters.
  virtual void collect(std::span<Search> searches, const RowFilter& live) const = 0;

  // The rows in full precision.
  virtual VectorTable rows() const = 0;
  std::size_t row_count() const { return static_cast<std::size_t>(ntotal); }

  // Writes these rows and the ones of `tail` in a format of FAISS's own.
  // Errors   Unavailable: the file cannot be written
  virtual absl::Status save(std::span<const std::shared_ptr<const FlatScan>> tail,
                            const std::filesystem::path& path) const;

  // FAISS's interface: n queries, short answers padded with -1. A segment is built as a whole.
  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
              const faiss::SearchParameters* params = nullptr) const override;
  void reconstruct(idx_t key, float* recons) const override;
  void add(idx_t n, const float* x) override;
  void reset() override;
};

}  // namespace vitrine::index
