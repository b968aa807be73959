// Which products are variants of each other: the numbers of each group's products.
//
// A group is known by a hash of its id, so two groups may share an entry: whoever reads it looks at
// the product's own group_id. Copied on write in shards, so that one change costs one shard.
// Thread-safe (values).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "model/ids.h"

namespace vitrine::catalog {

class VariantTable {
 public:
  struct Change {
    std::string_view group_id;  // not empty; read during the call only
    ProductNumber product;
    bool is_added;  // else it leaves
  };

  VariantTable with(std::span<const Change> changes) const;
  // In the order of numbers; some may be of another group.
  std::vector<ProductNumber> of(std::string_view group_id) const;

 private:
  struct Member {
    std::uint64_t group;
    ProductNumber product;

    friend auto operator<=>(const Member&, const Member&) = default;
  };
  using Shard = std::vector<Member>;  // in order
  static constexpr std::size_t k_shards = 256;

  std::array<std::shared_ptr<const Shard>, k_shards> shards_;  // null: empty
};

}  // namespace vitrine::catalog
