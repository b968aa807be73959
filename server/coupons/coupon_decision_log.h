// Which coupon everybody was to get, decision by decision: what the report of a campaign, and the
// next policy, are made of.
//
// A decision that only shows something is written without being waited for, as answers are
// (server/decisions/decision_log.h): dropped and counted rather than slowing anybody down. One that
// grants something is staged in the batch that grants it. The oldest go as new ones come.
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "server/coupons/coupon_decision.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::coupons {

class CouponDecisionLog final : public events::PersonalData {
 public:
  struct Options {
    std::size_t waiting_max = 8192;  // decisions in memory; one more is dropped
    std::int64_t days_kept = 400;
    std::uint64_t decisions_max = 20'000'000;  // on disk; beyond, the oldest go before their time
  };

  // `database` and `metrics` outlive it. DataLoss when its state cannot be read.
  static absl::StatusOr<std::unique_ptr<CouponDecisionLog>> open(const store::Database& database,
                                                                 Metrics& metrics,
                                                                 const Options& options);
  ~CouponDecisionLog() override;

  // Never waits. Both outlive the committer.
  void record(events::Committer& committer, CouponDecision decision);
  // Durable with the batch. On the committer thread.
  void stage(events::Batch& batch, const CouponDecision& decision);

  struct Range {
    std::string_view campaign = {};  // empty: all
    TimeMs from_ms = 0;
    TimeMs until_ms = std::numeric_limits<TimeMs>::max();  // not included
  };
  // In the order of their time, about. Walks all of that time.
  absl::Status for_each(const Range& range,
                        const std::function<void(const CouponDecision&)>& visit) const;

  std::uint64_t size() const;  // decisions on disk

  std::string_view name() const override { return "coupon_decisions"; }
  std::vector<store::Family> families() const override { return {store::Family::coupon_decisions}; }
  // [{"decision_id", ...}]. Walks all there are.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  // Decisions stay, for what came of them, and name nobody.
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  struct State;
  explicit CouponDecisionLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::coupons
