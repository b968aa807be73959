#include "training/train_job.h"

#include <Eigen/Core>
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/status.h"
#include "model/vector_kernels.h"

namespace vitrine::training {
namespace {

// Data set numbers in the order of the model's rows: falling norm of the factors, equal ones by
// number.
std::vector<std::uint32_t> rows_by_norm(const AlignedFloats& factors, std::size_t row_count,
                                        std::size_t stride) {
  std::vector<float> norms(row_count);
  for (std::size_t row = 0; row < row_count; ++row) {
    norms[row] =
        vector_kernels().dot(factors.data() + row * stride, factors.data() + row * stride, stride);
  }
  std::vector<std::uint32_t> order(row_count);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return norms[a] > norms[b]; });
  return order;
}

// Lists of data set numbers become lists of rows.
NeighborLists renumbered(NeighborLists lists, const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> row_of(order.size());
  for (std::uint32_t row = 0; row < order.size(); ++row) row_of[order[row]] = row;
  NeighborLists result(order.size());
  for (std::size_t row = 0; row < order.size(); ++row) {
    result[row] = std::move(lists[order[row]]);
    for (RelatedProduct& related : result[row]) related.row = row_of[related.row];
  }
  return result;
}

absl::StatusOr<ModelTables> make_tables(const Dataset& data, const AlignedFloats& factors,
                                        const TrainOptions& options,
                                        const TrainObserver& observer) {
  const auto stage = [&](std::string_view name) {
    if (observer.on_stage) observer.on_stage(name);
  };
  const std::size_t products = data.products.size();
  const std::size_t dimension = options.als.factors.dimension;
  const std::size_t stride = padded_dimension(dimension);
  const std::vector<std::uint32_t> order = rows_by_norm(factors, products, stride);

  ModelTables tables;
  stage("similar");
  NeighborLists similar =
      similar_products(factors, products, stride, options.neighbors, options.als.threads);
  VITRINE_ASSIGN_OR_RETURN(tables.similar,
                           NeighborTable::create(renumbered(std::move(similar), order)));
  stage("together");
  NeighborLists together = products_bought_together(data.orders, products, options.neighbors);
  VITRINE_ASSIGN_OR_RETURN(tables.together,
                           NeighborTable::create(renumbered(std::move(together), order)));

  stage("tables");
  std::vector<std::string> ids;
  std::vector<float> popularity;
  std::vector<float> rows;
  rows.reserve(products * dimension);
  for (const std::uint32_t product : order) {
    ids.push_back(data.products[product]);
    popularity.push_back(data.popularity[product]);
    const float* row = factors.data() + product * stride;
    rows.insert(rows.end(), row, row + dimension);
  }
  VITRINE_ASSIGN_OR_RETURN(tables.products, ProductTable::create(ids));
  VITRINE_ASSIGN_OR_RETURN(tables.factors, FactorModel::from_factors(options.als.factors, rows));
  VITRINE_ASSIGN_OR_RETURN(tables.popularity, PopularityTable::create(std::move(popularity)));
  return tables;
}

TrainingRecord make_record(const Dataset& data, const TrainOptions& options,
                           const DataSource& source, TimeMs created_ms,
                           const std::map<std::string, double>& metrics) {
  TrainingRecord record;
  record.created_ms = created_ms;
  record.seed = options.als.seed;
  record.epochs = options.als.epochs;
  record.confidence = data.confidence;
  record.until_ms = data.until_ms;
  record.source = source.name;
  record.log_position_begin = source.log_position_begin;
  record.log_position_end = source.log_position_end;
  record.interactions = data.interactions;
  record.users = data.users.size();
  record.pairs = data.pair_count();
  record.orders = data.orders.row_count();
  record.metrics = metrics;
  const NeighborOptions& neighbors = options.neighbors;
  record.settings = {{"solver", std::string(name_of(options.als.solver))},
                     {"similar_max", fmt::format("{}", neighbors.similar_max)},
                     {"together_max", fmt::format("{}", neighbors.together_max)},
                     {"together_support_min", fmt::format("{}", neighbors.together_support_min)},
                     {"order_products_max", fmt::format("{}", neighbors.order_products_max)}};
  record.libraries = {{"eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                                            EIGEN_MINOR_VERSION)},
                      {"compiler", __VERSION__},
                      {"instruction_set", vector_kernels().instruction_set}};
  return record;
}

}  // namespace

absl::StatusOr<TrainOutcome> train(const Dataset& data, const TrainOptions& options,
                                   const DataSource& source, const Clock& clock,
                                   const TrainObserver& observer,
                                   const std::map<std::string, double>& metrics) {
  if (observer.on_stage) observer.on_stage("factors");
  VITRINE_ASSIGN_OR_RETURN(AlsResult als,
                           train_als(data.by_user, data.by_product, options.als, observer.on_epoch,
                                     observer.cancel, observer.continuation));
  VITRINE_ASSIGN_OR_RETURN(ModelTables tables,
                           make_tables(data, als.product_factors, options, observer));
  if (observer.cancel != nullptr && observer.cancel->load())
    return absl::CancelledError("training was cancelled");
  TrainOutcome outcome;
  VITRINE_ASSIGN_OR_RETURN(outcome.model, TrainedModel::create(make_record(data, options, source,
                                                                           clock.now_ms(), metrics),
                                                               std::move(tables)));
  outcome.epochs = std::move(als.epochs);
  return outcome;
}

}  // namespace vitrine::training
