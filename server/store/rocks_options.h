// How RocksDB is set up: families, caches, compression. For this folder's files only.
#pragma once

#include <absl/status/status.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/store/database.h"
#include "server/store/families.h"

namespace vitrine::store {

// Large files reach the disk as they grow: a sync of the log beside them has little to wait for.
constexpr std::uint64_t k_bytes_per_sync = 256 << 10;

rocksdb::DBOptions database_options(const Database::Options& options);
// In the order of their numbers; they share one block cache.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const Database::Options& options);

// What RocksDB said, as DataLoss with `what` in front.
absl::Status failure(std::string_view what, const rocksdb::Status& status);

}  // namespace vitrine::store
