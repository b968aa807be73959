// Product id <-> dense row: the order of every matrix of one trained model.
//
// Rows are ordered by falling norm of their factors, so that table row, scan row and index id are
// one number. Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"

namespace vitrine {

class ProductTable {
 public:
  ProductTable() = default;  // no products

  // InvalidArgument when an id is empty or occurs twice. Row r is ids[r].
  static absl::StatusOr<ProductTable> create(const std::vector<std::string>& ids);

  ProductTable(ProductTable&&) = default;
  ProductTable& operator=(ProductTable&&) = default;
  ProductTable(const ProductTable&) = delete;
  ProductTable& operator=(const ProductTable&) = delete;

  std::size_t size() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }

  // Precondition, checked: row < size(). The text lives as long as the table.
  std::string_view id(std::uint32_t row) const;

  std::optional<std::uint32_t> row(std::string_view id) const;

 private:
  std::vector<char> text_;  // all ids, one after the other; a vector, so that moving keeps the keys
                            // of rows_ valid
  std::vector<std::uint64_t> offsets_;  // size() + 1 bounds into text_
  absl::flat_hash_map<std::string_view, std::uint32_t, TextHash, TextEqual> rows_;
};

}  // namespace vitrine
