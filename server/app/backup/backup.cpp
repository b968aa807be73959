#include "server/app/backup/backup.h"

#include <system_error>

#include "base/file.h"
#include "base/status.h"
#include "server/app/config.h"

namespace vitrine::app {
namespace {

bool lies_within(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  std::error_code error;
  const auto below = std::filesystem::weakly_canonical(inner, error)
                         .lexically_relative(std::filesystem::weakly_canonical(outer, error));
  return !error && !below.empty() && *below.begin() != "..";
}

absl::Status make_folder(const std::filesystem::path& folder, const std::filesystem::path& data) {
  if (!folder.is_absolute()) {
    return invalid_argument("folder must be an absolute path, got '{}'", folder.string());
  }
  if (lies_within(folder, data)) {
    return invalid_argument("folder must lie outside the data folder {}, got '{}'", data.string(),
                            folder.string());
  }
  std::error_code error;
  const bool is_made = std::filesystem::create_directory(folder, error);
  if (error) return failed_precondition("cannot make {}: {}", folder.string(), error.message());
  if (!is_made) {
    return failed_precondition("{} is there already: name a new folder", folder.string());
  }
  // It holds what people did and the hashes of keys.
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return failed_precondition("cannot protect {}: {}", folder.string(), error.message());
  return absl::OkStatus();
}

}  // namespace

Backups::Backups(const Parts& parts)
    : parts_(parts),
      made_(parts.metrics.counter("vitrine_backup_made_total", "Backups made")),
      failed_(parts.metrics.counter("vitrine_backup_failures_total", "Backups that failed")),
      last_seconds_(
          parts.metrics.gauge("vitrine_backup_last_seconds", "How long the last backup took")) {}

absl::StatusOr<BackupManifest> Backups::make(const std::filesystem::path& folder) {
  const std::unique_lock alone(one_at_a_time_, std::try_to_lock);
  if (!alone) return conflict("another backup is being made");
  VITRINE_RETURN_IF_ERROR(make_folder(folder, parts_.data));
  const std::int64_t start_us = steady_us();
  absl::StatusOr<BackupManifest> manifest = fill(folder);
  if (!manifest.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);  // a full disk needs the room
    failed_.add();
    parts_.log.error("backup failed: {}", message_of(manifest.status()));
    return manifest;
  }
  made_.add();
  last_seconds_.set(static_cast<double>(steady_us() - start_us) * 1e-6);
  parts_.log.info("backup made files={} bytes={}", manifest->files.size(), manifest->bytes());
  return manifest;
}

absl::StatusOr<BackupManifest> Backups::fill(const std::filesystem::path& folder) const {
  const DataLayout layout(folder);
  const TimeMs made_ms = parts_.clock.now_ms();
  const Position entries = parts_.committer.visible();
  VITRINE_RETURN_IF_ERROR(parts_.models.copy_to(layout.models));
  VITRINE_RETURN_IF_ERROR(parts_.database.back_up(layout.store));
  VITRINE_ASSIGN_OR_RETURN(BackupManifest manifest, manifest_of(folder, made_ms, entries));
  VITRINE_RETURN_IF_ERROR(sync_folder(folder));
  VITRINE_RETURN_IF_ERROR(write_manifest(manifest, folder));
  if (folder.has_parent_path()) VITRINE_RETURN_IF_ERROR(sync_folder(folder.parent_path()));
  return manifest;
}

}  // namespace vitrine::app
