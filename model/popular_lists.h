// The most wanted products of every group of products: of a category, of a market.
//
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

struct PopularProduct {
  std::uint32_t row;  // of the product table
  float weight;       // decayed, comparable within one list

  friend bool operator==(const PopularProduct&, const PopularProduct&) = default;
};

class PopularLists {
 public:
  using Lists = std::map<std::string, std::vector<PopularProduct>, std::less<>>;

  PopularLists() = default;  // none

  // InvalidArgument: a row of `row_count` or more, a weight that is not finite and above 0, or one
  // that rises within its list.
  static absl::StatusOr<PopularLists> create(Lists lists, std::size_t row_count);

  bool empty() const { return lists_.empty(); }
  // By falling weight; empty for a group that is not known. Lives as long as the table.
  std::span<const PopularProduct> of(std::string_view group) const;
  const Lists& lists() const { return lists_; }

 private:
  Lists lists_;
};

}  // namespace vitrine
