#include "server/http/address_limit.h"

namespace vitrine::http {
namespace {

// All are forgotten after so long, and with them what they had used up.
constexpr std::int64_t k_remembered_us = 60'000'000;

}  // namespace

bool AddressLimit::take(std::uint64_t peer, std::int64_t now_us) {
  if (peer == 0) return true;
  const std::lock_guard lock(mutex_);
  if (now_us - begun_us_ > k_remembered_us) {
    buckets_.clear();
    begun_us_ = now_us;
  }
  const auto found = buckets_.find(peer);
  if (found != buckets_.end()) return found->second->take(now_us);
  if (buckets_.size() >= k_addresses_max) return shared_.take(now_us);
  return buckets_.emplace(peer, std::make_unique<RequestBucket>(rate_)).first->second->take(now_us);
}

}  // namespace vitrine::http
