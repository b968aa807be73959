#include "training/neighbors.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace vitrine::training {
namespace {

bool is_better(const RelatedProduct& a, const RelatedProduct& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

void keep_best(std::vector<RelatedProduct>& list, std::size_t count) {
  const std::size_t kept = std::min(count, list.size());
  std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(kept), list.end(),
                    is_better);
  list.resize(kept);
  list.shrink_to_fit();
}

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

// How much better the counts are explained when the two products are not independent: Dunning's G2
// of the 2 x 2 table.
double log_likelihood_ratio(double both, double first, double second, double all) {
  const double only_first = first - both;
  const double only_second = second - both;
  const double neither = all - first - second + both;
  const double cells =
      x_log_x(both) + x_log_x(only_first) + x_log_x(only_second) + x_log_x(neither);
  const double margins =
      x_log_x(first) + x_log_x(all - first) + x_log_x(second) + x_log_x(all - second);
  return std::max(0.0, 2 * (cells - margins + x_log_x(all)));
}

// Pairs of products that each are in enough orders to be found together in as many.
double pairs_tested(const SparseRows& orders_of, std::uint32_t support_min) {
  double products = 0;
  for (std::size_t product = 0; product < orders_of.row_count(); ++product) {
    if (orders_of.columns_of(product).size() >= support_min) ++products;
  }
  return products * (products - 1) / 2;
}

// Benjamini and Hochberg: of the ratios, which are those of the likeliest pairs among `tested`, the
// least with p(k) <= k / tested * false_share; infinite when there is none. A ratio is distributed
// as chi-squared of one degree of freedom when the products are independent.
double least_believable_ratio(std::vector<double> ratios, double tested, double false_share) {
  if (false_share >= 1) return 0;
  std::sort(ratios.begin(), ratios.end(), std::greater<>());
  for (std::size_t k = ratios.size(); k > 0; --k) {
    const double p = std::erfc(std::sqrt(ratios[k - 1] / 2));
    if (p <= static_cast<double>(k) / tested * false_share) return ratios[k - 1];
  }
  return std::numeric_limits<double>::infinity();
}

// Where each product stands in the sessions that are looked at.
struct Place {
  std::uint32_t session;
  std::uint32_t position;
};

struct Places {
  std::vector<std::vector<Place>> of_product;
  std::vector<double> session_weights;
};

Places places_of(const SessionViews& views, std::size_t product_count, TimeMs until_ms,
                 const NeighborOptions& options) {
  Places places;
  places.of_product.resize(product_count);
  ConfidenceRule recency;
  recency.half_life_days = options.viewed_half_life_days;
  for (std::uint32_t session = 0; session < views.session_count(); ++session) {
    places.session_weights.push_back(recency.decay(until_ms - views.last_ms[session]));
    const auto products = views.products_of(session);
    if (products.size() > options.session_views_max) continue;
    for (std::uint32_t position = 0; position < products.size(); ++position)
      places.of_product[products[position]].push_back({session, position});
  }
  return places;
}

// The square of the length of a product's sessions as a vector.
double length_square(const std::vector<Place>& places, const std::vector<double>& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i == 0 || places[i].session != places[i - 1].session) sum += weights[places[i].session];
  }
  return sum;
}

// Orders that say something about pairs, and their transpose.
SparseRows small_orders(const SparseRows& orders, std::uint32_t products_max) {
  SparseRows small;
  for (std::size_t order = 0; order < orders.row_count(); ++order) {
    const auto products = orders.columns_of(order);
    if (products.empty() || products.size() > products_max) continue;
    small.columns.insert(small.columns.end(), products.begin(), products.end());
    small.bounds.push_back(small.columns.size());
  }
  return small;
}

}  // namespace

NeighborLists products_bought_together(const SparseRows& orders, std::size_t product_count,
                                       const NeighborOptions& options) {
  const SparseRows small = small_orders(orders, options.order_products_max);
  const SparseRows orders_of = transposed(small, product_count);
  const auto all = static_cast<double>(small.row_count());
  NeighborLists lists(product_count);
  std::vector<double> ratios;  // of every pair that is no chance at first sight, once
  std::vector<std::uint32_t> both(product_count);
  std::vector<std::uint32_t> touched;
  for (std::uint32_t product = 0; product < product_count; ++product) {
    touched.clear();
    for (const std::uint32_t order : orders_of.columns_of(product)) {
      for (const std::uint32_t other : small.columns_of(order)) {
        if (both[other]++ == 0) touched.push_back(other);
      }
    }
    const auto first = static_cast<double>(orders_of.columns_of(product).size());
    for (const std::uint32_t other : touched) {
      const std::uint32_t support = std::exchange(both[other], 0U);
      if (other == product || support < options.together_support_min) continue;
      const auto second = static_cast<double>(orders_of.columns_of(other).size());
      const double lift = support * all / (first * second);
      if (lift <= 1) continue;
      const double ratio = log_likelihood_ratio(support, first, second, all);
      if (product < other) ratios.push_back(ratio);
      lists[product].push_back(
          {other, static_cast<float>(ratio), static_cast<float>(lift), support});
    }
    keep_best(lists[product], options.together_max);
  }
  const double bar = least_believable_ratio(std::move(ratios),
                                            pairs_tested(orders_of, options.together_support_min),
                                            options.together_false_share);
  for (std::vector<RelatedProduct>& list : lists) {
    std::erase_if(list,
                  [bar](const RelatedProduct& one) { return one.score < static_cast<float>(bar); });
  }
  return lists;
}

NeighborLists products_viewed_together(const SessionViews& views, std::size_t product_count,
                                       TimeMs until_ms, const NeighborOptions& options) {
  const Places places = places_of(views, product_count, until_ms, options);
  std::vector<double> lengths(product_count);
  for (std::size_t product = 0; product < product_count; ++product)
    lengths[product] = length_square(places.of_product[product], places.session_weights);

  struct Common {
    double weight = 0;
    std::uint32_t sessions = 0;
    std::uint32_t last_session = UINT32_MAX;  // so that a session counts once
  };
  std::vector<Common> common(product_count);
  std::vector<std::uint32_t> touched;
  NeighborLists lists(product_count);
  for (std::uint32_t product = 0; product < product_count; ++product) {
    for (const auto& [session, position] : places.of_product[product]) {
      const auto seen = views.products_of(session);
      const std::size_t first = position - std::min(position, options.viewed_window);
      const std::size_t last =
          std::min<std::size_t>(seen.size(), std::size_t{position} + options.viewed_window + 1);
      for (std::size_t i = first; i < last; ++i) {
        Common& one = common[seen[i]];
        if (seen[i] == product || one.last_session == session) continue;
        if (one.sessions == 0) touched.push_back(seen[i]);
        one.last_session = session;
        one.weight += places.session_weights[session];
        ++one.sessions;
      }
    }
    for (const std::uint32_t other : touched) {
      const Common one = std::exchange(common[other], {});
      if (one.sessions < options.viewed_support_min || one.weight <= 0) continue;
      const double cosine = one.weight / std::sqrt(lengths[product] * lengths[other]);
      lists[product].push_back({other, static_cast<float>(cosine), 0, one.sessions});
    }
    touched.clear();
    keep_best(lists[product], options.viewed_max);
  }
  return lists;
}

}  // namespace vitrine::training
