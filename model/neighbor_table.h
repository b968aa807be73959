// For every product the products that go with it, best first: similar ones, those bought together,
// or those viewed together.
//
// Large, and little of it is read often: a table may stay in the file it came from.
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vitrine {

// Stored as it lies in memory: 16 bytes, little-endian.
struct RelatedProduct {
  std::uint32_t row;  // row of the product table
  float score;        // what the list is ordered by, larger is better: cosine (similar, viewed),
                      // log-likelihood (together)
  float lift;  // together: how many times likelier in an order that holds the other; 0 where it
               // means nothing
  std::uint32_t support;  // orders or sessions that hold both; 0 where it means nothing

  friend bool operator==(const RelatedProduct&, const RelatedProduct&) = default;
};

class NeighborTable {
 public:
  NeighborTable() = default;  // no rows

  // lists[r] are the neighbours of row r, best first.
  // InvalidArgument: a row outside the table or its own neighbour, a score or lift that is not
  // finite, a rising score.
  static absl::StatusOr<NeighborTable> create(
      const std::vector<std::vector<RelatedProduct>>& lists);
  // The same from bounds (row count + 1, rising from 0) and all lists one after the other.
  static absl::StatusOr<NeighborTable> restore(std::vector<std::uint64_t> bounds,
                                               std::vector<RelatedProduct> entries);
  // The same where they lie; `owner` keeps them there, unchanged.
  static absl::StatusOr<NeighborTable> borrow(std::span<const std::uint64_t> bounds,
                                              std::span<const RelatedProduct> entries,
                                              std::shared_ptr<const void> owner);

  std::size_t row_count() const { return bounds_.empty() ? 0 : bounds_.size() - 1; }

  // Precondition, checked: row < row_count(). The span lives as long as the table.
  std::span<const RelatedProduct> of(std::uint32_t row) const;

  std::span<const std::uint64_t> bounds() const { return bounds_; }
  std::span<const RelatedProduct> entries() const { return entries_; }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::uint64_t> bounds_;
  std::span<const RelatedProduct> entries_;
};

}  // namespace vitrine
