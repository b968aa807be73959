// A session as a checkpoint keeps it.
//
// Products by id, so that it does not depend on the numbers of a process. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/catalog/product_numbers.h"

namespace vitrine::profiles {

struct Click {
  TimeMs time_ms = 0;
  std::uint64_t event_key = 0;  // breaks ties of time
  ProductNumber product;
};

inline bool is_older(const Click& a, const Click& b) {
  return std::tie(a.time_ms, a.event_key, a.product) < std::tie(b.time_ms, b.event_key, b.product);
}

constexpr std::uint32_t k_session_record_form = 2;

struct SessionRecord {
  std::uint64_t key = 0;
  bool is_latest = false;                            // of its key
  UserNumber visitor = k_nobody;                     // that clicked last, of those who are one
  std::shared_ptr<const std::vector<Click>> clicks;  // null: the session is forgotten
};

// Precondition: there are clicks. Key (8 bytes), is_latest (1), visitor (4), then for each click
// its time (8), event key (8), the length of the product id (4) and the id; numbers big-endian.
std::string encode(const SessionRecord& record, const catalog::ProductNumbers& numbers);
// Nothing when the bytes are no record.
std::optional<SessionRecord> decode_session(std::string_view bytes,
                                            catalog::ProductNumbers& numbers);

}  // namespace vitrine::profiles
