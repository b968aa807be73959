// One erasure as the store keeps it: first what is to be done, and to whom; in the end a receipt
// that names nobody.
//
// Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/events/personal_data.h"

namespace vitrine::privacy {

// What one owner did of it.
struct OwnerReceipt {
  std::string owner;
  events::Erased erased;
  TimeMs done_ms = 0;
};

struct ErasureRecord {
  std::string erasure_id;  // a ULID
  TimeMs requested_ms = 0;
  TimeMs completed_ms = 0;             // 0 while it is under way
  std::vector<std::string> keys;       // in hex: the keyed hashes of the ids that are refused
  std::vector<std::string> anonymous;  // of these, of visitors that belonged to nobody
  std::vector<OwnerReceipt> owners;    // those that are done
  events::DataSubject subject;         // empty once no owner needs it any more

  bool is_done_by(std::string_view owner) const;
};

std::string encode(const ErasureRecord& record);  // all but the id
absl::StatusOr<ErasureRecord> decode_erasure(std::string_view erasure_id, std::string_view bytes);

}  // namespace vitrine::privacy
