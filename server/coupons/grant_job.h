// A job that gives an offer to many people: whom, how far it is, and what became of everybody.
//
// Stored as JSON. Thread-safe (a value).
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/ids.h"
#include "server/coupons/assignment.h"
#include "server/coupons/denial.h"

namespace vitrine::coupons {

// Paused by the shop; stopped by itself, because nobody could be given anything any more.
enum class JobState : std::uint8_t { running, paused, stopped, done, cancelled };
constexpr JobState k_job_states[] = {JobState::running, JobState::paused, JobState::stopped,
                                     JobState::done, JobState::cancelled};
std::string_view name_of(JobState state);

struct GrantJob {
  std::uint64_t number = 0;
  std::string offer = {};
  std::string round = {};
  std::string segment = {};     // empty: people were listed
  std::string allocation = {};  // that chose them; empty: the shop did
  std::string policy = {};      // of an allocation
  JobState state = JobState::running;
  std::optional<Reason> stopped_by = {};
  std::uint64_t people = 0;  // in all
  std::uint64_t looked_at = 0;
  std::uint64_t granted = 0;
  std::uint64_t had_it = 0;                             // already, of the same round
  std::uint64_t gone = 0;                               // erased since, or somebody else's by now
  std::array<std::uint64_t, k_withheld> withheld = {};  // as Desk::issue keeps coupons from people
  std::array<std::uint64_t, k_reasons> denied = {};
  UserNumber after = k_nobody;  // the last one looked at
  TimeMs created_ms = 0;
  TimeMs changed_ms = 0;

  bool is_over() const { return state == JobState::done || state == JobState::cancelled; }
};
std::string encode(const GrantJob& job);
absl::StatusOr<GrantJob> decode_grant_job(std::string_view bytes);  // DataLoss

}  // namespace vitrine::coupons
