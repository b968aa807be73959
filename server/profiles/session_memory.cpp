#include "server/profiles/session_memory.h"

#include <algorithm>

namespace vitrine::profiles {
namespace {

constexpr int k_read_tries = 64;

}  // namespace

// The version turns odd before anything else is seen to change, and even after all of it is: data
// is stored with release after the first and before the last.
void SessionClicks::write(SessionRef session, std::span<const ProductNumber> products,
                          TimeMs last_ms) {
  Block& block = blocks_.grow_to_hold(session.slot);
  const std::uint32_t version = block.version.load(std::memory_order_relaxed);
  block.version.store(version + 1, std::memory_order_relaxed);
  block.generation.store(session.generation, std::memory_order_release);
  block.size.store(static_cast<std::uint32_t>(products.size()), std::memory_order_release);
  block.last_ms.store(last_ms, std::memory_order_release);
  for (std::size_t i = 0; i < products.size(); ++i) {
    block.products[i].store(products[i].value(), std::memory_order_release);
  }
  block.version.store(version + 2, std::memory_order_release);
}

void SessionClicks::clear(std::uint32_t slot) {
  const std::uint32_t generation =
      blocks_.grow_to_hold(slot).generation.load(std::memory_order_relaxed);
  write({.slot = slot, .generation = generation + 1}, {}, 0);
}

bool SessionClicks::read(SessionRef session, SessionBook::Session& out) const {
  const Block* const block = blocks_.find(session.slot);
  if (block == nullptr) return false;
  for (int i = 0; i < k_read_tries; ++i) {
    const std::uint32_t version = block->version.load(std::memory_order_acquire);
    if (version % 2 != 0) continue;
    const std::uint32_t generation = block->generation.load(std::memory_order_acquire);
    const std::uint32_t size = block->size.load(std::memory_order_acquire);
    out.last_ms = block->last_ms.load(std::memory_order_acquire);
    out.size = 0;
    for (std::uint32_t click = 0; click < size; ++click) {
      const ProductNumber product(block->products[click].load(std::memory_order_acquire));
      if (out.size > 0 && out.products[out.size - 1] == product) continue;
      out.products[out.size++] = product;
    }
    if (block->version.load(std::memory_order_relaxed) == version) {
      return generation == session.generation && size > 0;
    }
  }
  return false;
}

void SessionClicks::prefetch(SessionRef session) const {
  constexpr std::size_t k_line = 64;
  const auto* const block = reinterpret_cast<const std::byte*>(blocks_.find(session.slot));
  if (block == nullptr) return;
  __builtin_prefetch(block);
  __builtin_prefetch(block + k_line);
}

void SessionsOfProducts::put(ProductNumber product, const SessionOfProduct& entry, bool is_new) {
  if (is_new) counts_.grow_to_hold(product.value()).fetch_add(1, std::memory_order_relaxed);
  Shard& shard = shards_[product.value() % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  List& list = shard.lists[product];
  if (!is_new) {
    std::erase_if(list, [&](const auto& other) { return other.session == entry.session; });
  }
  const auto place = std::find_if(list.rbegin(), list.rend(), [&](const SessionOfProduct& other) {
    return other.time_ms != entry.time_ms ? other.time_ms < entry.time_ms
                                          : other.session.slot > entry.session.slot;
  });
  list.insert(place.base(), entry);
  if (list.size() > list_max_) list.erase(list.begin());
}

void SessionsOfProducts::remove(ProductNumber product, std::uint32_t slot) {
  counts_.grow_to_hold(product.value()).fetch_sub(1, std::memory_order_relaxed);
  Shard& shard = shards_[product.value() % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.lists.find(product);
  if (found == shard.lists.end()) return;
  std::erase_if(found->second, [&](const auto& other) { return other.session.slot == slot; });
  if (found->second.empty()) shard.lists.erase(found);
}

void SessionsOfProducts::newest(ProductNumber product, std::size_t limit,
                                std::vector<SessionOfProduct>& out) const {
  out.clear();
  const Shard& shard = shards_[product.value() % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.lists.find(product);
  if (found == shard.lists.end()) return;
  const List& list = found->second;
  out.assign(list.rbegin(),
             list.rbegin() + static_cast<std::ptrdiff_t>(std::min(limit, list.size())));
}

std::size_t SessionsOfProducts::count(ProductNumber product) const {
  const Count* const count = counts_.find(product.value());
  return count == nullptr ? 0 : count->load(std::memory_order_relaxed);
}

}  // namespace vitrine::profiles
