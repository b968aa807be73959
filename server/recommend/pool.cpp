#include "server/recommend/pool.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "server/recommend/blend.h"

namespace vitrine::recommend {

namespace {
constexpr float k_fusion = 10;
}  // namespace

float Pool::share_of_place(std::size_t place) {
  return k_fusion / (k_fusion + static_cast<float>(place));
}

void Pool::add(std::size_t source, std::span<const ProductNumber> products, FilterStage& filter,
               ProductMarks& marks) {
  filter.expect(products);
  std::uint16_t place = 0;
  for (const ProductNumber product : products) {
    if (place == std::numeric_limits<std::uint16_t>::max()) return;
    if (!filter.admits(product)) continue;
    ProductMarks::Entry& mark = marks.at(product);
    if (mark.slot == ProductMarks::k_no_slot) {
      mark.slot = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({.product = product});
    }
    entries_[mark.slot].places[source] = ++place;
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

void Pool::sort(const Blend& blend) {
  blend.score(entries_);
  order();
}

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
