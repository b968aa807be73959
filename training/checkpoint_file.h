// The work file that a training run leaves at the end of an epoch, so that it can be resumed.
//
// It belongs to one data set and one recipe, told by a fingerprint, and is replaced as a whole: a
// crash leaves the former one. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "training/als_trainer.h"
#include "training/dataset.h"

namespace vitrine::training {

// Of everything that the factors after an epoch depend on; threads and the number of epochs are no
// part of it.
std::string fingerprint_of(const Dataset& data, const AlsOptions& options);

// A checkpoint read back; `view` points into it.
struct SavedCheckpoint {
  std::uint32_t epochs_done = 0;
  std::vector<float> user_factors;
  std::vector<float> product_factors;

  AlsCheckpoint view() const { return {epochs_done, user_factors, product_factors}; }
};

class CheckpointFile {
 public:
  CheckpointFile(std::filesystem::path path, std::string fingerprint)
      : path_(std::move(path)), fingerprint_(std::move(fingerprint)) {}

  absl::Status save(const AlsCheckpoint& checkpoint) const;

  // Nothing when there is no file. FailedPrecondition: it belongs to other data or another recipe.
  // DataLoss: it is damaged.
  absl::StatusOr<std::optional<SavedCheckpoint>> load() const;

  // The run is done. Nothing happens when there is no file.
  void remove() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::string fingerprint_;
};

}  // namespace vitrine::training
