#include "model/neighbor_table.h"

#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace vitrine {
namespace {

absl::Status check_list(std::uint32_t row, std::size_t row_count,
                        std::span<const RelatedProduct> list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const RelatedProduct& related = list[i];
    if (related.row >= row_count || related.row == row) {
      return invalid_argument("neighbour {} of row {} must be another of {} rows", related.row, row,
                              row_count);
    }
    if (!std::isfinite(related.score) || !std::isfinite(related.lift)) {
      return invalid_argument("neighbour {} of row {} has a score or lift that is not finite",
                              related.row, row);
    }
    if (i > 0 && related.score > list[i - 1].score) {
      return invalid_argument("neighbours of row {} must be ordered by falling score", row);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NeighborTable> NeighborTable::create(
    const std::vector<std::vector<RelatedProduct>>& lists) {
  std::vector<std::uint64_t> bounds{0};
  std::vector<RelatedProduct> entries;
  for (const std::vector<RelatedProduct>& list : lists) {
    entries.insert(entries.end(), list.begin(), list.end());
    bounds.push_back(entries.size());
  }
  return restore(std::move(bounds), std::move(entries));
}

absl::StatusOr<NeighborTable> NeighborTable::restore(std::vector<std::uint64_t> bounds,
                                                     std::vector<RelatedProduct> entries) {
  struct Lists {
    std::vector<std::uint64_t> bounds;
    std::vector<RelatedProduct> entries;
  };
  const auto lists = std::make_shared<const Lists>(std::move(bounds), std::move(entries));
  return borrow(lists->bounds, lists->entries, lists);
}

absl::StatusOr<NeighborTable> NeighborTable::borrow(std::span<const std::uint64_t> bounds,
                                                    std::span<const RelatedProduct> entries,
                                                    std::shared_ptr<const void> owner) {
  if (bounds.empty() || bounds.front() != 0 || bounds.back() != entries.size()) {
    return invalid_argument("bounds of the lists must run from 0 to {}", entries.size());
  }
  const std::size_t row_count = bounds.size() - 1;
  for (std::uint32_t row = 0; row < row_count; ++row) {
    if (bounds[row] > bounds[row + 1] || bounds[row + 1] > entries.size()) {
      return invalid_argument("bounds of the lists must rise, they do not after row {}", row);
    }
    const std::span list = entries.subspan(bounds[row], bounds[row + 1] - bounds[row]);
    VITRINE_RETURN_IF_ERROR(check_list(row, row_count, list));
  }
  NeighborTable table;
  table.owner_ = std::move(owner);
  table.bounds_ = bounds;
  table.entries_ = entries;
  return table;
}

std::span<const RelatedProduct> NeighborTable::of(std::uint32_t row) const {
  CHECK(row < row_count(), "a row of the neighbour table");
  return entries_.subspan(bounds_[row], bounds_[row + 1] - bounds_[row]);
}

}  // namespace vitrine
