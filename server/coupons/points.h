// The points of a person: earned with orders or given by the shop, spent, and gone when their time
// has come.
//
// Points are kept in lots, which expire one by one; the oldest are spent first. Their sum is the
// balance of the account "points/user/N" in the ledger, and every change is a movement of it. A
// balance is never negative: what is taken back beyond it is owed, and taken from what is earned
// next. One account at a time, one thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/coupons/campaign.h"
#include "server/coupons/ledger.h"
#include "server/events/committer.h"

namespace vitrine::coupons {

struct PointsLot {
  std::int64_t points = 0;
  TimeMs expires_ms = Campaign::k_never_ms;  // not included
};

struct PointsEntry {
  TimeMs time_ms = 0;
  std::int64_t change = 0;
  std::string kind = {};       // earn, give, spend, expire, take_back
  std::string reference = {};  // the order, or what the shop said
};

class PointsAccount {
 public:
  static constexpr std::int64_t k_points_max = 1'000'000'000'000;  // of one person
  static constexpr std::size_t k_entries_kept = 100;               // the newest
  static constexpr std::size_t k_lots_max = 500;  // beyond, the two that expire first are one

  // As of `now_ms`: what expired before is gone, and an entry says so.
  static absl::StatusOr<PointsAccount> read(const Source& source, UserNumber user, TimeMs now_ms);

  std::int64_t balance() const;
  std::int64_t owed() const { return owed_; }
  const std::vector<PointsLot>& lots() const { return lots_; }          // the next to expire first
  const std::vector<PointsEntry>& entries() const { return entries_; }  // the oldest first

  // What is owed is paid first. Points beyond k_points_max are not given.
  void add(std::string_view kind, std::int64_t points, TimeMs expires_ms,
           std::string_view reference);
  // False, and nothing changes, when there are fewer.
  bool spend(std::int64_t points, std::string_view reference);
  // All of it: what is not there is owed.
  void take_back(std::int64_t points, std::string_view reference);

  // Stages the account, and counts what changed since it was read on the tally.
  void stage(events::Batch& batch, Tally& tally) const;
  // Forgets it: what is left is taken off the ledger.
  void stage_erasure(events::Batch& batch, Tally& tally) const;

 private:
  PointsAccount(UserNumber user, TimeMs now_ms) : user_(user), now_ms_(now_ms) {}
  std::string encode() const;
  absl::Status decode(std::string_view bytes);
  void expire();
  void take(std::int64_t points);
  void note(std::string_view kind, std::int64_t change, std::string_view reference);

  UserNumber user_;
  TimeMs now_ms_;
  std::int64_t stored_ = 0;  // the balance that the ledger has
  std::int64_t owed_ = 0;
  std::vector<PointsLot> lots_;
  std::vector<PointsEntry> entries_;
};

}  // namespace vitrine::coupons
