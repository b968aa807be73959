#include "training/outside_vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/status.h"
#include "base/string_map.h"
#include "model/vector_kernels.h"
#include "training/neighbors.h"
#include "training/similar_products.h"

namespace vitrine::training {
namespace {

constexpr std::uint32_t k_none = UINT32_MAX;

absl::Status check(const std::vector<std::string>& products, std::span<const float> vectors,
                   std::size_t dimension) {
  if (products.empty()) return invalid_argument("there must be at least one product");
  if (vectors.size() != products.size() * dimension) {
    return invalid_argument("{} products need {} x {} numbers, got {}", products.size(),
                            products.size(), dimension, vectors.size());
  }
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (!std::isfinite(vectors[i])) {
      return invalid_argument("the vector of product '{}' has a number that is not finite",
                              products[i / dimension]);
    }
  }
  return absl::OkStatus();
}

// Places in `products` by falling norm, equal ones as they come.
std::vector<std::uint32_t> by_norm(std::span<const float> vectors, std::size_t dimension) {
  std::vector<double> norms(vectors.size() / dimension);
  for (std::size_t i = 0; i < vectors.size(); ++i)
    norms[i / dimension] += static_cast<double>(vectors[i]) * vectors[i];
  std::vector<std::uint32_t> order(norms.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return norms[a] > norms[b]; });
  return order;
}

// The orders with rows of the model in place of numbers of the data set.
SparseRows orders_by_row(const SparseRows& orders, const std::vector<std::uint32_t>& row_of) {
  SparseRows result;
  for (std::size_t order = 0; order < orders.row_count(); ++order) {
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t product : orders.columns_of(order)) {
      if (row_of[product] != k_none) rows.push_back(row_of[product]);
    }
    std::sort(rows.begin(), rows.end());
    result.columns.insert(result.columns.end(), rows.begin(), rows.end());
    result.bounds.push_back(result.columns.size());
  }
  return result;
}

TrainingRecord record_of(const Dataset* data, const DataSource& source, TimeMs created_ms) {
  TrainingRecord record;
  record.created_ms = created_ms;
  record.confidence = data != nullptr ? data->confidence : ConfidenceRule::defaults();
  record.source = source.name;
  record.settings = {{"solver", "none: the vectors were imported"}};
  record.libraries = {{"compiler", __VERSION__}};
  if (data == nullptr) return record;
  record.until_ms = data->until_ms;
  record.log_position_begin = source.log_position_begin;
  record.log_position_end = source.log_position_end;
  record.interactions = data->interactions;
  record.users = data->users.size();
  record.pairs = data->pair_count();
  record.orders = data->orders.row_count();
  return record;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TrainedModel>> model_of_vectors(
    const std::vector<std::string>& products, std::span<const float> vectors,
    const TrainOptions& options, const Dataset* data, const DataSource& source,
    const Clock& clock) {
  const FactorParameters& parameters = options.als.factors;
  VITRINE_RETURN_IF_ERROR(validate(parameters));
  const std::size_t dimension = parameters.dimension;
  VITRINE_RETURN_IF_ERROR(check(products, vectors, dimension));
  const std::size_t stride = padded_dimension(dimension);

  std::vector<std::string> ids;
  std::vector<float> rows;
  AlignedFloats padded(products.size() * stride);
  StringMap<std::uint32_t> row_by_id;
  for (const std::uint32_t place : by_norm(vectors, dimension)) {
    const auto vector = vectors.subspan(place * dimension, dimension);
    const auto row = static_cast<std::uint32_t>(ids.size());
    std::copy(vector.begin(), vector.end(),
              padded.begin() + static_cast<std::ptrdiff_t>(row * stride));
    rows.insert(rows.end(), vector.begin(), vector.end());
    ids.push_back(products[place]);
    row_by_id.emplace(ids.back(), row);
  }

  SparseRows orders;
  std::vector<float> popularity(ids.size(), data == nullptr ? 1.0F : 0.0F);
  if (data != nullptr) {
    std::vector<std::uint32_t> row_of(data->products.size(), k_none);
    for (std::size_t product = 0; product < row_of.size(); ++product) {
      const auto found = row_by_id.find(data->products[product]);
      if (found == row_by_id.end()) continue;
      row_of[product] = found->second;
      popularity[found->second] = data->popularity[product];
    }
    orders = orders_by_row(data->orders, row_of);
  }

  ModelTables tables;
  VITRINE_ASSIGN_OR_RETURN(tables.products, ProductTable::create(ids));
  VITRINE_ASSIGN_OR_RETURN(tables.factors, FactorModel::from_factors(parameters, rows));
  VITRINE_ASSIGN_OR_RETURN(const NeighborLists similar,
                           similar_products(padded, ids.size(), stride,
                                            options.neighbors.similar_max, options.als.threads));
  VITRINE_ASSIGN_OR_RETURN(tables.similar, NeighborTable::create(similar));
  VITRINE_ASSIGN_OR_RETURN(tables.together, NeighborTable::create(products_bought_together(
                                                orders, ids.size(), options.neighbors)));
  VITRINE_ASSIGN_OR_RETURN(tables.popularity, PopularityTable::create(std::move(popularity)));
  return TrainedModel::create(record_of(data, source, clock.now_ms()), std::move(tables));
}

}  // namespace vitrine::training
