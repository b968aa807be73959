// How wanted each product is by everybody, with old events counting less.
//
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace vitrine {

class PopularityTable {
 public:
  PopularityTable() = default;  // no rows

  // weights[r] is the decayed weight of row r: finite and not negative, else InvalidArgument.
  static absl::StatusOr<PopularityTable> create(std::vector<float> weights);

  std::size_t row_count() const { return weights_.size(); }
  // Precondition, checked: row < row_count().
  float weight(std::uint32_t row) const;
  std::span<const float> weights() const { return weights_; }
  // All rows, most popular first; equal weights by row.
  std::span<const std::uint32_t> ranking() const { return ranking_; }

 private:
  std::vector<float> weights_;
  std::vector<std::uint32_t> ranking_;
};

}  // namespace vitrine
