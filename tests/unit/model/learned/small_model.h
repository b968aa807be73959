// A trained model of three products, for tests of what is done with models.
#pragma once

#include <memory>
#include <utility>

#include "model/trained_model.h"

namespace vitrine::test {

constexpr TimeMs k_small_model_time = 1'763'719'200'000;  // 2025-11-21T10:00:00Z

inline TrainingRecord small_record(int hours = 0) {
  TrainingRecord record;
  record.created_ms = k_small_model_time + hours * k_hour_ms;
  record.seed = 7;
  record.epochs = 3;
  record.confidence = ConfidenceRule::defaults();
  record.confidence.mean = 4.5;
  record.until_ms = k_small_model_time - k_day_ms;
  record.source = "orders.csv";
  record.log_position_begin = 1;
  record.log_position_end = 90;
  record.interactions = 80;
  record.users = 9;
  record.pairs = 70;
  record.orders = 30;
  record.metrics = {{"recall@20", 0.25}};
  record.settings = {{"solver", "primal"}};
  record.libraries = {{"eigen", "3.4.0"}};
  return record;
}

// The tables that every model has had from the beginning.
inline ModelTables first_tables(float factor = 1) {
  ModelTables tables;
  tables.products = ProductTable::create({"lamp", "bunting", "teapot"}).value();
  tables.factors =
      FactorModel::from_factors({.dimension = 2, .alpha0 = 0.3F, .lambda = 0.01F, .nu = 1},
                                std::vector<float>{factor, 0, 0.5F, 0.5F, 0, 0.25F})
          .value();
  tables.similar = NeighborTable::create({{{1, 0.7F, 0, 0}}, {{0, 0.7F, 0, 0}}, {}}).value();
  tables.together = NeighborTable::create({{}, {{2, 12, 3, 5}}, {{1, 12, 3, 5}}}).value();
  tables.popularity = PopularityTable::create({3, 8, 1}).value();
  return tables;
}

// Models of different factors differ in content, those of different hours in name and order.
inline std::shared_ptr<const TrainedModel> small_model(int hours = 0, float factor = 1) {
  ModelTables tables = first_tables(factor);
  tables.also_viewed = NeighborTable::create({{{2, 0.5F, 0, 4}}, {}, {{0, 0.5F, 0, 4}}}).value();
  tables.content =
      ContentMap::create(ContentFeatures::create({"category:Home", "price:EUR:1", "term:lamp"},
                                                 {1, 1, 2}, {{"EUR", {500, 1000}}})
                             .value(),
                         {0.5F, 0}, {1, 0, 0, 1, 0.25F, 0.25F})
          .value();
  tables.popular_in_category = PopularLists::create({{"Home", {{1, 8}, {0, 3}}}}, 3).value();
  tables.popular_in_market = PopularLists::create({{"DE", {{2, 0.5F}}}}, 3).value();
  tables.buy_again =
      BuyAgainTable::create({{}, {28, 6}, {}}, {{"Home", {30, 9}}}, {{"", 0.2F}}).value();
  tables.blends = BlendTable::create({{"home",
                                       {.bias = -2,
                                        .sources = {{"personal", 1.5F}},
                                        .depths = {{"personal", 0.5F}},
                                        .features = {{"own_orders", 0.5F}}}}})
                      .value();
  return TrainedModel::create(small_record(hours), std::move(tables)).value();
}
}  // namespace vitrine::test
