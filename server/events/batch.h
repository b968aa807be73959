// The inside of a Batch. For this folder's files only.
#pragma once

#include <absl/container/flat_hash_map.h>

#include "base/string_map.h"
#include "server/events/committer.h"

namespace vitrine::events {

struct Batch::Parts {
  Parts(const store::Database& database_in, Position last_in, TimeMs time_ms_in)
      : database(database_in), time_ms(time_ms_in), last(last_in) {}

  const store::Database& database;
  const TimeMs time_ms;
  Position last;
  store::WriteSet changes;
  std::size_t operations = 0;  // puts, erases and appends so far
  std::vector<LogEntry> entries;
  // Every family's staged values but the log's; nothing in place of an erased one.
  absl::flat_hash_map<store::Family, StringMap<std::optional<std::string>>> staged;
  std::vector<std::function<void()>> publish;
  absl::flat_hash_map<const void*, std::shared_ptr<void>> places;

  const std::optional<std::string>* find(store::Family family, std::string_view key) const;
};

}  // namespace vitrine::events
