#include "server/store/bulk_write.h"

#include <rocksdb/sst_file_writer.h>

#include <system_error>

#include "base/check.h"
#include "base/status.h"
#include "server/store/rocks_options.h"

namespace vitrine::store {
namespace {

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

rocksdb::EnvOptions environment_of(const rocksdb::DBOptions& options) {
  rocksdb::EnvOptions environment(options);
  environment.bytes_per_sync = k_bytes_per_sync;
  return environment;
}

class SortedFile final : public BulkWrite {
 public:
  SortedFile(rocksdb::DB& database, rocksdb::ColumnFamilyHandle& family, std::filesystem::path file)
      : database_(database),
        family_(family),
        file_(std::move(file)),
        writer_(environment_of(database.GetDBOptions()), database.GetOptions(&family), &family,
                true, rocksdb::Env::IO_LOW) {}
  ~SortedFile() override {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }

  rocksdb::Status open() { return writer_.Open(file_.string()); }

  void put(std::string_view key, std::string_view value) override {
    note(writer_.Put(slice(key), slice(value)));
  }
  void erase(std::string_view key) override { note(writer_.Delete(slice(key))); }

  absl::StatusOr<std::uint64_t> finish() override {
    if (!status_.ok()) return failure("cannot write a file of keys", status_);
    if (count_ == 0) return 0;
    rocksdb::ExternalSstFileInfo made;
    if (const auto status = writer_.Finish(&made); !status.ok()) {
      return failure("cannot finish a file of keys", status);
    }
    // What it holds may rest on what was written without a sync.
    if (const auto status = database_.SyncWAL(); !status.ok()) {
      return failure("cannot sync what was written before", status);
    }
    rocksdb::IngestExternalFileOptions options;
    options.move_files = true;
    const auto status = database_.IngestExternalFile(&family_, {file_.string()}, options);
    if (!status.ok()) return failure("cannot take in a file of keys", status);
    return made.file_size;
  }

 private:
  void note(rocksdb::Status status) {
    CHECK(!status.IsInvalidArgument(), "keys ascend in a bulk write");
    ++count_;
    if (status_.ok()) status_ = std::move(status);
  }

  rocksdb::DB& database_;
  rocksdb::ColumnFamilyHandle& family_;
  const std::filesystem::path file_;
  rocksdb::SstFileWriter writer_;
  rocksdb::Status status_;
  std::size_t count_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BulkWrite>> make_bulk_write(rocksdb::DB& database,
                                                           rocksdb::ColumnFamilyHandle& family,
                                                           const std::filesystem::path& file) {
  auto made = std::make_unique<SortedFile>(database, family, file);
  if (const auto status = made->open(); !status.ok()) {
    return failure("cannot make a file of keys", status);
  }
  return made;
}

}  // namespace vitrine::store
