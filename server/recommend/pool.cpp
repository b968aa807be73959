#include "server/recommend/pool.h"

#include <algorithm>
#include <limits>

#include "server/recommend/blend.h"

namespace vitrine::recommend {

void Pool::add(std::size_t source, std::span<const ProductNumber> products, FilterStage& filter,
               ProductMarks& marks) {
  filter.expect(products);
  std::uint16_t place = 0;
  for (const ProductNumber product : products) {
    if (place == std::numeric_limits<std::uint16_t>::max()) return;
    const std::optional<ProductNumber> shown = filter.shown_for(product);
    if (!shown) continue;
    ProductMarks::Entry& mark = marks.at(*shown);
    if (mark.slot == ProductMarks::k_no_slot) {
      mark.slot = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back().product = *shown;  // made where it stays
    }
    Entry& entry = entries_[mark.slot];
    if (entry.is_given_by(source)) continue;  // a variant of it came first
    entry.places[source] = ++place;
    if (*shown != product) stand_ins_.push_back({*shown, product, source});
  }
}

ProductNumber Pool::given(const Entry& entry) const {
  for (const StandIn& stand_in : stand_ins_) {
    if (stand_in.shown == entry.product && stand_in.source == entry.strongest) {
      return stand_in.given;
    }
  }
  return entry.product;
}

bool Pool::is_worse(const Rank& a, const Rank& b) {
  return a.score != b.score ? a.score < b.score : a.product > b.product;
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
  heap_.clear();
  for (const Entry& entry : entries_) {
    heap_.push_back({entry.score, entry.product, static_cast<std::uint32_t>(heap_.size())});
  }
  std::ranges::make_heap(heap_, is_worse);
}

const Pool::Entry* Pool::next() {
  if (heap_.empty()) return nullptr;
  std::ranges::pop_heap(heap_, is_worse);
  const Entry& best = entries_[heap_.back().slot];
  heap_.pop_back();
  return &best;
}

}  // namespace vitrine::recommend
