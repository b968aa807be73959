#include "training/neighbors.h"

#include <algorithm>
#include <cmath>
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
      lists[product].push_back(
          {other, static_cast<float>(log_likelihood_ratio(support, first, second, all)),
           static_cast<float>(lift), support});
    }
    keep_best(lists[product], options.together_max);
  }
  return lists;
}

}  // namespace vitrine::training
