// The one durable store: families of ordered keys on RocksDB, written by one process and one
// thread.
//
// Thread-safety: reading from any thread at any time; write() and write_unsynced() from one thread
// only (the committer's).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::store {

// One column family each. A family that holds personal data has an owner that can export and erase
// it. The numbers are stored: new families go to the end.
enum class Family : std::uint8_t {
  meta,         // format version, secrets of this data directory, counters
  log,          // position (8 bytes, big-endian) -> LogEntry
  dedupe,       // keyed hash of (source, event id) -> position
  ids,          // keyed hash of ("user" | "visitor", id) -> number
  people,       // number -> Person
  products,     // product id -> Product
  quarantine,   // arrival number -> refused event with reason
  keys,         // key id -> API key record (hashed)
  checkpoints,  // projection name -> position and state; name, 0 and key -> what it keeps beside
  placements,   // placement name -> placement changed or made by the shop
  decisions,    // time and chance (a ULID) -> what was shown to whom
  orders,       // keyed hash of an order id -> who it belongs to and whose word on it holds
  segments,     // s and key -> segment; m and key -> members of one that was put together by hand
  webhooks,     // where to tell what, deliveries that wait, what was told (server/webhooks)
  coupons,      // c and id -> campaign; o, id, 0 and version -> offer
  ledger,       // number -> movement of what coupons may give away
  balances,     // account of the ledger -> what is committed and what is held
  grants,       // g -> grants; h, k -> reservations; r -> redemptions; c, u, i, f, w -> found by
  coupon_decisions  // time and chance (a ULID), campaign -> which coupon somebody was to get
};

// What one commit changes, over all families: all of it becomes durable or none.
class WriteSet {
 public:
  WriteSet();
  ~WriteSet();
  WriteSet(WriteSet&&) noexcept;
  WriteSet& operator=(WriteSet&&) noexcept;
  void put(Family family, std::string_view key, std::string_view value);
  void erase(Family family, std::string_view key);
  void erase_range(Family family, std::string_view from, std::string_view to);  // to: not included
  void clear();
  bool empty() const;
  std::size_t bytes() const;

 private:
  friend class Database;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Many keys of one family, written to a file of their own, past the log of the store, that the
// store takes in as a whole. What is destroyed unfinished has changed nothing. One thread, any.
class BulkWrite {
 public:
  virtual ~BulkWrite() = default;
  // Keys ascend in byte order, each comes once (checked). What goes wrong is said by finish().
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view key) = 0;
  // Synced and visible when it returns, all or nothing, and with it all that was written to the
  // store before; the bytes written. Unavailable below
  // min_free_bytes, DataLoss for any other error: nothing was changed.
  virtual absl::StatusOr<std::uint64_t> finish() = 0;
};

// Walks one family in key order. Sees the store as it was when the cursor was made. One thread.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void next() = 0;
  // OK while walking and at a true end; an error when the walk ended because the store could not be
  // read.
  virtual absl::Status status() const = 0;
};

// What a store takes of memory, in bytes.
struct MemoryUse {
  std::uint64_t block_cache = 0;    // at most Options::block_cache_bytes
  std::uint64_t write_buffers = 0;  // about Options::write_buffers_bytes at most
  std::uint64_t open_files = 0;     // what is kept of them outside the cache
};

class Database {
 public:
  struct Options {
    std::size_t block_cache_bytes = std::size_t{256} << 20;
    std::size_t write_buffer_bytes = std::size_t{64} << 20;    // a family's memtable
    std::size_t write_buffers_bytes = std::size_t{192} << 20;  // those of all families, about
    std::uint64_t max_total_wal_bytes = std::uint64_t{256} << 20;
    std::uint64_t min_free_bytes = std::uint64_t{1} << 30;  // below this, writes answer Unavailable
    // What flushes, compactions and checkpoints write at most in a second, so that the syncs which
    // somebody waits for find the disk free.
    std::int64_t background_bytes_per_second = std::int64_t{64} << 20;
  };

  // Opens `folder` for writing, making it when it is new. Errors: FailedPrecondition when another
  // process holds it or its format is newer than this program (the message names both versions);
  // Unavailable when the disk is so full that opening could fail; DataLoss when it cannot be read.
  static absl::StatusOr<std::unique_ptr<Database>> open(const std::filesystem::path& folder,
                                                        const Options& options);
  // Opens it for reading beside a process that may be writing: a RocksDB secondary instance, which
  // never blocks the writer and sees what was written when it was opened (catch_up() moves it on).
  // NotFound when there is no store.
  static absl::StatusOr<std::unique_ptr<Database>> open_beside(const std::filesystem::path& folder);
  virtual ~Database() = default;

  virtual absl::StatusOr<std::optional<std::string>> get(Family family,
                                                         std::string_view key) const = 0;
  // From the first key >= `from`. `long_walk` reads ahead and leaves the block cache alone.
  virtual std::unique_ptr<Cursor> walk(Family family, std::string_view from,
                                       bool long_walk) const = 0;
  virtual std::optional<std::string> last_key(Family family) const = 0;

  // One synced write. Unavailable below `min_free_bytes` (nothing was written). A failed append or
  // sync ends the process: what is on disk is then uncertain, and a restart finds out.
  // FailedPrecondition on a secondary instance.
  virtual absl::Status write(WriteSet&& changes) = 0;
  // As write(), but durable only with the next write() or finished bulk_write(). A killed process
  // loses nothing; a loss of power may lose the newest of these, never an older one and keep a
  // newer.
  virtual absl::Status write_unsynced(WriteSet&& changes) = 0;
  // One at a time, from any thread, beside write(). FailedPrecondition on a secondary instance.
  virtual absl::StatusOr<std::unique_ptr<BulkWrite>> bulk_write(Family family) = 0;
  // Makes `folder`, which must not exist, a store with what this one holds now, by links where the
  // file system is the same one. Beside write().
  virtual absl::Status back_up(const std::filesystem::path& folder) const = 0;
  // Nothing that was overwritten or erased before is in any file of the store when it returns: all
  // is flushed, the logs before that are gone, and every family but those in `kept` is written
  // anew. Takes as long as that. FailedPrecondition on a secondary instance.
  virtual absl::Status purge(std::span<const Family> kept) = 0;
  // Reads every block there is; DataLoss when one is not what was written.
  virtual absl::Status verify_checksums() const = 0;
  virtual absl::Status catch_up() = 0;  // nothing to do but on secondary instances

  // A secret of this data directory, made at its birth: the key of every keyed hash.
  virtual const std::string& secret() const = 0;
  virtual std::uint64_t bytes_on_disk() const = 0;
  virtual MemoryUse memory_use() const = 0;

  static constexpr std::uint32_t k_format_version = 1;
  // What opening may need, or min_free_bytes where that is less.
  static constexpr std::uint64_t k_room_to_open_bytes = std::uint64_t{64} << 20;

 protected:
  static WriteSet::Parts& parts_of(WriteSet& changes) { return *changes.parts_; }
};

}  // namespace vitrine::store
