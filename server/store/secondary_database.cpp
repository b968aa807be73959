// The store as a second process reads it, beside the one that writes.
#include <unistd.h>

#include <cstdlib>

#include "base/status.h"
#include "server/store/rocks_database.h"
#include "server/store/rocks_options.h"

namespace vitrine::store {
namespace {

// A temporary folder that goes when its owner goes.
class OwnFolder {
 public:
  static absl::StatusOr<std::unique_ptr<OwnFolder>> make() {
    std::error_code error;
    const auto base = std::filesystem::temp_directory_path(error);
    std::string name = (error ? std::filesystem::path("/tmp") : base) / "vitrine-reader-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      return failed_precondition("cannot make the temporary folder {}", name);
    }
    return std::unique_ptr<OwnFolder>(new OwnFolder(name));
  }
  ~OwnFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit OwnFolder(std::filesystem::path path) : path_(std::move(path)) {}
  const std::filesystem::path path_;
};

// Owns the folder before, and so until after, the database whose log files are in it.
struct HasOwnFolder {
  const std::unique_ptr<OwnFolder> own_folder;
};

class SecondaryDatabase final : private HasOwnFolder, public RocksDatabase {
 public:
  SecondaryDatabase(std::filesystem::path folder, std::unique_ptr<OwnFolder> log_folder,
                    rocksdb::DB* database, std::vector<rocksdb::ColumnFamilyHandle*> families)
      : HasOwnFolder{std::move(log_folder)},
        RocksDatabase(std::move(folder), database, std::move(families)) {}

  absl::Status write(WriteSet&& /*changes*/) override { return for_reading_only(); }
  absl::Status write_unsynced(WriteSet&& /*changes*/) override { return for_reading_only(); }
  absl::StatusOr<std::unique_ptr<BulkWrite>> bulk_write(Family /*family*/) override {
    return for_reading_only();
  }
  absl::Status purge(std::span<const Family> /*kept*/) override { return for_reading_only(); }
  absl::Status catch_up() override {
    const auto status = database_->TryCatchUpWithPrimary();
    if (!status.ok()) return failure("cannot follow the writing process", status);
    return absl::OkStatus();
  }

 private:
  absl::Status for_reading_only() const {
    return failed_precondition("{} is open for reading only", folder_.string());
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> open_secondary(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder / "CURRENT", error)) {
    return not_found("there is no store in {}", folder.string());
  }
  VITRINE_ASSIGN_OR_RETURN(auto own_folder, OwnFolder::make());
  const Database::Options small{.block_cache_bytes = std::size_t{64} << 20};
  rocksdb::DBOptions settings = database_options(small);
  // Files that the writer removes stay readable while they are held open.
  settings.max_open_files = -1;

  // The writer may remove a file between our reading of the manifest and the opening of the file.
  constexpr int k_attempts = 5;
  rocksdb::Status status;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    rocksdb::DB* database = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    status = rocksdb::DB::OpenAsSecondary(settings, folder.string(), own_folder->path().string(),
                                          family_descriptors(small), &handles, &database);
    if (!status.ok()) continue;
    auto made = std::make_unique<SecondaryDatabase>(folder, std::move(own_folder), database,
                                                    std::move(handles));
    VITRINE_ASSIGN_OR_RETURN(const bool was_born, made->read_birth_facts());
    if (!was_born) return not_found("the store in {} is still being made", folder.string());
    return made;
  }
  return failure(fmt::format("cannot open {} beside its writer", folder.string()), status);
}

}  // namespace vitrine::store
