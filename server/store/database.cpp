#include "server/store/database.h"

#include <rocksdb/utilities/checkpoint.h>

#include <charconv>

#include "base/check.h"
#include "base/status.h"
#include "server/store/rocks_database.h"
#include "server/store/rocks_options.h"

namespace vitrine::store {
namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksCursor final : public Cursor {
 public:
  explicit RocksCursor(std::unique_ptr<rocksdb::Iterator> iterator)
      : iterator_(std::move(iterator)) {}
  bool valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }
  void next() override { iterator_->Next(); }
  absl::Status status() const override {
    if (iterator_->status().ok()) return absl::OkStatus();
    return failure("cannot walk the store", iterator_->status());
  }

 private:
  const std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::open(const std::filesystem::path& folder,
                                                         const Options& options) {
  return open_local(folder, options);
}

absl::StatusOr<std::unique_ptr<Database>> Database::open_beside(
    const std::filesystem::path& folder) {
  return open_secondary(folder);
}

RocksDatabase::RocksDatabase(std::filesystem::path folder, rocksdb::DB* database,
                             std::vector<rocksdb::ColumnFamilyHandle*> families)
    : folder_(std::move(folder)), database_(database), families_(std::move(families)) {
  CHECK(families_.size() == all_families().size(), "every family is open");
}

RocksDatabase::~RocksDatabase() {
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    database_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  database_->Close().PermitUncheckedError();
}

absl::StatusOr<std::optional<std::string>> RocksDatabase::get(Family family,
                                                              std::string_view key) const {
  std::string value;
  const auto status =
      database_->Get(rocksdb::ReadOptions(), handle_of(family), {key.data(), key.size()}, &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failure("cannot read the store", status);
  return std::optional(std::move(value));
}

std::unique_ptr<Cursor> RocksDatabase::walk(Family family, std::string_view from,
                                            bool long_walk) const {
  constexpr std::size_t k_read_ahead_bytes = std::size_t{2} << 20;
  rocksdb::ReadOptions options;
  if (long_walk) {
    options.readahead_size = k_read_ahead_bytes;
    options.fill_cache = false;
  }
  std::unique_ptr<rocksdb::Iterator> iterator(database_->NewIterator(options, handle_of(family)));
  iterator->Seek({from.data(), from.size()});
  return std::make_unique<RocksCursor>(std::move(iterator));
}

std::optional<std::string> RocksDatabase::last_key(Family family) const {
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_->NewIterator(rocksdb::ReadOptions(), handle_of(family)));
  iterator->SeekToLast();
  if (!iterator->Valid()) return std::nullopt;
  return std::string(view(iterator->key()));
}

std::uint64_t RocksDatabase::bytes_on_disk() const {
  std::uint64_t total = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;  // a file compacted away while we look counts nothing
    const std::uintmax_t bytes = at->is_regular_file(gone) ? at->file_size(gone) : 0;
    if (!gone) total += bytes;
  }
  return total;
}

MemoryUse RocksDatabase::memory_use() const {
  MemoryUse use;
  // One cache serves all families: any of them knows it.
  database_->GetIntProperty(rocksdb::DB::Properties::kBlockCacheUsage, &use.block_cache);
  database_->GetAggregatedIntProperty(rocksdb::DB::Properties::kSizeAllMemTables,
                                      &use.write_buffers);
  database_->GetAggregatedIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem,
                                      &use.open_files);
  return use;
}

absl::Status RocksDatabase::back_up(const std::filesystem::path& folder) const {
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(database_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> copy(made);
  if (status.ok()) status = copy->CreateCheckpoint(folder.string());
  if (!status.ok()) return failure(fmt::format("cannot back up to {}", folder.string()), status);
  return absl::OkStatus();
}

absl::Status RocksDatabase::verify_checksums() const {
  const auto status = database_->VerifyChecksum();
  return status.ok() ? absl::OkStatus() : failure("the store is damaged", status);
}

absl::StatusOr<bool> RocksDatabase::read_birth_facts() {
  VITRINE_ASSIGN_OR_RETURN(const auto version, get(Family::meta, k_version_key));
  if (!version) return false;
  std::uint32_t number = 0;
  const char* const end = version->data() + version->size();
  if (std::from_chars(version->data(), end, number).ptr != end || number == 0) {
    return data_loss("{}: the format version '{}' is not a number", folder_.string(), *version);
  }
  if (number > k_format_version) {
    return failed_precondition(
        "{} has format version {}, this program reads up to version {}: use the newer program",
        folder_.string(), number, k_format_version);
  }
  VITRINE_ASSIGN_OR_RETURN(auto secret, get(Family::meta, k_secret_key));
  if (!secret) return data_loss("{}: the secret of the store is missing", folder_.string());
  secret_ = std::move(*secret);
  return true;
}

}  // namespace vitrine::store
