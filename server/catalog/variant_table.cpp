#include "server/catalog/variant_table.h"

#include <absl/hash/hash.h>

#include <algorithm>

namespace vitrine::catalog {
namespace {

std::uint64_t hash_of(std::string_view group_id) {
  return absl::Hash<std::string_view>()(group_id);
}

}  // namespace

VariantTable VariantTable::with(std::span<const Change> changes) const {
  std::array<Shard, k_shards> added;
  std::array<Shard, k_shards> removed;
  for (const Change& change : changes) {
    const std::uint64_t group = hash_of(change.group_id);
    (change.is_added ? added : removed)[group % k_shards].push_back({group, change.product});
  }
  VariantTable next = *this;
  for (std::size_t i = 0; i < k_shards; ++i) {
    if (added[i].empty() && removed[i].empty()) continue;
    Shard shard = shards_[i] != nullptr ? *shards_[i] : Shard();
    std::ranges::sort(removed[i]);
    std::erase_if(shard, [&](const Member& member) {
      return std::ranges::binary_search(removed[i], member);
    });
    shard.insert(shard.end(), added[i].begin(), added[i].end());
    std::ranges::sort(shard);
    next.shards_[i] = std::make_shared<const Shard>(std::move(shard));
  }
  return next;
}

std::vector<ProductNumber> VariantTable::of(std::string_view group_id) const {
  const std::uint64_t group = hash_of(group_id);
  const std::shared_ptr<const Shard>& shard = shards_[group % k_shards];
  std::vector<ProductNumber> products;
  if (shard == nullptr) return products;
  for (const Member& member : std::ranges::equal_range(*shard, group, {}, &Member::group)) {
    products.push_back(member.product);
  }
  return products;
}

}  // namespace vitrine::catalog
