// What came of what was shown: impressions, clicks, cart adds, purchases and revenue by placement,
// source, position, model and day.
//
// A before_ack projection of the events that carry a recommendation_id, and of purchases by people
// who clicked a shown product in the 7 days before (last touch). It finds in the decision log what
// was shown; what the log no longer keeps is not counted. The served are counted as decisions are
// written: served is not seen. The same impression or click of one answer counts once. Thread-safe
// for reading; apply() and served() on the committer thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/money.h"
#include "server/decisions/decision_log.h"
#include "server/decisions/touches.h"
#include "server/events/projection.h"

namespace vitrine::decisions {

struct Counts {
  std::uint64_t served = 0;       // products in answers
  std::uint64_t impressions = 0;  // products really seen
  std::uint64_t clicks = 0;
  std::uint64_t cart_adds = 0;
  std::uint64_t purchases = 0;           // order lines
  std::uint64_t orders = 0;              // each once in a placement, where its first line counts
  std::map<std::string, Money> revenue;  // by currency; before refunds

  void add(const Counts& more);
};

// Where a product was shown.
struct Slot {
  std::string placement;
  std::uint64_t placement_version = 0;
  std::string source;
  std::uint32_t position = 0;  // from 1
  std::string model_version;

  friend auto operator<=>(const Slot&, const Slot&) = default;
};

struct Cell : Slot {
  std::int64_t day = 0;  // since 1970, in UTC: when it happened

  friend auto operator<=>(const Cell&, const Cell&) = default;
};

struct Grouping {
  bool day = false;
  bool source = false;
  bool position = false;
  bool model_version = false;
  bool placement_version = false;
};

struct ResultsQuery {
  std::string placement;
  std::int64_t from_day = 0;
  std::int64_t until_day = 0;  // included
  Grouping by;
};

struct ResultsRow {
  Cell cell;  // what is not grouped by is empty
  Counts counts;
};

struct Results {
  Counts totals;
  std::vector<ResultsRow> rows;  // in the order of their cells
};

class ResultsBook final : public events::Projection {
 public:
  static constexpr std::size_t k_cells_max = 100'000;  // beyond, the oldest days are forgotten
  // Counted impressions and clicks that are remembered, so that the same one counts once.
  static constexpr std::size_t k_remembered_max = 100'000;

  explicit ResultsBook(const DecisionLog& decisions);  // which outlives it

  // Counts a decision unless it is counted already.
  void served(const Decision& decision);
  // After a replay: counts the decisions that a checkpoint does not know.
  absl::Status catch_up();

  Results read(const ResultsQuery& query) const;

  std::string_view name() const override { return "results"; }
  void apply(const LogEntry& entry) override;
  Position position() const override;
  std::string checkpoint() const override;
  absl::Status restore(std::string_view checkpoint, Position at) override;
  // A constant: what the log alone can recount leaves out the decisions that are no longer kept.
  std::uint64_t fingerprint() const override { return 0; }

 private:
  using CellKey = std::pair<std::int64_t, std::uint32_t>;  // day, slot
  // What an event is about: where its product was shown.
  struct Origin {
    std::uint32_t slot;
    TimeMs served_ms;
  };

  void apply_event(const LogEntry& entry, const Event& event);
  void count_purchase(const LogEntry& entry, const Event& event,
                      const std::optional<Origin>& origin);
  std::optional<Origin> origin_of(const Event& event);
  std::uint32_t slot_of(const Decision& decision, std::size_t place);
  Counts& counts_at(TimeMs time_ms, std::uint32_t slot);
  void forget_oldest_day();
  // False when it was remembered already.
  bool remember(std::string_view what, std::string_view first, std::string_view second);

  const DecisionLog& decisions_;
  std::optional<Decision>
      looked_up_;  // the committer thread's own: events of one answer come close

  mutable std::mutex mutex_;  // of everything below
  Position position_ = 0;
  std::uint64_t last_sequence_ = 0;  // of the decisions counted as served
  TimeMs last_served_ms_ = 0;
  std::vector<Slot> slots_;
  std::map<Slot, std::uint32_t> slot_numbers_;
  std::map<CellKey, Counts> cells_;
  Touches touches_;
  // Two generations: when the younger is full it becomes the elder.
  absl::flat_hash_set<std::uint64_t> remembered_;
  absl::flat_hash_set<std::uint64_t> remembered_before_;
};

}  // namespace vitrine::decisions
