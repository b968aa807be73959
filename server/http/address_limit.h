// How many requests without a valid key one address may make: what needs no key, and guesses at
// keys.
//
// An address is an IPv4 address or the /64 of an IPv6 one, which is what one subscriber has. Those
// of this machine are its own probes and its proxies, and are not counted. It keeps the addresses
// of the last moments only, at most k_addresses_max: past that, new ones share one allowance.
// Thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "server/http/request_rate.h"

namespace vitrine::http {

class AddressLimit {
 public:
  static constexpr std::size_t k_addresses_max = 100'000;

  explicit AddressLimit(const RequestRate& rate) : rate_(rate), shared_(rate) {}

  // Whether one more request of `peer` (0: this machine) at `now_us` of a steady clock is within
  // the rate; only then it counts.
  bool take(std::uint64_t peer, std::int64_t now_us);

 private:
  const RequestRate rate_;
  RequestBucket shared_;
  std::mutex mutex_;  // guards the rest
  absl::flat_hash_map<std::uint64_t, std::unique_ptr<RequestBucket>> buckets_;
  std::int64_t begun_us_ = 0;
};

}  // namespace vitrine::http
