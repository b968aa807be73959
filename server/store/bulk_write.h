// A BulkWrite on RocksDB: a sorted file that is linked into the store. For this folder's files
// only.
#pragma once

#include <rocksdb/db.h>

#include <filesystem>
#include <memory>

#include "server/store/database.h"

namespace vitrine::store {

constexpr const char* k_bulk_file = "bulk.work";  // in the store's folder while it is written

absl::StatusOr<std::unique_ptr<BulkWrite>> make_bulk_write(rocksdb::DB& database,
                                                           rocksdb::ColumnFamilyHandle& family,
                                                           const std::filesystem::path& file);

}  // namespace vitrine::store
