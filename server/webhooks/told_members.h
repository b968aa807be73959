// Whom each webhook was told to be in each segment: what is not so any more is yet to be told.
//
// The one thing that must survive a crash for nothing to be missed: whoever comes or goes is found
// by comparing with it, however long nobody looked. Kept in chunks of people, so that one person
// costs a few hundred bytes. Thread-safe; what stages runs on the committer thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/events/committer.h"
#include "server/segments/membership.h"
#include "server/store/database.h"

namespace vitrine::webhooks {

class ToldMembers {
 public:
  static constexpr std::uint32_t k_chunk_people = 4096;

  // DataLoss when it cannot be read.
  static absl::StatusOr<std::unique_ptr<ToldMembers>> open(const store::Database& database);
  // After a batch was not written, in which memory was ahead of the store.
  absl::Status reload(const store::Database& database);

  struct Pair {
    std::string webhook;
    std::string segment;
    friend auto operator<=>(const Pair&, const Pair&) = default;
  };
  struct Change {
    UserNumber user;
    bool is_in = false;
  };
  std::vector<Pair> pairs() const;
  // Whether everybody who was in at the beginning is noted.
  bool has_begun(const Pair& pair) const;
  std::vector<bool> are_told(const Pair& pair, std::span<const UserNumber> people) const;
  std::vector<UserNumber> list(const Pair& pair, UserNumber after, std::size_t count_max) const;

  void stage(events::Batch& batch, const Pair& pair, std::span<const Change> changes);
  void stage_begun(events::Batch& batch, const Pair& pair);
  void stage_removal(events::Batch& batch, const store::Database& database, const Pair& pair);
  // How many memberships there were.
  std::size_t forget(events::Batch& batch, const std::vector<UserNumber>& people);

 private:
  struct Told {
    bool has_begun = false;
    segments::Membership members;
  };
  void put_chunk(events::Batch& batch, const Pair& pair, const Told& told, std::uint32_t chunk);

  mutable std::mutex mutex_;  // guards the one below
  std::map<Pair, Told> told_;
};

}  // namespace vitrine::webhooks
