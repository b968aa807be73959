// Forgets people, completely: walks every owner of personal data, then has the store written anew,
// so that no file holds what was erased.
//
// What is to be done is durable before anything is, and names the person until every owner is done:
// what a crash or an error interrupts is finished by the next start, or the next call. What remains
// is a receipt and the keyed hashes of the ids, by which late events are refused. The ledger beside
// the store has the hashes too, for folders that are restored from a backup made before.
// One pass is for many people as for one: what takes long is reading and writing the store.
// Thread-safe; one erasure at a time.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/events/checkpointer.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/identity/identity_book.h"
#include "server/privacy/erasure_record.h"
#include "server/store/database.h"

namespace vitrine::privacy {

class Erasures {
 public:
  // All outlive it.
  struct Parts {
    store::Database& database;
    events::Committer& committer;
    events::Checkpointer& checkpointer;
    identity::IdentityBook& identities;
    std::vector<events::PersonalData*> owners;  // identity first
    std::filesystem::path ledger;               // one JSON object a line
    const Clock& clock;
    Metrics& metrics;
    Log& log;
  };

  // Begins at once to finish, on a thread of its own, what is not finished, and what the ledger
  // knows and this store does not.
  explicit Erasures(Parts parts);
  ~Erasures();  // stop()

  // By the ids that the shop knows them by. A visitor here is one that belongs to no user.
  struct Wanted {
    std::vector<std::string> user_ids;
    std::vector<std::string> visitor_ids;
  };
  static constexpr std::size_t k_people_max = 100;  // of one call

  // Returns when nothing of any of them is left in any file. The receipt of an earlier erasure when
  // there is nobody who was not erased before.
  // Errors   NotFound: nobody is known by one of the ids; FailedPrecondition: a visitor belongs to
  //          a user; Aborted: another erasure is under way; Unavailable: the disk is full, or the
  //          server stops: it goes on later. After the first three nobody was erased
  absl::StatusOr<ErasureRecord> erase(const Wanted& wanted);
  // All there were, oldest first.
  absl::StatusOr<std::vector<ErasureRecord>> list() const;
  // A JSON object of everything that is kept about a person, by owner. NotFound.
  absl::StatusOr<std::string> export_user(std::string_view user_id) const;
  // FailedPrecondition for one that belongs to a user.
  absl::StatusOr<std::string> export_visitor(std::string_view visitor_id) const;

  // What is under way ends after the step that is being made.
  void begin_stopping() { is_stopping_ = true; }
  // Waits for it. Before the committer stops.
  void stop();

 private:
  absl::StatusOr<ErasureRecord> erase_subject(ErasureRecord record);
  absl::Status carry_out(ErasureRecord& record);
  absl::Status checkpoint() const;
  absl::Status save(const ErasureRecord& record) const;
  // Those it does not know yet.
  absl::Status add_to_ledger(std::span<const ErasureRecord> records) const;
  // The latest of the one id in `named`.
  absl::StatusOr<std::optional<ErasureRecord>> find(const events::DataSubject& named) const;
  // What one wanted id stands for joins `all`; else the receipt of its erasure, when there was one.
  struct Looked {
    events::DataSubject all;
    std::optional<ErasureRecord> earlier;
  };
  absl::Status look_up(const events::DataSubject& named, Looked& looked);
  absl::StatusOr<std::optional<events::DataSubject>> subject_of(
      const events::DataSubject& named) const;
  absl::StatusOr<std::string> archive_of(std::string_view name, std::string_view id,
                                         const events::DataSubject& subject) const;
  absl::Status finish_earlier();
  absl::Status follow_ledger();

  const Parts parts_;
  std::timed_mutex one_at_a_time_;
  std::atomic<bool> is_stopping_ = false;
  Counter& completed_;
  Gauge& pending_;
  std::thread thread_;
};

}  // namespace vitrine::privacy
