// The versions of the trained model on disk: publish, promote, roll back, prune.
//
// A version is a folder named after it. Which one serves is the last line of the file CURRENT,
// whose earlier lines are the versions promoted before it; it is replaced atomically, so that
// another process may read it at any time. Nothing is cached. Thread-safe, also between processes:
// changes hold a lock file.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/trained_model.h"

namespace vitrine {

class ModelRegistry {
 public:
  // `folder` is created by the first change.
  explicit ModelRegistry(std::filesystem::path folder);

  struct Version {
    std::string name;
    TrainingRecord record;
    bool is_current = false;
  };

  // Writes the model into a temporary folder, syncs it and renames it: a crash leaves no half
  // version behind. AlreadyExists when the version is there.
  absl::Status publish(const TrainedModel& model, bool promote);

  // The version that serves; empty before the first promotion.
  absl::StatusOr<std::optional<std::string>> current() const;

  // Verifies a published version and makes it the one that serves. NotFound when there is none of
  // this name; DataLoss when it is damaged: the one that served before goes on.
  absl::Status promote(std::string_view version);

  // Verifies the version that served before the current one, promotes it again and returns its
  // name. FailedPrecondition when there is none; DataLoss when it is damaged.
  absl::StatusOr<std::string> rollback();

  // Newest first. Folders without a readable manifest are left out.
  absl::StatusOr<std::vector<Version>> list() const;

  // Deletes all but the newest `keep` versions, the current one and the one a rollback would return
  // to; returns the names.
  absl::StatusOr<std::vector<std::string>> prune(std::size_t keep);

  // Puts every version, and which of them served when, into the new folder `target`, synced: by
  // links where the file system is the same one. No change of this registry happens meanwhile.
  absl::Status copy_to(const std::filesystem::path& target) const;

  absl::StatusOr<std::shared_ptr<const TrainedModel>> load(std::string_view version) const;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path folder_of(std::string_view version) const;

 private:
  absl::StatusOr<std::vector<std::string>> promoted() const;  // oldest first

  std::filesystem::path folder_;
};

}  // namespace vitrine
