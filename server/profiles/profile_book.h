// What each person did lately and bought ever, from the log, ready for the next answer.
//
// A before_ack projection. Ordered by event time (ties by event id), so that late events end in the
// same state. The checkpoint holds everybody; memory holds what changed since, and of the rest as
// much as its budget allows: asking for somebody else costs a read of some 30 us. Thread-safe for
// reading, under a lock held for a copy; apply() on the committer thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "server/catalog/product_numbers.h"
#include "server/events/projection.h"
#include "server/profiles/profile.h"
#include "server/store/database.h"

namespace vitrine::profiles {

class ProfileBook final : public events::Projection {
 public:
  struct Options {
    std::size_t cache_bytes = std::size_t{256} << 20;  // what is not durable yet may exceed it
  };

  // Everybody stays in memory and there is no checkpoint. `numbers` outlives it.
  explicit ProfileBook(catalog::ProductNumbers& numbers);
  // The others outlive it. A product_numbers projection must be checkpointed beside it.
  ProfileBook(catalog::ProductNumbers& numbers, const store::Database& database, Metrics& metrics,
              const Options& options);
  ~ProfileBook() override;

  // Null for somebody nothing is known about.
  std::shared_ptr<const Profile> find(UserNumber user) const;
  // Everybody, until `visit` returns false, while the log is followed: who changes meanwhile is
  // seen as before or after.
  absl::Status walk(const std::function<bool(UserNumber, const Profile&)>& visit) const;
  std::size_t size() const;
  std::size_t cached_bytes() const;  // memory of profiles, at most the budget and what is pinned

  std::string_view name() const override { return "profiles"; }
  void apply(const LogEntry& entry) override;
  Position position() const override;
  std::string checkpoint() const override;
  absl::Status restore(std::string_view checkpoint, Position at) override;
  events::CheckpointPart begin_checkpoint() override;
  void end_checkpoint(bool is_durable) override;
  std::size_t pinned_bytes() const override;
  std::uint64_t fingerprint() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::profiles
