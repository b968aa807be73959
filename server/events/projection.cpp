#include "server/events/projection.h"

#include <cstring>

#include "base/crypto.h"

namespace vitrine::events {

std::uint64_t Projection::fingerprint() const {
  const Sha256 digest = hmac_sha256(name(), checkpoint());
  std::uint64_t start = 0;
  std::memcpy(&start, digest.data(), sizeof start);
  return start;
}

}  // namespace vitrine::events
