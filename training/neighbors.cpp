#include "training/neighbors.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "model/vector_kernels.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_products_a_piece = 64;
constexpr std::size_t k_others_a_tile = 512;

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

// The best few of a stream that comes in the order of rows, so that the first of two equals stays.
class BestList {
 public:
  explicit BestList(std::size_t count) : count_(count) {}

  // Only scores above this are worth adding.
  float bar() const { return bar_; }

  void add(const RelatedProduct& related) {
    if (count_ == 0) return;
    if (heap_.size() == count_) {
      std::pop_heap(heap_.begin(), heap_.end(), is_better);
      heap_.pop_back();
    }
    heap_.push_back(related);
    std::push_heap(heap_.begin(), heap_.end(), is_better);
    if (heap_.size() == count_) bar_ = heap_.front().score;
  }
  std::vector<RelatedProduct> take() && {
    std::sort(heap_.begin(), heap_.end(), is_better);
    return std::move(heap_);
  }

 private:
  std::size_t count_;
  float bar_ = 0;
  std::vector<RelatedProduct> heap_;
};

AlignedFloats unit_rows(const AlignedFloats& factors, std::size_t row_count, std::size_t stride) {
  AlignedFloats units(factors.size());
  for (std::size_t row = 0; row < row_count; ++row) {
    const float* source = factors.data() + row * stride;
    const float norm = std::sqrt(vector_kernels().dot(source, source, stride));
    if (norm > 0)
      vector_kernels().add_scaled(units.data() + row * stride, source, 1 / norm, stride);
  }
  return units;
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

NeighborLists similar_products(const AlignedFloats& factors, std::size_t row_count,
                               std::size_t stride, const NeighborOptions& options,
                               unsigned threads) {
  const AlignedFloats units = unit_rows(factors, row_count, stride);
  NeighborLists lists(row_count);
  for_each_piece(
      (row_count + k_products_a_piece - 1) / k_products_a_piece, threads, [&](std::size_t piece) {
        const std::size_t first = piece * k_products_a_piece;
        const std::size_t last = std::min(row_count, first + k_products_a_piece);
        std::vector<BestList> best(last - first, BestList(options.similar_max));
        std::vector<float> cosines(k_others_a_tile);
        // All rows of the piece meet one tile of others while it is in the cache.
        for (std::size_t tile = 0; tile < row_count; tile += k_others_a_tile) {
          const std::size_t count = std::min(k_others_a_tile, row_count - tile);
          for (std::size_t row = first; row < last; ++row) {
            vector_kernels().multiply(cosines.data(), units.data() + tile * stride, count,
                                      units.data() + row * stride, stride);
            for (std::size_t k = 0; k < count; ++k) {
              // Opposites are not similar, and a product without factors is like nothing.
              if (cosines[k] > best[row - first].bar() && tile + k != row) {
                best[row - first].add({static_cast<std::uint32_t>(tile + k), cosines[k], 0, 0});
              }
            }
          }
        }
        for (std::size_t row = first; row < last; ++row)
          lists[row] = std::move(best[row - first]).take();
      });
  return lists;
}

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
