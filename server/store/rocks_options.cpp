#include "server/store/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"
#include "server/store/paced_writes.h"

namespace vitrine::store {
namespace {

constexpr std::array k_families = {
    Family::meta,        Family::log,        Family::dedupe,          Family::ids,
    Family::people,      Family::products,   Family::quarantine,      Family::keys,
    Family::checkpoints, Family::placements, Family::decisions,       Family::orders,
    Family::segments,    Family::webhooks,   Family::coupons,         Family::ledger,
    Family::balances,    Family::grants,     Family::coupon_decisions};

// Families that are asked for keys they mostly do not have.
bool is_asked_for_absent_keys(Family family) {
  return family == Family::dedupe || family == Family::ids || family == Family::checkpoints ||
         family == Family::orders || family == Family::grants;
}

bool is_large(Family family) {
  return family == Family::log || family == Family::dedupe || family == Family::ids ||
         family == Family::people || family == Family::decisions || family == Family::ledger ||
         family == Family::grants || family == Family::coupon_decisions;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const Database::Options& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  constexpr std::size_t k_small_buffer_bytes = std::size_t{8} << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  // The log is read in long walks, everything else key by key.
  table.block_size = family == Family::log ? 16 * 1024 : 4 * 1024;
  if (is_asked_for_absent_keys(family)) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = true;
  }

  rocksdb::ColumnFamilyOptions made;
  made.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  made.write_buffer_size = is_large(family)
                               ? options.write_buffer_bytes
                               : std::min(options.write_buffer_bytes, k_small_buffer_bytes);
  made.compression = rocksdb::kLZ4Compression;
  // ZSTD for what stays for long and is read in walks. Checkpoints are written anew all the time
  // and read at every start; they and the keys of `dedupe` are mostly hashes; decisions come by the
  // thousand a second, and packing them well took a fifth of what making the answers does.
  if (family != Family::checkpoints && family != Family::dedupe && family != Family::decisions) {
    made.bottommost_compression = rocksdb::kZSTD;
  }
  made.level_compaction_dynamic_level_bytes = true;
  if (is_asked_for_absent_keys(family)) {
    // A miss in the memtable costs a skip list's descent without it.
    made.memtable_prefix_bloom_size_ratio = 0.05;
    made.memtable_whole_key_filtering = true;
  }
  return made;
}

// Flushes and compactions give way to the threads that somebody waits for.
class GivesWay final : public rocksdb::EventListener {
 public:
  void OnFlushBegin(rocksdb::DB* /*database*/, const rocksdb::FlushJobInfo& /*job*/) override {
    give_way();
  }
  void OnCompactionBegin(rocksdb::DB* /*database*/,
                         const rocksdb::CompactionJobInfo& /*job*/) override {
    give_way();
  }

 private:
  static void give_way() {
    // About a quarter of a processor that is wanted by others too. Less would let others wait for
    // locks that a thread holds which does not get to run.
    constexpr int k_nice = 5;
    thread_local bool is_done = false;
    if (std::exchange(is_done, true)) return;
    // Only threads of the pools: a start may flush on the thread that opens the store.
    char name[16] = {};
    if (::pthread_getname_np(::pthread_self(), name, sizeof name) != 0) return;
    if (!std::string_view(name).starts_with("rocksdb:")) return;
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), k_nice);
  }
};

}  // namespace

std::span<const Family> all_families() { return k_families; }

std::string_view name_of(Family family) {
  switch (family) {
    case Family::meta:
      return "default";  // the one family RocksDB always makes
    case Family::log:
      return "log";
    case Family::dedupe:
      return "dedupe";
    case Family::ids:
      return "ids";
    case Family::people:
      return "people";
    case Family::products:
      return "products";
    case Family::quarantine:
      return "quarantine";
    case Family::keys:
      return "keys";
    case Family::checkpoints:
      return "checkpoints";
    case Family::placements:
      return "placements";
    case Family::decisions:
      return "decisions";
    case Family::orders:
      return "orders";
    case Family::segments:
      return "segments";
    case Family::webhooks:
      return "webhooks";
    case Family::coupons:
      return "coupons";
    case Family::ledger:
      return "ledger";
    case Family::balances:
      return "balances";
    case Family::grants:
      return "grants";
    case Family::coupon_decisions:
      return "coupon_decisions";
  }
  return {};
}

rocksdb::DBOptions database_options(const Database::Options& options) {
  rocksdb::DBOptions made;
  made.create_if_missing = true;
  made.create_missing_column_families = true;
  made.max_total_wal_size = options.max_total_wal_bytes;
  made.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.write_buffers_bytes);
  // A recycled log file ends in old records, which makes a torn tail look like corruption.
  made.recycle_log_file_num = 0;
  // A torn last record was never acknowledged; a broken one before it is data loss and must stop
  // the start.
  made.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // What the log of the store holds is read into memory at a start, and need not be written first.
  made.avoid_flush_during_recovery = true;
  made.max_background_jobs = 2;
  made.bytes_per_sync = k_bytes_per_sync;
  made.rate_limiter = std::make_shared<PacedWrites>(options.background_bytes_per_second);
  made.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  made.listeners.push_back(std::make_shared<GivesWay>());
  made.max_log_file_size = 4 << 20;
  made.keep_log_file_num = 4;
  return made;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const Database::Options& options) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> made;
  for (const Family family : all_families()) {
    made.emplace_back(std::string(name_of(family)), family_options(family, options, cache));
  }
  return made;
}

absl::Status failure(std::string_view what, const rocksdb::Status& status) {
  return data_loss("{}: {}", what, status.ToString());
}

}  // namespace vitrine::store
