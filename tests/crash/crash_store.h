// How the writer and the judge of the crash rounds open the store.
#pragma once

#include "server/store/database.h"

namespace vitrine::crash {

constexpr const char* k_source = "crash";

// Buffers so small that kills also hit flushes, compactions and the removal of log files.
inline store::Database::Options store_options() {
  return {.block_cache_bytes = std::size_t{8} << 20,
          .write_buffer_bytes = std::size_t{256} << 10,
          .max_total_wal_bytes = std::uint64_t{1} << 20,
          .min_free_bytes = 0};
}

}  // namespace vitrine::crash
