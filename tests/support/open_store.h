// A store in a temporary folder, and the committer's surroundings, as tests want them.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine {

// Small caches, and no question about free space unless a test asks it.
inline store::Database::Options small_store_options() {
  return {.block_cache_bytes = std::size_t{8} << 20,
          .write_buffer_bytes = std::size_t{4} << 20,
          .max_total_wal_bytes = std::uint64_t{16} << 20,
          .min_free_bytes = 0};
}

inline std::unique_ptr<store::Database> open_store(const std::filesystem::path& folder) {
  auto database = store::Database::open(folder, small_store_options());
  if (!database.ok()) ADD_FAILURE() << database.status();
  return std::move(database).value();
}

// A committer with no projections but those given, on a clock that stands still.
struct CommitterOnStore {
  static constexpr TimeMs k_now_ms = 1'790'000'000'000;

  explicit CommitterOnStore(store::Database& database,
                            std::vector<events::Projection*> projections = {},
                            const events::Committer::Options& options = {})
      : committer(database, projections, clock, metrics, *log, options) {}

  FakeClock clock{k_now_ms};
  Metrics metrics;
  std::unique_ptr<Log> log = Log::silent();
  events::Committer committer;
};

}  // namespace vitrine
