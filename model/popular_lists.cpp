#include "model/popular_lists.h"

#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine {

absl::StatusOr<PopularLists> PopularLists::create(Lists lists, std::size_t row_count) {
  for (const auto& [group, products] : lists) {
    for (std::size_t i = 0; i < products.size(); ++i) {
      const PopularProduct& one = products[i];
      if (one.row >= row_count)
        return invalid_argument("row {} of '{}' must be below {}", one.row, group, row_count);
      if (!std::isfinite(one.weight) || one.weight <= 0) {
        return invalid_argument("weight of row {} of '{}' must be finite and above 0, got {}",
                                one.row, group, one.weight);
      }
      if (i > 0 && one.weight > products[i - 1].weight)
        return invalid_argument("products of '{}' must be ordered by falling weight", group);
    }
  }
  PopularLists table;
  table.lists_ = std::move(lists);
  return table;
}

std::span<const PopularProduct> PopularLists::of(std::string_view group) const {
  const auto found = lists_.find(group);
  if (found == lists_.end()) return {};
  return found->second;
}

}  // namespace vitrine
