// The way back from a backup to a data folder.
#include <set>
#include <system_error>

#include "base/file.h"
#include "base/status.h"
#include "server/app/backup/backup.h"
#include "server/app/config.h"

namespace vitrine::app {
namespace {

using Told = std::function<void(std::uint64_t done, std::uint64_t all)>;

absl::Status check_empty(const std::filesystem::path& data) {
  std::error_code error;
  if (!std::filesystem::exists(data, error) && !error) return absl::OkStatus();
  const bool is_empty = std::filesystem::is_empty(data, error);
  if (error) return failed_precondition("cannot look at {}: {}", data.string(), error.message());
  if (is_empty && std::filesystem::is_directory(data, error)) return absl::OkStatus();
  return failed_precondition("{} is not empty: restore into a new folder", data.string());
}

absl::Status restore_file(const BackupManifest::File& file, const std::filesystem::path& backup,
                          const std::filesystem::path& work) {
  absl::StatusOr<Sha256> digest = copy_file_synced(backup / file.path, work / file.path);
  if (absl::IsNotFound(digest.status())) {
    return data_loss("{} is missing in the backup", (backup / file.path).string());
  }
  if (!digest.ok()) return digest.status();
  if (to_hex(*digest) != file.sha256) {
    return data_loss("{} is not what was backed up: its SHA-256 is {}, it was {}",
                     (backup / file.path).string(), to_hex(*digest), file.sha256);
  }
  return absl::OkStatus();
}

absl::Status copy_all(const BackupManifest& manifest, const std::filesystem::path& backup,
                      const std::filesystem::path& work, const Told& progress) {
  std::set<std::filesystem::path> folders{work};
  std::uint64_t done = 0;
  for (const BackupManifest::File& file : manifest.files) {
    for (std::filesystem::path at = (work / file.path).parent_path(); folders.insert(at).second;
         at = at.parent_path()) {
      std::error_code error;
      std::filesystem::create_directories(at, error);
      if (error) return internal_error("cannot make {}: {}", at.string(), error.message());
    }
    VITRINE_RETURN_IF_ERROR(restore_file(file, backup, work));
    done += file.bytes;
    if (progress) progress(done, manifest.bytes());
  }
  for (const std::filesystem::path& folder : folders) VITRINE_RETURN_IF_ERROR(sync_folder(folder));
  return absl::OkStatus();
}

// The store last: with it the folder becomes a data folder.
absl::Status move_into_place(const DataLayout& work, const DataLayout& layout) {
  for (const auto& [from, to] :
       {std::pair(work.models, layout.models), std::pair(work.store, layout.store)}) {
    std::error_code error;
    if (!std::filesystem::exists(from, error)) continue;
    std::filesystem::rename(from, to, error);
    if (error) return internal_error("cannot make {}: {}", to.string(), error.message());
    VITRINE_RETURN_IF_ERROR(sync_folder(to.parent_path()));
  }
  return absl::OkStatus();
}

absl::Status fill(const BackupManifest& manifest, const std::filesystem::path& backup,
                  const DataLayout& layout, const Told& progress) {
  std::error_code error;
  std::filesystem::create_directories(layout.restoring, error);
  if (error) {
    return failed_precondition("cannot make {}: {}", layout.restoring.string(), error.message());
  }
  VITRINE_RETURN_IF_ERROR(copy_all(manifest, backup, layout.restoring, progress));
  VITRINE_RETURN_IF_ERROR(move_into_place(DataLayout(layout.restoring), layout));
  std::filesystem::remove_all(layout.restoring, error);
  if (error) return internal_error("cannot remove {}", layout.restoring.string());
  return sync_folder(layout.restoring.parent_path());
}

}  // namespace

absl::StatusOr<BackupManifest> restore(const std::filesystem::path& backup,
                                       const std::filesystem::path& data, const Told& progress) {
  VITRINE_ASSIGN_OR_RETURN(BackupManifest manifest, read_manifest(backup));
  VITRINE_RETURN_IF_ERROR(check_empty(data));
  const DataLayout layout(data);
  if (absl::Status filled = fill(manifest, backup, layout, progress); !filled.ok()) {
    std::error_code ignored;
    for (const auto& made : {layout.restoring, layout.models, layout.store}) {
      std::filesystem::remove_all(made, ignored);
    }
    return filled;
  }
  return manifest;
}

}  // namespace vitrine::app
