#include "model/buy_again_table.h"

#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine {
namespace {

bool is_length(float days) { return std::isfinite(days) && days >= 0; }

// Of the path itself, else of its nearest ancestor in the map; the empty path is the last of them.
template <class Map>
auto nearest(const Map& by_path, std::string_view path)
    -> std::optional<typename Map::mapped_type> {
  while (true) {
    const auto found = by_path.find(path);
    if (found != by_path.end()) return found->second;
    if (path.empty()) return std::nullopt;
    const std::size_t step = path.rfind(" > ");
    path = path.substr(0, step == std::string_view::npos ? 0 : step);
  }
}

}  // namespace

absl::StatusOr<BuyAgainTable> BuyAgainTable::create(std::vector<BuyAgain> by_row,
                                                    Categories categories, RepeatShares shares) {
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
  for (const auto& [path, share] : shares) {
    if (!(share >= 0 && share <= 1)) {
      return invalid_argument("the repeat share of '{}' must be in [0, 1], got {}", path, share);
    }
  }
  BuyAgainTable table;
  table.by_row_ = std::move(by_row);
  table.categories_ = std::move(categories);
  table.shares_ = std::move(shares);
  return table;
}

std::optional<BuyAgain> BuyAgainTable::of_product(std::uint32_t row) const {
  if (row >= by_row_.size() || by_row_[row].repeats == 0) return std::nullopt;
  return by_row_[row];
}

std::optional<BuyAgain> BuyAgainTable::of_category(std::string_view path) const {
  return nearest(categories_, path);
}

std::optional<float> BuyAgainTable::repeat_share_of(std::string_view path) const {
  return nearest(shares_, path);
}

}  // namespace vitrine
