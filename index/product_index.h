// Nearest-neighbour search over the product vectors of one model version.
//
// An index is an immutable snapshot, shared as shared_ptr<const ProductIndex>. What the catalog
// changes between two models (products added at the end, products taken out) makes a new snapshot
// that shares the vectors of the old one. Thread-safety: const methods may run at the same time
// from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "index/row_filter.h"

namespace vitrine::index {

struct Neighbor {
  std::uint32_t row;  // row of the model's product table or of the tail behind it, not a product id
  float score;        // inner product with the query; larger is better

  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};

// Vectors that lie in somebody else's memory: row r begins at values[r * stride].
struct VectorTable {
  const float* values = nullptr;
  std::size_t row_count = 0;
  std::size_t dimension = 0;
  std::size_t stride = 0;  // floats from one row to the next, at least `dimension`
};

// One of several searches that are made together; what it points to is read during the call only.
struct SearchRequest {
  std::span<const float> query;
  std::size_t k;
  const RowFilter* allowed;  // not null
};

class ProductIndex {
 public:
  static constexpr std::size_t k_max = 1000;
  static constexpr std::size_t dimension_max = 4096;
  // Larger magnitudes, in vectors and queries alike, could overflow a sum; no model comes near.
  static constexpr float value_max = 1e15F;

  virtual ~ProductIndex() = default;

  // Returns up to `k` allowed rows that are not tombstones, best first; equal scores are ordered by
  // row, so that an answer can be reproduced. Fewer than `k` come back only when fewer are left.
  //
  // query    dimension() floats, of any length; read during the call only
  // allowed  row_count() bits, made for this snapshot; read during the call only
  // Errors   InvalidArgument: a wrong size, a value that is not finite, or k outside [1, k_max]
  virtual absl::StatusOr<std::vector<Neighbor>> search(std::span<const float> query, std::size_t k,
                                                       const RowFilter& allowed) const = 0;

  // The answers that search() gives to each request, in their order. Requests that wait at the same
  // time share the pass over memory, up to 8 of them.
  virtual std::vector<absl::StatusOr<std::vector<Neighbor>>> search_batch(
      std::span<const SearchRequest> requests) const {
    std::vector<absl::StatusOr<std::vector<Neighbor>>> answers;
    for (const SearchRequest& request : requests) {
      answers.push_back(search(request.query, request.k, *request.allowed));
    }
    return answers;
  }

  // A snapshot with the rows of `vectors` behind the rows of this one. Costs a copy of at most one
  // chunk of the tail beside the new rows, never of the base. Errors   InvalidArgument: another
  // dimension, or a value that is not finite
  virtual absl::StatusOr<std::shared_ptr<const ProductIndex>> with_tail(
      const VectorTable& vectors) const = 0;

  // A snapshot that never returns the rows in `dead`, whatever a search allows. Replaces earlier
  // tombstones: a row left out of `dead` is back. Errors   InvalidArgument: `dead` is not of
  // row_count() bits
  virtual absl::StatusOr<std::shared_ptr<const ProductIndex>> with_tombstones(
      const RowFilter& dead) const = 0;

  // The vector of a row, base or tail; dimension() floats that live as long as this snapshot.
  // Precondition, checked: row < row_count().
  virtual std::span<const float> vector(std::uint32_t row) const = 0;

  // Writes all rows, the tail included and tombstones not, in a format of FAISS's own.
  // Errors   Unavailable: the file cannot be written
  virtual absl::Status save(const std::filesystem::path& path) const = 0;

  virtual std::size_t dimension() const = 0;
  virtual std::size_t row_count() const = 0;  // base and tail, tombstones included
};

}  // namespace vitrine::index
