#include "server/recommend/next_products.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "server/recommend/score_table.h"

namespace vitrine::recommend {
namespace {

using profiles::SessionBook;
using profiles::SessionOfProduct;
using profiles::SessionRef;

// A product of the session, and how much it counts.
struct Step {
  ProductNumber product;
  float weight;
};

struct Neighbor {
  SessionOfProduct session;  // with the time of its latest click on a product of ours
  float alike;
};

// How much a place in a session counts by its distance to another one.
struct Kernel {
  float decay;
  float before;
  float itself;
};

struct Scratch {
  std::vector<Step> steps;
  ScoreTable step_weights;  // by product
  std::vector<SessionOfProduct> sessions;
  ScoreTable alike;  // by slot
  std::vector<Neighbor> neighbors;
  ScoreTable best_places;  // by product, of one neighbour
  ScoreTable scores;       // by product
  std::vector<NextProduct> bridges;
};

Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

bool is_better(const NextProduct& a, const NextProduct& b) {
  return a.score != b.score ? a.score > b.score : a.product < b.product;
}

constexpr std::size_t k_reads_ahead = 6;  // sessions that are on their way from memory

// Entry `i` is about to be read: asks for the ones behind it.
template <class Entry>
void look_ahead(const SessionBook& book, const std::vector<Entry>& entries, std::size_t i,
                SessionRef (*session_of)(const Entry&)) {
  if (i == 0) {
    for (std::size_t j = 0; j < std::min(k_reads_ahead, entries.size()); ++j) {
      book.prefetch(session_of(entries[j]));
    }
  }
  if (i + k_reads_ahead < entries.size()) book.prefetch(session_of(entries[i + k_reads_ahead]));
}

// The best of `products` in order, the rest gone.
template <class T, class Before>
void keep_best(std::vector<T>& products, std::size_t limit, Before before) {
  limit = std::min(limit, products.size());
  std::partial_sort(products.begin(), products.begin() + static_cast<std::ptrdiff_t>(limit),
                    products.end(), before);
  products.resize(limit);
}

void collect_steps(std::span<const ProductNumber> clicks, const NextProductsOptions& options,
                   Scratch& memory) {
  memory.steps.clear();
  memory.step_weights.begin();
  float weight = 1;
  for (std::size_t i = clicks.size(); i-- > 0 && memory.steps.size() < options.steps_max;) {
    if (i + 1 < clicks.size() && clicks[i] == clicks[i + 1]) continue;
    if (!(memory.step_weights.of(clicks[i].value()) > 0)) {
      memory.step_weights.at(clicks[i].value()) = weight;
      memory.steps.push_back({.product = clicks[i], .weight = weight});
    }
    weight *= options.step_decay;
  }
}

void collect_neighbors(const SessionBook& book, std::optional<profiles::SessionRef> own,
                       const NextProductsOptions& options, Scratch& memory) {
  memory.neighbors.clear();
  memory.alike.begin();
  const std::size_t asked = std::min(memory.steps.size(), options.asked_steps_max);
  for (const Step& step : std::span(memory.steps).first(asked)) {
    book.sessions_of(step.product, options.sessions_of_step_max, memory.sessions);
    for (const SessionOfProduct& entry : memory.sessions) {
      if (own && entry.session == *own) continue;
      float& alike = memory.alike.at(entry.session.slot);
      if (alike == 0) memory.neighbors.push_back({.session = entry, .alike = 0});
      alike += step.weight;
    }
  }
  for (Neighbor& neighbor : memory.neighbors) {
    neighbor.alike = memory.alike.of(neighbor.session.session.slot);
  }
  keep_best(memory.neighbors, options.neighbors_max, [](const Neighbor& a, const Neighbor& b) {
    if (a.alike != b.alike) return a.alike > b.alike;
    if (a.session.time_ms != b.session.time_ms) return a.session.time_ms > b.session.time_ms;
    return a.session.session.slot < b.session.session.slot;
  });
}

// Adds to each product of a session what its places count, for the best of them.
// radiates  by place, how much it counts for those around it
void add_session(std::span<const ProductNumber> clicks, std::span<const float> radiates,
                 const Kernel& kernel, Scratch& memory) {
  std::array<float, SessionBook::k_clicks_max> worth{};
  float radiated = 0;  // by all places before this one
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    worth[i] = radiated + kernel.itself * radiates[i];
    radiated = radiated * kernel.decay + radiates[i];
  }
  radiated = 0;  // by all places behind this one
  for (std::size_t i = clicks.size(); i-- > 0;) {
    worth[i] += kernel.before * radiated;
    radiated = radiated * kernel.decay + radiates[i];
  }
  memory.best_places.begin();
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    if (!(worth[i] > 0)) continue;
    float& best = memory.best_places.at(clicks[i].value());
    best = std::max(best, worth[i]);
  }
  for (const std::uint32_t product : memory.best_places.touched()) {
    memory.scores.at(product) += memory.best_places.of(product);
  }
}

void hear_neighbors(const SessionBook& book, const NextProductsOptions& options, Scratch& memory) {
  SessionBook::Session session;
  const Kernel kernel{options.distance_decay, options.before, options.itself};
  std::array<float, SessionBook::k_clicks_max> radiates;
  std::size_t heard = 0;  // places
  for (std::size_t n = 0; n < memory.neighbors.size(); ++n) {
    if (heard >= options.neighbor_places_max) return;
    look_ahead(
        book, memory.neighbors, n, +[](const Neighbor& each) { return each.session.session; });
    if (!book.read(memory.neighbors[n].session.session, session)) continue;
    const auto clicks = session.clicks();
    for (std::size_t i = 0; i < clicks.size(); ++i) {
      radiates[i] = memory.step_weights.of(clicks[i].value());
    }
    add_session(clicks, std::span(radiates).first(clicks.size()), kernel, memory);
    heard += clicks.size();
  }
}

void cross_bridges(const SessionBook& book, std::optional<profiles::SessionRef> own,
                   const NextProductsOptions& options, Scratch& memory) {
  memory.bridges.clear();
  for (const std::uint32_t product : memory.scores.touched()) {
    memory.bridges.push_back({ProductNumber(product), memory.scores.of(product)});
  }
  keep_best(memory.bridges, options.bridges_max, is_better);
  SessionBook::Session session;
  std::array<float, SessionBook::k_clicks_max> radiates{};
  const Kernel kernel{options.bridge_distance_decay, options.bridge_before, 0};
  std::size_t heard = 0;  // places
  for (const NextProduct& bridge : memory.bridges) {
    book.sessions_of(bridge.product, options.sessions_of_bridge_max, memory.sessions);
    const float weight =
        options.bridge_weight * bridge.score /
        std::pow(static_cast<float>(memory.sessions.size()), options.bridge_share_power);
    for (std::size_t s = 0; s < memory.sessions.size(); ++s) {
      if (heard >= options.bridge_places_max) return;
      const SessionOfProduct& entry = memory.sessions[s];
      look_ahead(
          book, memory.sessions, s, +[](const SessionOfProduct& each) { return each.session; });
      if ((own && entry.session == *own) || !book.read(entry.session, session)) continue;
      const auto clicks = session.clicks();
      const auto behind = static_cast<std::size_t>(
          std::ranges::find(clicks.rbegin(), clicks.rend(), bridge.product).base() -
          clicks.begin());
      const std::size_t reach = options.bridge_reach;
      const std::size_t from = behind > reach + 1 ? behind - reach - 1 : 0;
      const std::size_t count = std::min(behind + reach, clicks.size()) - from;
      radiates[behind - 1 - from] = weight;
      add_session(clicks.subspan(from, count), std::span(radiates).first(count), kernel, memory);
      radiates[behind - 1 - from] = 0;
      heard += count;
    }
  }
}

// How much a product says that few sessions hold: what is everywhere follows everything.
class Rarity {
 public:
  Rarity(const SessionBook& book, float power)
      : book_(book), sessions_(static_cast<float>(book.size())), power_(power) {}

  float of(std::uint32_t product) {
    const std::size_t holding =
        std::max<std::size_t>(1, book_.session_count_of(ProductNumber(product)));
    if (holding >= known_.size()) return by_holding(holding);
    float& known = known_[holding];
    if (known == 0) known = by_holding(holding);
    return known;
  }

 private:
  float by_holding(std::size_t holding) const {
    const float idf = std::log1p(sessions_ / static_cast<float>(holding));
    return power_ == 1 ? idf : std::pow(idf, power_);
  }

  const SessionBook& book_;
  const float sessions_;
  const float power_;
  std::array<float, 512> known_{};  // most products are in few sessions
};

}  // namespace

void find_next_products(const SessionBook& book, std::span<const ProductNumber> clicks,
                        std::optional<profiles::SessionRef> own, std::size_t limit,
                        std::vector<NextProduct>& out, const NextProductsOptions& options) {
  out.clear();
  Scratch& memory = scratch();
  memory.scores.begin();
  collect_steps(clicks, options, memory);
  collect_neighbors(book, own, options, memory);
  hear_neighbors(book, options, memory);
  if (memory.scores.touched().empty()) return;
  cross_bridges(book, own, options, memory);

  Rarity rarity(book, options.idf_power);
  float best = 0;
  for (const std::uint32_t product : memory.scores.touched()) {
    float& score = memory.scores.at(product);
    score *= rarity.of(product);
    best = std::max(best, score);
  }
  float returning = best * options.return_weight;
  for (const Step& step : std::span(memory.steps).subspan(1)) {
    memory.scores.at(step.product.value()) += returning;
    returning *= options.return_decay;
  }
  for (const std::uint32_t product : memory.scores.touched()) {
    if (ProductNumber(product) == clicks.back()) continue;
    out.push_back({.product = ProductNumber(product), .score = memory.scores.of(product)});
  }
  keep_best(out, limit, is_better);
}

}  // namespace vitrine::recommend
