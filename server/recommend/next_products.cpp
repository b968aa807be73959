#include "server/recommend/next_products.h"

#include <algorithm>
#include <cmath>

#include "server/recommend/score_table.h"

namespace vitrine::recommend {
namespace {

using profiles::SessionBook;
using profiles::SessionOfProduct;

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
  ScoreTable scores;  // by product
  std::vector<NextProduct> bridges;
};

Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

bool is_better(const NextProduct& a, const NextProduct& b) {
  return a.score != b.score ? a.score > b.score : a.product < b.product;
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
  for (const Step& step : memory.steps) {
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

// Adds to each product of a session what its places count, for the best of them. `weight_of` says
// how much each place radiates.
template <class WeightOf>
void add_session(std::span<const ProductNumber> clicks, const Kernel& kernel, WeightOf&& weight_of,
                 ScoreTable& scores) {
  std::array<float, SessionBook::k_clicks_max> worth{};
  float radiated = 0;  // by all places before this one
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    const float own = weight_of(i);
    worth[i] = radiated + kernel.itself * own;
    radiated = radiated * kernel.decay + own;
  }
  radiated = 0;  // by all places behind this one
  for (std::size_t i = clicks.size(); i-- > 0;) {
    worth[i] += kernel.before * radiated;
    radiated = radiated * kernel.decay + weight_of(i);
  }
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    if (std::ranges::find(clicks.first(i), clicks[i]) !=
        clicks.begin() + static_cast<std::ptrdiff_t>(i))
      continue;
    float best = worth[i];
    for (std::size_t later = i + 1; later < clicks.size(); ++later) {
      if (clicks[later] == clicks[i]) best = std::max(best, worth[later]);
    }
    if (best > 0) scores.at(clicks[i].value()) += best;
  }
}

void hear_neighbors(const SessionBook& book, const NextProductsOptions& options, Scratch& memory) {
  SessionBook::Session session;
  const Kernel kernel{options.distance_decay, options.before, options.itself};
  for (const Neighbor& neighbor : memory.neighbors) {
    if (!book.read(neighbor.session.session, session)) continue;
    const auto clicks = session.clicks();
    add_session(
        clicks, kernel,
        [&](std::size_t place) { return memory.step_weights.of(clicks[place].value()); },
        memory.scores);
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
  const Kernel kernel{options.bridge_distance_decay, options.bridge_before, 0};
  for (const NextProduct& bridge : memory.bridges) {
    book.sessions_of(bridge.product, options.sessions_of_bridge_max, memory.sessions);
    const float weight =
        options.bridge_weight * bridge.score /
        std::pow(static_cast<float>(memory.sessions.size()), options.bridge_share_power);
    for (const SessionOfProduct& entry : memory.sessions) {
      if ((own && entry.session == *own) || !book.read(entry.session, session)) continue;
      const auto clicks = session.clicks();
      const auto last = static_cast<std::size_t>(
          std::ranges::find(clicks.rbegin(), clicks.rend(), bridge.product).base() -
          clicks.begin());  // one behind
      add_session(
          clicks, kernel, [&](std::size_t place) { return place + 1 == last ? weight : 0; },
          memory.scores);
    }
  }
}

// How much a product says that few sessions hold: what is everywhere follows everything.
float rarity(const SessionBook& book, std::uint32_t product, const NextProductsOptions& options) {
  const auto sessions = static_cast<float>(book.size());
  const auto holding =
      static_cast<float>(std::max<std::size_t>(1, book.session_count_of(ProductNumber(product))));
  return std::pow(std::log1p(sessions / holding), options.idf_power);
}

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

  float best = 0;
  for (const std::uint32_t product : memory.scores.touched()) {
    float& score = memory.scores.at(product);
    score *= rarity(book, product, options);
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
