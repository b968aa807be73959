#include "server/recommend/pool.h"

#include <algorithm>
#include <numeric>

namespace vitrine::recommend {

float Pool::share_of_place(std::size_t place) {
  constexpr float k = 10;
  return k / (k + static_cast<float>(place));
}

void Pool::add(std::size_t source, float weight, std::span<const ProductNumber> products,
               FilterStage& filter, ProductMarks& marks) {
  std::size_t place = 0;
  for (const ProductNumber product : products) {
    if (!filter.admits(product)) continue;
    ProductMarks::Entry& mark = marks.at(product);
    if (mark.slot == ProductMarks::k_no_slot) {
      mark.slot = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({.product = product});
    }
    Entry& entry = entries_[mark.slot];
    const float part = weight * share_of_place(place++);
    entry.parts[source] = part;
    entry.score += part;
    if (part > entry.most) {
      entry.most = part;
      entry.strongest = static_cast<std::uint8_t>(source);
    }
  }
}

bool Pool::is_worse(std::uint32_t a, std::uint32_t b) const {
  if (entries_[a].score != entries_[b].score) return entries_[a].score < entries_[b].score;
  return entries_[a].product > entries_[b].product;
}

const Pool::Entry* Pool::find(ProductNumber product) const {
  const auto found = std::ranges::find(entries_, product, &Entry::product);
  return found == entries_.end() ? nullptr : &*found;
}

void Pool::sort() { order(); }

// A heap: few of the candidates are ever asked for.
void Pool::order() {
  heap_.resize(entries_.size());
  std::iota(heap_.begin(), heap_.end(), 0U);
  std::ranges::make_heap(heap_, [this](auto a, auto b) { return is_worse(a, b); });
}

const Pool::Entry* Pool::next() {
  if (heap_.empty()) return nullptr;
  std::ranges::pop_heap(heap_, [this](auto a, auto b) { return is_worse(a, b); });
  const Entry& best = entries_[heap_.back()];
  heap_.pop_back();
  return &best;
}

}  // namespace vitrine::recommend
