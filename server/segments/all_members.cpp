#include "server/segments/all_members.h"

#include <cstddef>

#include "base/status.h"

namespace vitrine::segments {
namespace {

constexpr std::size_t k_page = 100'000;  // members that are asked for at once

absl::Status unknown(std::string_view key) { return not_found("there is no segment {}", key); }

}  // namespace

absl::Status check_built(const SegmentEngine& engine, std::string_view key) {
  const auto status = engine.status(key);
  if (!status) return unknown(key);
  if (status->is_built) return absl::OkStatus();
  return unavailable("segment {} is being built, {:.0f} % are done: ask again", key,
                     100 * status->progress);
}

absl::StatusOr<Membership> all_members(const SegmentEngine& engine, std::string_view key) {
  Membership all;
  UserNumber after = k_nobody;
  while (true) {
    const auto page = engine.members(key, after, k_page);
    if (!page) return unknown(key);
    for (const UserNumber user : *page) all.set(user, true);
    if (page->size() < k_page) return all;
    after = page->back();
  }
}

}  // namespace vitrine::segments
