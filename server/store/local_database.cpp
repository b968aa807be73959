// The store of the one process that writes.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"
#include "server/store/bulk_write.h"
#include "server/store/folder_lock.h"
#include "server/store/rocks_database.h"
#include "server/store/rocks_options.h"
#include "server/store/write_set.h"

namespace vitrine::store {
namespace {

class LocalDatabase final : public RocksDatabase {
 public:
  LocalDatabase(std::filesystem::path folder, std::unique_ptr<FolderLock> lock,
                std::uint64_t min_free_bytes, rocksdb::DB* database,
                std::vector<rocksdb::ColumnFamilyHandle*> families)
      : RocksDatabase(std::move(folder), database, std::move(families)),
        lock_(std::move(lock)),
        min_free_bytes_(min_free_bytes) {}

  absl::Status write(WriteSet&& changes) override { return write(std::move(changes), true); }
  absl::Status write_unsynced(WriteSet&& changes) override {
    return write(std::move(changes), false);
  }
  absl::StatusOr<std::unique_ptr<BulkWrite>> bulk_write(Family family) override;
  absl::Status purge(std::span<const Family> kept) override;
  absl::Status catch_up() override { return absl::OkStatus(); }

  // A version and a secret of its own.
  absl::Status be_born();

 private:
  absl::Status write(WriteSet&& changes, bool is_synced);
  // Ends the process unless it went well.
  void check_written(const rocksdb::Status& status) const;
  std::uint64_t free_now();
  absl::Status no_room(std::uint64_t free) const;

  const std::unique_ptr<FolderLock> lock_;
  const std::uint64_t min_free_bytes_;
  // The writing thread's own.
  std::int64_t free_asked_us_ = 0;
  std::uint64_t free_bytes_ = 0;
};

// Asking the file system at every write would cost a system call each; between two answers of 100
// ms it cannot lose more than the watermark holds.
std::uint64_t LocalDatabase::free_now() {
  constexpr std::int64_t k_answer_holds_us = 100'000;
  const std::int64_t now_us = steady_us();
  if (free_asked_us_ == 0 || now_us - free_asked_us_ > k_answer_holds_us) {
    free_bytes_ = free_bytes(folder_);
    free_asked_us_ = now_us;
  }
  return free_bytes_;
}

absl::Status LocalDatabase::no_room(std::uint64_t free) const {
  return unavailable(
      "the disk of {} has {} bytes free, writing needs {}: nothing was written; make room or lower "
      "--store-min-free, and writing goes on by itself",
      folder_.string(), free, min_free_bytes_);
}

void LocalDatabase::check_written(const rocksdb::Status& status) const {
  if (status.ok()) return;
  std::fprintf(stderr, "vitrine: cannot write %s: %s; what is on disk is uncertain, stopping\n",
               folder_.c_str(), status.ToString().c_str());
  std::_Exit(EXIT_FAILURE);
}

absl::Status LocalDatabase::write(WriteSet&& changes, bool is_synced) {
  if (changes.empty()) return absl::OkStatus();
  if (const std::uint64_t free = free_now(); free < min_free_bytes_) return no_room(free);
  rocksdb::WriteOptions options;
  options.sync = is_synced;
  check_written(database_->Write(options, &parts_of(changes).batch));
  changes.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<BulkWrite>> LocalDatabase::bulk_write(Family family) {
  if (const std::uint64_t free = free_bytes(folder_); free < min_free_bytes_) return no_room(free);
  return make_bulk_write(*database_, *handle_of(family), folder_ / k_bulk_file);
}

absl::Status LocalDatabase::purge(std::span<const Family> kept) {
  // What compaction writes anew stands beside the old until it is done.
  if (const std::uint64_t free = free_bytes(folder_); free < min_free_bytes_) return no_room(free);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (const Family family : all_families()) handles.push_back(handle_of(family));
  if (const auto status = database_->Flush(rocksdb::FlushOptions(), handles); !status.ok()) {
    return failure("cannot flush the store", status);
  }
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (const Family family : all_families()) {
    if (std::ranges::find(kept, family) != kept.end()) continue;
    const auto status = database_->CompactRange(options, handle_of(family), nullptr, nullptr);
    if (!status.ok()) return failure("cannot compact the store", status);
  }
  // Files that nobody needs any more go now, and not when it is convenient.
  if (const auto status = database_->DisableFileDeletions(); !status.ok()) {
    return failure("cannot clean the store", status);
  }
  if (const auto status = database_->EnableFileDeletions(false); !status.ok()) {
    return failure("cannot clean the store", status);
  }
  return absl::OkStatus();
}

absl::Status LocalDatabase::be_born() {
  if (last_key(Family::log)) {
    return data_loss("{} has a log but no format version", folder_.string());
  }
  constexpr std::size_t k_secret_bytes = 32;
  WriteSet facts;
  facts.put(Family::meta, k_version_key, std::to_string(k_format_version));
  facts.put(Family::meta, k_secret_key, secret_bytes(k_secret_bytes));
  return write(std::move(facts));
}

// A family this program does not know was made by a newer one.
absl::Status check_families_known(const std::filesystem::path& folder,
                                  const rocksdb::DBOptions& options) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, folder.string(), &names).ok()) {
    return absl::OkStatus();  // opening will say why
  }
  for (const std::string& name : names) {
    bool known = false;
    for (const Family family : all_families()) known = known || name == name_of(family);
    if (!known) {
      return failed_precondition(
          "{} has a family '{}' that format version {} does not know: use the newer program",
          folder.string(), name, Database::k_format_version);
    }
  }
  return absl::OkStatus();
}

// RocksDB as Debian builds it aborts when the disk is full in the wrong moment.
absl::Status check_room_to_open(const std::filesystem::path& folder,
                                const Database::Options& options) {
  const std::uint64_t needed = std::min(options.min_free_bytes, Database::k_room_to_open_bytes);
  const std::uint64_t free = free_bytes(folder);
  if (free >= needed) return absl::OkStatus();
  return unavailable("the disk of {} has {} bytes free, opening it needs {}: make room",
                     folder.string(), free, needed);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> open_local(const std::filesystem::path& folder,
                                                     const Database::Options& options) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return failed_precondition("cannot make {}: {}", folder.string(), error.message());
  VITRINE_ASSIGN_OR_RETURN(auto lock, FolderLock::take(folder));
  std::filesystem::remove(folder / k_bulk_file, error);  // of a process that was killed
  VITRINE_RETURN_IF_ERROR(check_room_to_open(folder, options));
  const rocksdb::DBOptions settings = database_options(options);
  if (std::filesystem::exists(folder / "CURRENT", error)) {
    VITRINE_RETURN_IF_ERROR(check_families_known(folder, settings));
  }

  rocksdb::DB* database = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const auto status = rocksdb::DB::Open(settings, folder.string(), family_descriptors(options),
                                        &handles, &database);
  if (!status.ok()) return failure(fmt::format("cannot open {}", folder.string()), status);
  for (std::size_t i = 0; i < handles.size(); ++i) {
    CHECK(handles[i]->GetID() == i, "a family keeps the number it was born with");
  }
  auto made = std::make_unique<LocalDatabase>(folder, std::move(lock), options.min_free_bytes,
                                              database, std::move(handles));
  VITRINE_ASSIGN_OR_RETURN(const bool was_born, made->read_birth_facts());
  if (!was_born) {
    VITRINE_RETURN_IF_ERROR(made->be_born());
    VITRINE_ASSIGN_OR_RETURN(const bool is_born, made->read_birth_facts());
    CHECK(is_born, "a new store has its version");
    VITRINE_RETURN_IF_ERROR(sync_folder(folder));
  }
  return made;
}

}  // namespace vitrine::store
