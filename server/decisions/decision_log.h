// The decisions of the last weeks: written without being waited for, found by their id.
//
// record() puts a decision among those waiting and returns; one command at a time carries all that
// wait through the committer, so an event that follows its answer always finds the decision. It is
// a command that nobody awaits: a killed process loses no decision, a loss of power perhaps those
// since the last event.
// Decisions are dropped, and counted, when too many wait or the committer's queue is half full:
// they never slow an answer or push an event aside. The oldest go as new ones come. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "server/decisions/decision.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::decisions {

class DecisionLog final : public events::PersonalData {
 public:
  struct Options {
    std::size_t waiting_max = 8192;  // decisions in memory; one more is dropped
    std::int64_t days_kept = 35;
    std::uint64_t decisions_max = 5'000'000;  // on disk; beyond, the oldest go before their time
  };

  // `database` and `metrics` outlive it. DataLoss when its state cannot be read.
  static absl::StatusOr<std::unique_ptr<DecisionLog>> open(const store::Database& database,
                                                           Metrics& metrics,
                                                           const Options& options);
  ~DecisionLog() override;

  // Never waits. Both outlive the committer.
  void record(events::Committer& committer, Decision decision);

  // Told of every decision on the committer thread once it is durable, in the order of their
  // sequence. To be set before the first record().
  using Listener = std::function<void(const Decision&)>;
  void on_written(Listener listener);

  // Nothing for an id that is unknown, or no longer kept.
  absl::StatusOr<std::optional<Decision>> find(std::string_view recommendation_id) const;
  // Those made at `from_ms` or later, about in the order of their time.
  absl::Status for_each(TimeMs from_ms, const std::function<void(const Decision&)>& visit) const;

  std::uint64_t size() const;  // decisions on disk

  std::string_view name() const override { return "decisions"; }
  std::vector<store::Family> families() const override { return {store::Family::decisions}; }
  // [{"recommendation_id", ...}]. Walks all there are.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  // Decisions stay, for what came of them, and name nobody.
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  struct State;
  explicit DecisionLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::decisions
