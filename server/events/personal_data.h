// Everybody who keeps something about people can hand it out and forget it.
//
// What is erased is replaced by commands, so that the store is written by one thread; what readers
// keep in memory follows the log, where an Erasure says who is gone (model/log_entry.h).
// Thread-safe: called while the server runs, one erasure at a time.
#pragma once

#include <absl/status/statusor.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::events {

// One person with everything that stands for them.
struct DataSubject {
  std::vector<std::string> user_ids;  // as senders name them; at most one
  std::vector<std::string> visitor_ids;
  std::vector<UserNumber> people;     // whose ids are theirs; ascending
  std::vector<UserNumber> histories;  // what these did is theirs; ascending

  std::vector<std::string> ids() const {
    std::vector<std::string> all = user_ids;
    all.insert(all.end(), visitor_ids.begin(), visitor_ids.end());
    return all;
  }
  // Both of the above, ascending, each once.
  std::vector<UserNumber> everybody() const {
    std::vector<UserNumber> all;
    std::ranges::set_union(people, histories, std::back_inserter(all));
    return all;
  }
  bool did(UserNumber number) const { return std::ranges::binary_search(histories, number); }
};

// What an owner did; both count records.
struct Erased {
  std::uint64_t dropped = 0;
  std::uint64_t kept_without_person = 0;  // what the law or a statistic needs
};

class PersonalData {
 public:
  virtual ~PersonalData() = default;
  virtual std::string_view name() const = 0;
  // The families this owner answers for.
  virtual std::vector<store::Family> families() const = 0;
  // One JSON value with everything kept about the person, the same for the same state.
  virtual absl::StatusOr<std::string> export_person(const DataSubject& subject) const = 0;
  // Durable when it returns. After an error or a crash it is called anew, and finishes.
  virtual absl::StatusOr<Erased> erase_person(const DataSubject& subject, Committer& committer) = 0;
};

}  // namespace vitrine::events
