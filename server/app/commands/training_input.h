// Where train, tune and evaluate learn from: the log of a data folder, or a file.
//
// Reads beside a running server. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/product.h"
#include "server/app/config.h"
#include "server/store/database.h"
#include "training/gate.h"
#include "training/memory_estimate.h"
#include "training/train_job.h"

namespace vitrine::app {

class TrainingInput {
 public:
  // file   empty: the log of config.data
  // quiet  no progress is shown
  static absl::StatusOr<TrainingInput> open(const Config& config, const std::string& file,
                                            bool quiet);

  // Everything, in order; each time the same as the first time, whatever the server adds.
  absl::Status for_each(const std::function<void(const training::Interaction&)>& take);
  training::InteractionSource source();

  // What is known of its size before it is read; users and products are not.
  std::uint64_t interactions_at_most() const;
  // What is known of the products: of `file`, else of the store; nothing when there is neither.
  absl::StatusOr<std::vector<Product>> products(const std::string& file,
                                                const ProductLimits& limits) const;
  // For the record.
  training::DataSource described() const;

 private:
  TrainingInput() = default;

  std::string file_;
  bool quiet_ = false;
  std::unique_ptr<store::Database> database_;
  Position last_ = 0;  // of the log
};

}  // namespace vitrine::app
