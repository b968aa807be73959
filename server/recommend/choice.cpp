#include "server/recommend/choice.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "server/recommend/inner_product.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// A candidate as maximal marginal relevance sees it. Products without a vector are like no other.
struct Varied {
  const Pool::Entry* entry;
  std::span<const float> vector;
  float scale = 0;     // one over the vector's length
  float worth = 0;     // 1 for the best of the window, 0 for the last
  float likeness = 0;  // the largest cosine to what is shown
  bool is_taken = false;

  void see(std::span<const float> shown, float shown_scale) {
    if (shown.size() != vector.size() || vector.empty()) return;
    likeness = std::max(likeness, dot(vector, shown) * scale * shown_scale);
  }
};

float scale_of(std::span<const float> vector) {
  const float square = dot(vector, vector);
  return square > 0 ? 1 / std::sqrt(square) : 0;
}

Varied varied(const Context& context, const Pool::Entry& entry, float best, float last) {
  const std::span<const float> vector = context.vector_of(entry.product);
  return {.entry = &entry,
          .vector = vector,
          .scale = scale_of(vector),
          .worth = best > last ? (entry.score - last) / (best - last) : 1};
}

}  // namespace

std::size_t Choice::drawn_places() const {
  const std::size_t one_in = context_.placement.variety.explores_one_in;
  // Nobody who refused to be known is made part of a trial.
  if (one_in == 0 || !context_.request.explore || !context_.personalize) return 0;
  return context_.request.limit / one_in;
}

void Choice::add(const Pool::Entry& entry) {
  selection_.add(entry.product, pool_.given(entry), entry.score, *sources_[entry.strongest],
                 &entry);
}

// The products that a pin names come in its order, whether anything speaks for them or not.
bool Choice::pin_by_id(const CompiledRule& pin) {
  for (const std::string& id : pin.rule->when.products) {
    const auto product = context_.numbers.find(id);
    if (!product || selection_.contains(*product)) continue;
    if (!rules_.holds(pin, *product) || !filter_.admits(*product)) continue;
    const Pool::Entry* const entry = pool_.find(*product);
    const float score = entry != nullptr ? entry->score : 0;
    const CandidateSource& source =
        entry != nullptr ? *sources_[entry->strongest] : pinned_source();
    if (selection_.pin(*product, *product, score, source, entry, *pin.rule)) return true;
  }
  return false;
}

const Pool::Entry* Choice::best_pinned(const CompiledRule& pin) const {
  const Pool::Entry* best = nullptr;
  for (const Pool::Entry& entry : pool_.entries()) {
    if (best != nullptr && entry.score <= best->score) continue;
    if (rules_.holds(pin, entry.product) && !selection_.contains(entry.product)) best = &entry;
  }
  return best;
}

void Choice::pin() {
  for (const CompiledRule& pin : rules_.pins()) {
    if (selection_.is_full() || pin.rule->position > context_.request.limit) return;
    if (!pin.rule->when.products.empty()) {
      pin_by_id(pin);
    } else if (const Pool::Entry* const best = best_pinned(pin)) {
      selection_.pin(best->product, pool_.given(*best), best->score, *sources_[best->strongest],
                     best, *pin.rule);
    }
  }
}

void Choice::choose(Chance& chance) {
  const std::size_t limit = context_.request.limit;
  const std::size_t drawn = std::min(drawn_places(), limit - selection_.picks().size());
  const std::size_t places = limit - drawn;
  context_.placement.variety.diversity > 0 ? add_varied(places) : add_best(places);
  for (std::size_t i = 0; i < drawn; ++i) draw(chance);
  add_best(limit);
}

const Pool::Entry* Choice::next() {
  while (true) {
    const Pool::Entry* const entry = left_at_ < left_.size() ? left_[left_at_++] : pool_.next();
    if (entry == nullptr || !selection_.contains(entry->product)) return entry;
  }
}

void Choice::add_best(std::size_t places) {
  while (selection_.picks().size() < places) {
    const Pool::Entry* const best = next();
    if (best == nullptr) return;
    add(*best);
  }
}

// Maximal marginal relevance: each place goes to the candidate with the most of
// (1 - diversity) * worth - diversity * likeness.
void Choice::add_varied(std::size_t places) {
  const std::size_t window = std::min(k_window_max, k_window_places * context_.request.limit);
  while (left_.size() < window) {
    const Pool::Entry* const entry = pool_.next();
    if (entry == nullptr) break;
    if (!selection_.contains(entry->product)) left_.push_back(entry);
  }
  if (left_.empty()) return;
  thread_local std::vector<Varied> candidates;
  candidates.clear();
  for (const Pool::Entry* const entry : left_) {
    candidates.push_back(varied(context_, *entry, left_.front()->score, left_.back()->score));
  }
  const auto show = [&](ProductNumber product) {
    const std::span<const float> vector = context_.vector_of(product);
    const float scale = scale_of(vector);
    for (Varied& candidate : candidates) {
      if (!candidate.is_taken) candidate.see(vector, scale);
    }
  };
  for (const Pick& pick : selection_.picks()) show(pick.product);

  const float diversity = context_.placement.variety.diversity;
  const std::size_t end = std::min(places, k_varied_places_max);
  while (selection_.picks().size() < end) {
    Varied* best = nullptr;
    float most = 0;
    for (Varied& candidate : candidates) {
      if (candidate.is_taken) continue;
      const float value = (1 - diversity) * candidate.worth - diversity * candidate.likeness;
      if (best == nullptr || value > most) {
        best = &candidate;
        most = value;
      }
    }
    if (best == nullptr) break;
    best->is_taken = true;
    const std::size_t before = selection_.picks().size();
    add(*best->entry);
    if (selection_.picks().size() > before) show(best->entry->product);
  }
  left_.clear();
  for (const Varied& candidate : candidates) {
    if (!candidate.is_taken) left_.push_back(candidate.entry);
  }
  add_best(places);
}

void Choice::draw(Chance& chance) {
  thread_local std::vector<const Pool::Entry*> from;
  from.clear();
  while (from.size() < k_drawn_from_max) {
    const std::size_t asked = from.size();
    while (from.size() < k_drawn_from_max) {
      const Pool::Entry* const entry = next();
      if (entry == nullptr) break;
      selection_.expect(entry->product);
      from.push_back(entry);
    }
    if (from.size() == asked) break;
    const auto refused = std::remove_if(
        from.begin() + static_cast<std::ptrdiff_t>(asked), from.end(),
        [&](const auto* entry) { return selection_.refusal_of(entry->product).has_value(); });
    from.erase(refused, from.end());
  }
  if (from.empty()) return;
  const Pool::Entry& drawn = *from[chance.below(from.size())];
  add(drawn);
  selection_.mark_drawn(1.0 / static_cast<double>(from.size()));
  // The others stay candidates, in their order.
  left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(left_at_));
  left_at_ = 0;
  left_.insert(left_.begin(), from.begin(), from.end());
}

}  // namespace vitrine::recommend
