// What the writing and the reading store have in common: everything but how they are opened and
// written. For this folder's files only.
#pragma once

#include <rocksdb/db.h>

#include <filesystem>
#include <string>
#include <vector>

#include "server/store/database.h"

namespace vitrine::store {

class RocksDatabase : public Database {
 public:
  RocksDatabase(std::filesystem::path folder, rocksdb::DB* database,
                std::vector<rocksdb::ColumnFamilyHandle*> families);
  ~RocksDatabase() override;

  absl::StatusOr<std::optional<std::string>> get(Family family,
                                                 std::string_view key) const override;
  std::unique_ptr<Cursor> walk(Family family, std::string_view from, bool long_walk) const override;
  std::optional<std::string> last_key(Family family) const override;
  const std::string& secret() const override { return secret_; }
  std::uint64_t bytes_on_disk() const override;
  MemoryUse memory_use() const override;
  absl::Status back_up(const std::filesystem::path& folder) const override;
  absl::Status verify_checksums() const override;

  // Reads version and secret. FailedPrecondition when the format is newer than this program; false
  // when there is no version yet.
  absl::StatusOr<bool> read_birth_facts();

 protected:
  rocksdb::ColumnFamilyHandle* handle_of(Family family) const {
    return families_[static_cast<std::size_t>(family)];
  }
  const std::filesystem::path folder_;
  const std::unique_ptr<rocksdb::DB> database_;

 private:
  const std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::string secret_;
};

constexpr std::string_view k_version_key = "format_version";
constexpr std::string_view k_secret_key = "secret";

// The two ways to open, as database.h describes them.
absl::StatusOr<std::unique_ptr<Database>> open_local(const std::filesystem::path& folder,
                                                     const Database::Options& options);
absl::StatusOr<std::unique_ptr<Database>> open_secondary(const std::filesystem::path& folder);

}  // namespace vitrine::store
