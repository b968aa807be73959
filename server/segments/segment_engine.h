// Keeps who is in each segment: builds memberships from the profiles, follows events, and lets
// people leave when their time has come.
//
// Works behind the log, on one thread of its own; a decision about a person asks segments_of() or
// holds(), which look at the person as they are now. An edited segment is built beside its former
// version and takes its place at once. Nothing is stored: a start builds all anew, in the
// background. Thread-safe; step() on one thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/catalog/catalog.h"
#include "server/identity/identity_book.h"
#include "server/profiles/profile_book.h"
#include "server/segments/changed_people.h"
#include "server/segments/cohorts.h"
#include "server/segments/membership.h"
#include "server/segments/membership_listener.h"
#include "server/segments/preview.h"
#include "server/segments/rfm_months.h"
#include "server/segments/rfm_view.h"
#include "server/segments/segment_store.h"

namespace vitrine::segments {

class SegmentEngine final : public SurroundingsSource {
 public:
  // Up to so many people are asked one by one instead.
  static constexpr std::size_t k_exact_up_to = 20'000;

  // All outlive it.
  struct Parts {
    const SegmentStore& store;
    ChangedPeople& changed;
    const profiles::ProfileBook& profiles;
    const identity::IdentityBook& identities;
    const catalog::Catalog& catalog;
    const Clock& clock;
    Metrics& metrics;
    Log& log;
    std::shared_ptr<const LevelRules> levels = nullptr;  // null: nobody has one
  };
  explicit SegmentEngine(const Parts& parts);
  ~SegmentEngine() override;  // stop()

  // Before start(); outlives the thread.
  void tell(MembershipListener& listener);
  void start();  // the thread; without it somebody calls step()
  void stop();
  void wake();  // segments changed
  // Does what is due: builds, events, times. Whether there was any of it.
  bool step();

  struct Status {
    bool is_built = false;  // this version; else the size is the former's, or 0
    std::size_t size = 0;
    TimeMs size_at_ms = 0;  // as of then
    std::size_t bytes = 0;  // of memory
    double progress = 0;    // of what is being built: the share of people looked at
  };
  std::optional<Status> status(std::string_view key) const;
  // Nothing when there is no such segment.
  std::optional<std::size_t> size_of_both(std::string_view a, std::string_view b) const;
  std::optional<std::vector<UserNumber>> members(std::string_view key, UserNumber after,
                                                 std::size_t count_max) const;
  // Whether each of them is in, as members() says.
  std::vector<bool> are_members(std::string_view key, std::span<const UserNumber> people) const;

  // As of now, the last event included.
  bool holds(std::string_view key, UserNumber user) const;
  std::vector<std::string> segments_of(UserNumber user) const;
  // What a person's traits are read against.
  Surroundings surroundings() const override;

  // FailedPrecondition: an expression that asks for a segment there is not.
  absl::StatusOr<Preview> preview(const expressions::Program& program, bool with_visitors) const;
  // Asks everybody: seconds in a large shop. ResourceExhausted while somebody else does.
  absl::StatusOr<Preview> preview_exactly(const expressions::Program& program,
                                          bool with_visitors) const;
  // Likewise.
  absl::StatusOr<RfmView> rfm_view(TimeMs as_of_ms, TimeMs compared_to_ms) const;
  absl::StatusOr<std::vector<RfmMonth>> rfm_months(TimeMs as_of_ms, std::size_t count) const;
  absl::StatusOr<CohortView> cohorts(TimeMs as_of_ms, std::size_t count) const;
  absl::StatusOr<Membership> members_now(const expressions::Program& program,
                                         bool with_visitors) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::segments
