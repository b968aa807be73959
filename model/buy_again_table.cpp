#include "model/buy_again_table.h"

#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine {
namespace {

bool is_length(float days) { return std::isfinite(days) && days >= 0; }

}  // namespace

absl::StatusOr<BuyAgainTable> BuyAgainTable::create(std::vector<BuyAgain> by_row,
                                                    Categories categories) {
  for (std::size_t row = 0; row < by_row.size(); ++row) {
    if (!is_length(by_row[row].days)) {
      return invalid_argument("days of row {} must be finite and at least 0, got {}", row,
                              by_row[row].days);
    }
  }
  for (const auto& [path, again] : categories) {
    if (!is_length(again.days) || again.repeats == 0) {
      return invalid_argument("'{}' must have days of at least 0 and repeats, got {} and {}", path,
                              again.days, again.repeats);
    }
  }
  BuyAgainTable table;
  table.by_row_ = std::move(by_row);
  table.categories_ = std::move(categories);
  return table;
}

std::optional<BuyAgain> BuyAgainTable::of_product(std::uint32_t row) const {
  if (row >= by_row_.size() || by_row_[row].repeats == 0) return std::nullopt;
  return by_row_[row];
}

std::optional<BuyAgain> BuyAgainTable::of_category(std::string_view path) const {
  while (true) {
    const auto found = categories_.find(path);
    if (found != categories_.end()) return found->second;
    const std::size_t step = path.rfind(" > ");
    if (step == std::string_view::npos) return std::nullopt;
    path = path.substr(0, step);
  }
}

}  // namespace vitrine
