#include "model/product_table.h"

#include "base/check.h"
#include "base/status.h"

namespace vitrine {

absl::StatusOr<ProductTable> ProductTable::create(const std::vector<std::string>& ids) {
  if (ids.size() > UINT32_MAX)
    return invalid_argument("at most 2^32 - 1 products, got {}", ids.size());
  ProductTable table;
  table.offsets_.reserve(ids.size() + 1);
  table.offsets_.push_back(0);
  for (const std::string& id : ids) {
    if (id.empty()) return invalid_argument("product id in row {} is empty", table.size());
    table.text_.insert(table.text_.end(), id.begin(), id.end());
    table.offsets_.push_back(table.text_.size());
  }
  table.rows_.reserve(ids.size());
  for (std::uint32_t row = 0; row < ids.size(); ++row) {
    if (!table.rows_.emplace(table.id(row), row).second) {
      return invalid_argument("product id '{}' occurs twice", ids[row]);
    }
  }
  return table;
}

std::string_view ProductTable::id(std::uint32_t row) const {
  CHECK(row < size(), "a row of the product table");
  return {text_.data() + offsets_[row], offsets_[row + 1] - offsets_[row]};
}

std::optional<std::uint32_t> ProductTable::row(std::string_view id) const {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

}  // namespace vitrine
