// The ledger: every movement of what may be given away, and what it comes to by account.
//
// A movement is appended and never changed; the balance of an account is the sum of its postings,
// and is written in the same batch. Amounts are held first and committed later, or committed at
// once; whoever decides has seen that committed + held stays within the limit, on the committer's
// thread, where nobody can come between. Thread-safety: Tally and Source are one thread's; the
// ledger is the committer thread's.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::coupons {

// What is on disk, or what a batch made of it. The first error is kept and asked for at the end;
// reads after it find nothing.
class Source {
 public:
  explicit Source(const store::Database& database);
  explicit Source(const events::Batch& batch);
  std::optional<std::string> get(store::Family family, std::string_view key) const;
  const absl::Status& status() const { return status_; }
  void fail(absl::Status status) const {
    if (status_.ok()) status_ = std::move(status);
  }

 private:
  using Read =
      std::function<absl::StatusOr<std::optional<std::string>>(store::Family, std::string_view)>;
  Read read_;
  mutable absl::Status status_;
};

struct Balance {
  std::int64_t committed = 0;
  std::int64_t held = 0;
  std::int64_t total() const { return committed + held; }
  friend bool operator==(const Balance&, const Balance&) = default;
};
Balance balance_of(const Source& source, std::string_view account);

struct Posting {
  std::string account = {};
  std::int64_t committed = 0;
  std::int64_t held = 0;
  friend bool operator==(const Posting&, const Posting&) = default;
};

struct Movement {
  std::uint64_t sequence = 0;  // from 1, without gaps
  TimeMs time_ms = 0;
  std::string kind = {};       // hold, release, expire, redeem, return, issue, revoke
  std::string reference = {};  // what it was for: "order/…", "grant/12"
  std::vector<Posting> postings = {};
};
std::string encode(const Movement& movement);  // all but the sequence, which is its key
absl::StatusOr<Movement> decode_movement(std::string_view key, std::string_view bytes);

// Balances as they would be: read as they are needed, changed by trial, copied to try again.
class Tally {
 public:
  explicit Tally(const Source& source) : source_(&source) {}
  Balance of(const std::string& account);
  // What a limit has left; never below zero.
  std::int64_t left(const std::string& account, std::int64_t limit);
  // Precondition, checked: neither part of the balance falls below zero.
  void add(const Posting& posting);
  std::vector<Posting> postings() const;  // all that was added, by account; none that is zero
  const std::map<std::string, Balance>& balances() const { return now_; }

 private:
  const Source* source_;
  std::map<std::string, Balance> now_;
  std::map<std::string, Balance> added_;
};

class Ledger {
 public:
  // DataLoss when its end cannot be read.
  static absl::StatusOr<std::unique_ptr<Ledger>> open(const store::Database& database);

  // Stages what was tallied; nothing when that is nothing.
  void post(events::Batch& batch, std::string_view kind, std::string_view reference,
            const Tally& tally);

  struct Reconciled {
    std::uint64_t movements = 0;
    std::uint64_t accounts = 0;
  };
  // Adds up all movements and compares with the balances. DataLoss names what differs.
  static absl::StatusOr<Reconciled> reconcile(const store::Database& database);

 private:
  explicit Ledger(std::uint64_t last) : last_(last) {}
  std::uint64_t last_;  // durable
};

}  // namespace vitrine::coupons
