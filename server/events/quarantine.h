// Refused events, kept with their reason so that nothing is lost silently. Bounded by count, bytes
// and age, the oldest go first; one reason takes at most its share, so that a flood of one kind
// leaves the others.
//
// Thread-safe for reading; staging on the committer thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::events {

struct QuarantinedEvent {
  std::uint64_t number = 0;  // arrival order
  TimeMs received_ms = 0;
  std::string source;
  std::string code;
  std::string message;
  std::string raw;             // the bytes as they came, at most k_raw_bytes_max
  bool is_unverified = false;  // came under a public key
};

// Which of them; what is empty or 0 does not narrow.
struct QuarantineFilter {
  std::string code = {};
  std::string source = {};
  TimeMs from_ms = 0;   // received then or later
  TimeMs until_ms = 0;  // received before
};

class Quarantine final : public PersonalData {
 public:
  static constexpr std::size_t k_raw_bytes_max = 32 * 1024;
  struct Options {
    std::uint64_t events_max = 100'000;
    std::uint64_t bytes_max = std::uint64_t{256} << 20;  // of what is kept of them
    TimeMs age_ms_max = 30 * k_day_ms;
    unsigned code_share_percent = 50;  // of events_max, for those refused for one reason
  };
  // One call of list() looks at no more than so many.
  static constexpr std::size_t k_looked_at_max = 20'000;

  // Errors: what reading the store gave. `database` outlives it.
  static absl::StatusOr<std::unique_ptr<Quarantine>> open(const store::Database& database,
                                                          const Options& options);

  void stage(Batch& batch, QuarantinedEvent event);
  // Takes it out, if it is still there.
  void remove(Batch& batch, std::uint64_t number);

  struct Page {
    std::vector<QuarantinedEvent> events;
    std::uint64_t next_before = 0;  // where the next page begins; 0 when there is none
  };
  // Newest first, those with a number below `before` (0: from the newest). A page may be short, and
  // even empty, though others follow.
  absl::StatusOr<Page> list(const QuarantineFilter& filter, std::uint64_t before,
                            std::size_t limit) const;
  absl::StatusOr<std::optional<QuarantinedEvent>> find(std::uint64_t number) const;
  std::uint64_t size() const;

  std::string_view name() const override { return "quarantine"; }
  std::vector<store::Family> families() const override { return {store::Family::quarantine}; }
  // [{"received_at", "code", "raw", ...}] of those that name one of the person's ids.
  absl::StatusOr<std::string> export_person(const DataSubject& subject) const override;
  absl::StatusOr<Erased> erase_person(const DataSubject& subject, Committer& committer) override;

 private:
  struct State;
  class Changes;
  Changes& changes_in(Batch& batch);
  std::vector<std::uint64_t> numbers_below(std::uint64_t before, const std::string& code) const;
  // Of those that name one of the person's ids.
  absl::Status for_each_of(const DataSubject& subject,
                           const std::function<void(const QuarantinedEvent&)>& visit) const;
  explicit Quarantine(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace vitrine::events
