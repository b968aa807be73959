// The inside of a WriteSet: a RocksDB batch under construction. For this folder's files only.
#pragma once

#include <rocksdb/write_batch.h>

#include "server/store/database.h"

namespace vitrine::store {

struct WriteSet::Parts {
  rocksdb::WriteBatch batch;
};

}  // namespace vitrine::store
