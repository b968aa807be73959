#include "training/train_job.h"

#include <Eigen/Core>
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/status.h"
#include "model/vector_kernels.h"
#include "training/recipe.h"
#include "training/similar_products.h"

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

// Products with a description and an opinion: somebody with a name had them.
std::vector<ContentExample> content_examples(const Dataset& data,
                                             std::span<const std::uint32_t> order,
                                             const FactorModel& factors,
                                             const Descriptions& descriptions) {
  std::vector<ContentExample> examples;
  for (std::uint32_t row = 0; row < order.size(); ++row) {
    if (descriptions[row] == nullptr || data.by_product.columns_of(order[row]).empty()) continue;
    examples.push_back({descriptions[row], factors.row(row)});
  }
  return examples;
}

struct Learned {
  ModelTables tables;
  ContentOutcome content;  // its map is among the tables
};

void tell_stage(const TrainObserver& observer, std::string_view name) {
  if (observer.on_stage) observer.on_stage(name);
}

// How products go with products.
absl::Status fill_neighbors(const Dataset& data, const AlignedFloats& factors,
                            const std::vector<std::uint32_t>& order, const TrainOptions& options,
                            const TrainObserver& observer, ModelTables& tables) {
  const std::size_t products = data.products.size();
  const std::size_t stride = padded_dimension(options.als.factors.dimension);
  tell_stage(observer, "similar");
  SimilarWatch watch{.cancel = observer.cancel};
  if (observer.on_progress)
    watch.on_progress = [&](double share) { observer.on_progress("similar", share); };
  VITRINE_ASSIGN_OR_RETURN(NeighborLists similar, similar_products(factors, products, stride,
                                                                   options.neighbors.similar_max,
                                                                   options.als.threads, watch));
  VITRINE_ASSIGN_OR_RETURN(tables.similar,
                           NeighborTable::create(renumbered(std::move(similar), order)));
  tell_stage(observer, "together");
  NeighborLists together = products_bought_together(data.orders, products, options.neighbors);
  VITRINE_ASSIGN_OR_RETURN(tables.together,
                           NeighborTable::create(renumbered(std::move(together), order)));
  tell_stage(observer, "viewed");
  NeighborLists viewed =
      products_viewed_together(data.views, products, data.until_ms, options.neighbors);
  VITRINE_ASSIGN_OR_RETURN(tables.also_viewed,
                           NeighborTable::create(renumbered(std::move(viewed), order)));
  return absl::OkStatus();
}

// What every model has.
absl::Status fill_core(const Dataset& data, const AlignedFloats& factors,
                       const std::vector<std::uint32_t>& order, const TrainOptions& options,
                       ModelTables& tables) {
  const std::size_t dimension = options.als.factors.dimension;
  const std::size_t stride = padded_dimension(dimension);
  std::vector<std::string> ids;
  std::vector<float> popularity;
  std::vector<float> rows;
  rows.reserve(order.size() * dimension);
  for (const std::uint32_t product : order) {
    ids.push_back(data.products[product]);
    popularity.push_back(data.popularity[product]);
    const float* row = factors.data() + product * stride;
    rows.insert(rows.end(), row, row + dimension);
  }
  VITRINE_ASSIGN_OR_RETURN(tables.products, ProductTable::create(ids));
  VITRINE_ASSIGN_OR_RETURN(tables.factors, FactorModel::from_factors(options.als.factors, rows));
  VITRINE_ASSIGN_OR_RETURN(tables.popularity, PopularityTable::create(std::move(popularity)));
  return absl::OkStatus();
}

absl::StatusOr<Learned> make_tables(const Dataset& data, const AlignedFloats& factors,
                                    const TrainOptions& options, std::span<const Product> catalog,
                                    const TrainObserver& observer) {
  const std::size_t products = data.products.size();
  const std::vector<std::uint32_t> order =
      rows_by_norm(factors, products, padded_dimension(options.als.factors.dimension));

  Learned learned;
  ModelTables& tables = learned.tables;
  if (options.parts == TrainParts::factors) {
    tell_stage(observer, "tables");
    VITRINE_RETURN_IF_ERROR(fill_core(data, factors, order, options, tables));
    for (NeighborTable* const table : {&tables.similar, &tables.together}) {
      VITRINE_ASSIGN_OR_RETURN(*table, NeighborTable::create(NeighborLists(products)));
    }
    return learned;
  }
  VITRINE_RETURN_IF_ERROR(fill_neighbors(data, factors, order, options, observer, tables));
  tell_stage(observer, "tables");
  VITRINE_RETURN_IF_ERROR(fill_core(data, factors, order, options, tables));
  const Descriptions descriptions = described_rows(data, order, catalog);
  VITRINE_ASSIGN_OR_RETURN(tables.popular_in_category,
                           popular_in_categories(data, order, descriptions, options.shop));
  VITRINE_ASSIGN_OR_RETURN(tables.popular_in_market, popular_in_markets(data, order, options.shop));
  VITRINE_ASSIGN_OR_RETURN(tables.buy_again,
                           buy_again_intervals(data, order, descriptions, options.shop));

  tell_stage(observer, "content");
  // In the basis of the finished model, which is not that of the trainer.
  VITRINE_ASSIGN_OR_RETURN(
      learned.content,
      learn_content_map(content_examples(data, order, tables.factors, descriptions),
                        options.content, options.als.threads));
  return learned;
}

TrainingRecord make_record(const Dataset& data, const TrainOptions& options,
                           const DataSource& source, TimeMs created_ms,
                           const std::map<std::string, double>& metrics,
                           const ContentOutcome& content) {
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
  record.settings = settings_of({.als = options.als,
                                 .confidence = data.confidence,
                                 .neighbors = options.neighbors,
                                 .content = options.content,
                                 .shop = options.shop});
  if (content.held_out > 0) {
    record.metrics["content_r2"] = content.r2;
    record.metrics["content_cosine"] = content.cosine;
    record.settings["content_lambda"] = fmt::format("{}", content.lambda);
  }
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
                                   const std::map<std::string, double>& metrics,
                                   std::span<const Product> catalog, BlendTable blends) {
  if (observer.on_stage) observer.on_stage("factors");
  VITRINE_ASSIGN_OR_RETURN(AlsResult als,
                           train_als(data.by_user, data.by_product, options.als, observer.on_epoch,
                                     observer.cancel, observer.continuation));
  als.user_factors = {};  // users' vectors are computed anew when they are needed
  VITRINE_ASSIGN_OR_RETURN(Learned learned,
                           make_tables(data, als.product_factors, options, catalog, observer));
  if (observer.cancel != nullptr && observer.cancel->load())
    return absl::CancelledError("training was cancelled");
  TrainingRecord record =
      make_record(data, options, source, clock.now_ms(), metrics, learned.content);
  TrainOutcome outcome;
  learned.tables.content = std::move(learned.content.map);
  learned.tables.blends = std::move(blends);
  VITRINE_ASSIGN_OR_RETURN(outcome.model,
                           TrainedModel::create(std::move(record), std::move(learned.tables)));
  outcome.epochs = std::move(als.epochs);
  return outcome;
}

}  // namespace vitrine::training
