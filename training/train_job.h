// One training run: a data set in, a trained model out.
//
// Thread-safe; starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/product.h"
#include "model/trained_model.h"
#include "training/als_trainer.h"
#include "training/content_training.h"
#include "training/dataset.h"
#include "training/neighbors.h"
#include "training/shop_tables.h"

namespace vitrine::training {

// Which tables of a model are made.
enum class TrainParts {
  everything,
  factors,  // products, factors and popularity: what a ranking is judged by; the rest is empty
};

struct TrainOptions {
  AlsOptions als;
  TrainParts parts = TrainParts::everything;
  NeighborOptions neighbors;
  ContentOptions content;
  ShopTableOptions shop;
};

// Where the data came from, for the record; see TrainingRecord.
struct DataSource {
  std::string name;
  std::uint64_t log_position_begin = 0;
  std::uint64_t log_position_end = 0;
};

struct TrainObserver {
  std::function<void(const EpochReport&)> on_epoch;  // may be empty
  std::function<void(std::string_view stage)>
      on_stage;  // "factors", "similar", "together", "viewed", "tables", "content"; may be empty
  // How far the stage is, in [0, 1]; told of "similar", the one that may take long. May be empty.
  std::function<void(std::string_view stage, double share)> on_progress = {};
  const std::atomic<bool>* cancel = nullptr;      // may be null
  const AlsContinuation* continuation = nullptr;  // may be null
};

struct TrainOutcome {
  std::shared_ptr<const TrainedModel> model;
  std::vector<EpochReport> epochs;
};

// clock    stamps the model's version
// metrics  stored in the model's record ("recall@20": ...), as measured by the caller; may be empty
// catalog  what is known of the products, hidden ones aside; products without interactions are
//          allowed. Without it there is no content map and nothing by category; with it, how good
//          the map is goes into the record: "content_r2", "content_cosine"
// blends   goes into the model as it is
// Errors   InvalidArgument (options), Cancelled
absl::StatusOr<TrainOutcome> train(const Dataset& data, const TrainOptions& options,
                                   const DataSource& source, const Clock& clock,
                                   const TrainObserver& observer,
                                   const std::map<std::string, double>& metrics = {},
                                   std::span<const Product> catalog = {}, BlendTable blends = {});

}  // namespace vitrine::training
