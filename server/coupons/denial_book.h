// How often coupons were refused and why, by offer and day: the funnel that says why a campaign
// fails.
//
// A refusal is counted in memory, and what changed is written now and then without anybody waiting:
// so many refusals as there may be, an offer and day is one entry that is written over. Codes that
// there are not count as one offer. A loss of power may take the newest few. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "server/coupons/denial.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::coupons {

class DenialBook : public std::enable_shared_from_this<DenialBook> {
 public:
  static constexpr std::size_t k_offers_max = 50'000;  // counted apart
  static constexpr std::int64_t k_days_kept = 400;     // day by day; sums stay

  using Counts = std::array<std::uint64_t, k_reasons>;

  // Both outlive it. DataLoss when its state cannot be read.
  static absl::StatusOr<std::shared_ptr<DenialBook>> open(const store::Database& database,
                                                          Metrics& metrics);

  void note(events::Committer& committer, const std::vector<Denied>& denied, TimeMs now_ms);

  // Of an offer since ever; an empty id: codes that there are not.
  Counts counts_of(std::string_view offer) const;
  // Of the days from that of `from_ms` to that of `until_ms`, which is included; in UTC.
  absl::StatusOr<Counts> counts_of(std::string_view offer, TimeMs from_ms, TimeMs until_ms) const;

 private:
  class WriteCommand;
  struct Entry {
    Counts ever = {};
    std::int64_t day = 0;
    Counts of_day = {};
  };

  DenialBook(const store::Database& database, Metrics& metrics);
  absl::Status read(std::string_view key, std::string_view value);
  void count(const Denied& one, std::int64_t day);
  void stage(events::Batch& batch);

  const store::Database& database_;
  std::vector<Counter*> denied_;  // by reason

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Entry, std::less<>> entries_;
  std::set<std::string> changed_;       // offers to be written
  std::map<std::string, Counts> owed_;  // days that ended, likewise, by their keys
  std::vector<std::string> outdated_;   // keys to be dropped
  bool is_writing_ = false;             // a command is on its way
};

}  // namespace vitrine::coupons
