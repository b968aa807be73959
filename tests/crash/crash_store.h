// How the writer and the judge of the crash rounds open the store.
#pragma once

#include <array>

#include "base/metrics.h"
#include "server/catalog/product_numbers.h"
#include "server/events/checkpointer.h"
#include "server/profiles/popularity_book.h"
#include "server/profiles/profile_book.h"
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

// What follows the log and is checkpointed, with so little memory that most profiles are read back.
struct Books {
  Books(const store::Database& database, Metrics& metrics)
      : checkpointed_numbers(numbers, database),
        profiles(numbers, database, metrics, {.cache_bytes = std::size_t{64} << 10}),
        popularity(numbers, database) {}

  catalog::ProductNumbers numbers;
  catalog::CheckpointedNumbers checkpointed_numbers;
  profiles::ProfileBook profiles;
  profiles::PopularityBook popularity;
  std::array<events::Projection*, 3> all{&checkpointed_numbers, &profiles, &popularity};
};

}  // namespace vitrine::crash
