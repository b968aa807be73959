// A copy of a data folder that is taken while it serves, and the way back.
//
// The store is copied as of one moment, by links where the file system is the same one; models go
// first, so that none knows more than the log beside it. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <functional>
#include <mutex>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "model/model_registry.h"
#include "server/app/backup/backup_manifest.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::app {

class Backups {
 public:
  // What is copied, and what else is needed; all outlive it.
  struct Parts {
    const std::filesystem::path data;
    const store::Database& database;
    const ModelRegistry& models;
    const events::Committer& committer;
    const Clock& clock;
    Metrics& metrics;
    Log& log;
  };
  explicit Backups(const Parts& parts);

  // Takes as long as reading everything once. A failed one leaves nothing behind.
  // Errors   InvalidArgument: `folder` is not absolute or lies within the data folder;
  //          FailedPrecondition: it is there already, or cannot be made;
  //          Aborted: another backup is being made
  absl::StatusOr<BackupManifest> make(const std::filesystem::path& folder);

 private:
  absl::StatusOr<BackupManifest> fill(const std::filesystem::path& folder) const;

  const Parts parts_;
  std::mutex one_at_a_time_;
  Counter& made_;
  Counter& failed_;
  Gauge& last_seconds_;
};

// Makes `data`, which must be new or empty, what was backed up; every file is compared with its
// digest on the way. `progress` is told the bytes; may be empty.
// Errors   those of read_manifest(); FailedPrecondition: `data` is not empty;
//          DataLoss: a file is missing or not what was backed up. `data` is then as it was.
absl::StatusOr<BackupManifest> restore(
    const std::filesystem::path& backup, const std::filesystem::path& data,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace vitrine::app
