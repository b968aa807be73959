#include "benchmarks/shop/made_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace vitrine::made_shop {
namespace {

constexpr std::uint32_t k_similar = 50;    // products of a list
constexpr std::uint32_t k_together = 10;   // likewise; few pairs are bought often enough to tell
constexpr std::uint32_t k_looked_at = 80;  // of a shelf, for one list
constexpr double k_norm_spread = 0.35;
constexpr double k_noise = 0.7;

float spread_of(std::uint32_t coordinate) {
  return 1.0F / std::sqrt(1.0F + static_cast<float>(coordinate) / 2.0F);
}

// By product; rows are ordered later.
std::vector<float> make_vectors(const Shop& shop, std::uint32_t dimension) {
  Random chance(shop.size().seed + 1);
  const std::uint32_t products = shop.size().products;
  std::vector<float> centres(std::size_t{Shop::k_shelves} * dimension);
  for (std::size_t i = 0; i < centres.size(); ++i) {
    centres[i] =
        spread_of(static_cast<std::uint32_t>(i % dimension)) * static_cast<float>(chance.normal());
  }
  std::vector<float> vectors(std::size_t{products} * dimension);
  for (std::uint32_t product = 0; product < products; ++product) {
    const float* centre = &centres[std::size_t{shop.shelf_of(product)} * dimension];
    const double wanted = std::log(shop.popularity(0) / shop.popularity(product));
    const auto norm =
        static_cast<float>(0.3 * std::exp(k_norm_spread * chance.normal() - 0.08 * wanted));
    for (std::uint32_t j = 0; j < dimension; ++j) {
      const auto noise = static_cast<float>(k_noise * chance.normal());
      vectors[std::size_t{product} * dimension + j] = norm * (centre[j] + spread_of(j) * noise);
    }
  }
  return vectors;
}

float norm_of(const std::vector<float>& vectors, std::uint32_t dimension, std::uint32_t row) {
  const float* values = &vectors[std::size_t{row} * dimension];
  return std::sqrt(std::inner_product(values, values + dimension, values, 0.0F));
}

// Of the products of a row's shelf that come next, the most alike.
std::vector<RelatedProduct> related_to(std::uint32_t row, const std::vector<float>& rows,
                                       std::uint32_t dimension,
                                       const std::vector<std::uint32_t>& shelf, std::size_t place) {
  std::vector<RelatedProduct> related;
  const float* values = &rows[std::size_t{row} * dimension];
  const float norm = norm_of(rows, dimension, row);
  const std::size_t others = std::min<std::size_t>(k_looked_at, shelf.size() - 1);
  for (std::size_t i = 1; i <= others; ++i) {
    const std::uint32_t other = shelf[(place + i) % shelf.size()];
    const float* other_values = &rows[std::size_t{other} * dimension];
    const float dot = std::inner_product(values, values + dimension, other_values, 0.0F);
    related.push_back({.row = other,
                       .score = dot / (norm * norm_of(rows, dimension, other)),
                       .lift = 0,
                       .support = 0});
  }
  std::ranges::sort(related, std::ranges::greater(), &RelatedProduct::score);
  related.resize(std::min<std::size_t>(related.size(), k_similar));
  return related;
}

using Lists = std::vector<std::vector<RelatedProduct>>;

Lists relate(const Shop& shop, const std::vector<std::uint32_t>& order,
             const std::vector<float>& rows, std::uint32_t dimension) {
  std::vector<std::vector<std::uint32_t>> shelves(Shop::k_shelves);
  for (std::uint32_t row = 0; row < order.size(); ++row) {
    shelves[shop.shelf_of(order[row])].push_back(row);
  }
  Lists lists(order.size());
  for (const std::vector<std::uint32_t>& shelf : shelves) {
    for (std::size_t place = 0; place < shelf.size(); ++place) {
      lists[shelf[place]] = related_to(shelf[place], rows, dimension, shelf, place);
    }
  }
  return lists;
}

NeighborTable table_of(const Lists& lists) {
  auto table = NeighborTable::create(lists);
  CHECK(table.ok(), "the lists are in order");
  return *std::move(table);
}

}  // namespace

std::shared_ptr<const TrainedModel> make_model(const Shop& shop, std::uint32_t dimension) {
  const std::vector<float> vectors = make_vectors(shop, dimension);
  std::vector<std::uint32_t> order(shop.size().products);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<float> norms(order.size());
  for (const std::uint32_t product : order) norms[product] = norm_of(vectors, dimension, product);
  std::ranges::stable_sort(order, [&](auto a, auto b) { return norms[a] > norms[b]; });

  std::vector<std::string> ids;
  std::vector<float> rows;
  std::vector<float> wanted;
  rows.reserve(vectors.size());
  for (const std::uint32_t product : order) {
    ids.push_back(product_id(product));
    wanted.push_back(static_cast<float>(shop.popularity(product)));
    const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(product) * dimension;
    rows.insert(rows.end(), begin, begin + dimension);
  }
  FactorParameters parameters;
  parameters.dimension = dimension;
  TrainingRecord record;
  record.created_ms = SystemClock().now_ms();
  record.seed = shop.size().seed;
  record.source = "made up";
  record.confidence = ConfidenceRule::defaults();
  ModelTables tables;
  tables.products = *ProductTable::create(ids);
  tables.factors = *FactorModel::from_factors(parameters, rows);
  Lists lists = relate(shop, order, rows, dimension);
  tables.similar = table_of(lists);
  for (auto& list : lists) list.resize(std::min<std::size_t>(list.size(), k_together));
  tables.together = table_of(lists);
  tables.popularity = *PopularityTable::create(wanted);
  auto model = TrainedModel::create(std::move(record), std::move(tables));
  CHECK(model.ok(), "all tables have the same rows");
  return *std::move(model);
}

}  // namespace vitrine::made_shop
