// Everything one training run produced: an immutable, versioned, checksummed value, and a folder on
// disk.
//
// The folder holds manifest.pb (what and how, and size and SHA-256 of every other file),
// manifest.sha256, manifest.json (the same for people) and one file a table.
// Thread-safety: immutable; shared as shared_ptr<const TrainedModel>.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "model/blend_table.h"
#include "model/buy_again_table.h"
#include "model/confidence.h"
#include "model/content_map.h"
#include "model/factor_model.h"
#include "model/neighbor_table.h"
#include "model/popular_lists.h"
#include "model/popularity_table.h"
#include "model/product_table.h"

namespace vitrine {

// How a trained model came about; enough to run the training again.
struct TrainingRecord {
  TimeMs created_ms = 0;
  std::uint64_t seed = 0;
  std::uint32_t epochs = 0;
  ConfidenceRule confidence;             // with the mean that live vectors divide by
  TimeMs until_ms = 0;                   // ages count back from here
  std::string source;                    // which data: a file's name, or "log"
  std::uint64_t log_position_begin = 0;  // (begin, end] of the event log; both 0 for a file
  std::uint64_t log_position_end = 0;
  std::uint64_t interactions = 0;  // events that were counted
  std::uint64_t users = 0;
  std::uint64_t pairs = 0;  // observed (user, product)
  std::uint64_t orders = 0;
  std::map<std::string, double> metrics;         // "recall@20": ...
  std::map<std::string, std::string> settings;   // everything else that was configured, as text
  std::map<std::string, std::string> libraries;  // "eigen": "3.4.0"
};

struct ModelTables {
  ProductTable products;
  FactorModel factors;
  NeighborTable similar;   // by cosine of the factors
  NeighborTable together;  // bought in the same order
  PopularityTable popularity;

  // Older models have none of these: they are empty then.
  NeighborTable also_viewed;  // looked at in the same session; no rows become empty ones
  ContentMap content;
  PopularLists popular_in_category;  // by category path, each with all it contains
  PopularLists popular_in_market;
  BuyAgainTable buy_again;
  BlendTable blends;
};

class TrainedModel {
 public:
  // The version is made from the time of creation and the content: "20261121T101500Z-3f2a9c01".
  // InvalidArgument when the tables differ in their number of rows.
  static absl::StatusOr<std::shared_ptr<const TrainedModel>> create(TrainingRecord record,
                                                                    ModelTables tables);

  // Verifies the size and checksum of every file, and that every number is finite and every row
  // inside the table. NotFound: no manifest there. DataLoss: names the file and what is wrong with
  // it.
  static absl::StatusOr<std::shared_ptr<const TrainedModel>> load(
      const std::filesystem::path& folder);

  // Writes all files and syncs them; creates `folder`. AlreadyExists when it holds a manifest.
  absl::Status save(const std::filesystem::path& folder) const;

  const std::string& version() const { return version_; }
  const TrainingRecord& record() const { return record_; }
  const ConfidenceRule& confidence() const { return record_.confidence; }
  std::size_t row_count() const { return tables_.products.size(); }

  const ProductTable& products() const { return tables_.products; }
  const FactorModel& factors() const { return tables_.factors; }
  const NeighborTable& similar() const { return tables_.similar; }
  const NeighborTable& together() const { return tables_.together; }
  const PopularityTable& popularity() const { return tables_.popularity; }
  const NeighborTable& also_viewed() const { return tables_.also_viewed; }
  const ContentMap& content() const { return tables_.content; }
  const PopularLists& popular_in_category() const { return tables_.popular_in_category; }
  const PopularLists& popular_in_market() const { return tables_.popular_in_market; }
  const BuyAgainTable& buy_again() const { return tables_.buy_again; }
  const BlendTable& blends() const { return tables_.blends; }

 private:
  TrainedModel(std::string version, TrainingRecord record, ModelTables tables);

  std::string version_;
  TrainingRecord record_;
  ModelTables tables_;
};

}  // namespace vitrine
