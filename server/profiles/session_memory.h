// Where the session book keeps what its readers see: the clicks of each session, and the sessions
// of each product.
//
// Thread-safety: one writer; const methods from any thread at any time. Clicks are read without a
// lock (a sequence lock over atomics: Boehm, "Can seqlocks get along with programming language
// memory models?", MSPC 2012), lists under a lock that is held for a copy.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "server/profiles/chunked_array.h"
#include "server/profiles/session_book.h"

namespace vitrine::profiles {

class SessionClicks {
 public:
  void write(SessionRef session, std::span<const ProductNumber> products, TimeMs last_ms);
  // What was in the slot is gone; its next session has another generation.
  void clear(std::uint32_t slot);
  // False when the slot holds another session, or is being written for longer than a moment.
  bool read(SessionRef session, SessionBook::Session& out) const;
  // Brings the first clicks near.
  void prefetch(SessionRef session) const;

 private:
  struct alignas(64) Block {
    std::atomic<std::uint32_t> version{0};  // odd while it is being written
    std::atomic<std::uint32_t> generation{0};
    std::atomic<std::uint32_t> size{0};
    std::atomic<TimeMs> last_ms{0};
    std::array<std::atomic<std::uint32_t>, SessionBook::k_clicks_max> products{};
  };
  static_assert(sizeof(Block) == 256);

  ChunkedArray<Block, 1024, 16'384> blocks_;
};

class SessionsOfProducts {
 public:
  explicit SessionsOfProducts(std::size_t list_max) : list_max_(list_max) {}

  // Puts the session at its place by time, or moves it there. Of equal times the smaller slot
  // comes first.
  void put(ProductNumber product, const SessionOfProduct& entry, bool is_new);
  void remove(ProductNumber product, std::uint32_t slot);
  void newest(ProductNumber product, std::size_t limit, std::vector<SessionOfProduct>& out) const;
  std::size_t count(ProductNumber product) const;

 private:
  using List = std::vector<SessionOfProduct>;  // oldest first
  struct Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<ProductNumber, List> lists;
  };
  using Count = std::atomic<std::uint32_t>;

  const std::size_t list_max_;
  std::array<Shard, 64> shards_;
  ChunkedArray<Count, 4096, 16'384> counts_;  // by product number
};

}  // namespace vitrine::profiles
