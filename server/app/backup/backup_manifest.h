// The list of what a backup holds, with a digest of each file: backup.json.
//
// It is written last, so a folder without it is no backup. Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/log_entry.h"

namespace vitrine::app {

struct BackupManifest {
  static constexpr int k_format = 1;

  struct File {
    std::string path;  // below the backup's folder: "store/000012.sst"
    std::uint64_t bytes = 0;
    std::string sha256;  // in hex
  };

  TimeMs made_ms = 0;
  Position entries = 0;     // of the log that were acknowledged when it was begun; it may hold more
  std::vector<File> files;  // in the order of their paths

  std::uint64_t bytes() const;
};

// Looks at every file below `folder`, which has no manifest yet, and reads it for its digest.
absl::StatusOr<BackupManifest> manifest_of(const std::filesystem::path& folder, TimeMs made_ms,
                                           Position entries);

absl::Status write_manifest(const BackupManifest& manifest, const std::filesystem::path& folder);

// NotFound: `folder` has none, so it is no backup or an unfinished one. DataLoss: it cannot be
// understood, or names a file that is not below the folder. FailedPrecondition: of a newer program.
absl::StatusOr<BackupManifest> read_manifest(const std::filesystem::path& folder);

}  // namespace vitrine::app
