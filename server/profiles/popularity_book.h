// What is wanted now, by everybody: decayed counts by product, from the log.
//
// A before_ack projection. A person counts once for a product and day, with the strongest thing
// they did (default_weight of model/event.h); an order without a customer is a person of its own.
// `popular` has a half-life of 30 days, `trending` of 3 days, in event time, so that an imported
// year has a popularity too. Thread-safe for reading; apply() on the committer thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "server/catalog/product_numbers.h"
#include "server/events/projection.h"
#include "server/profiles/decayed_counts.h"
#include "server/store/database.h"

namespace vitrine::profiles {

class PopularityBook final : public events::Projection {
 public:
  static constexpr std::size_t k_top_max = 2000;  // the length a list can be asked for
  // Who did what is remembered for this many days, so that it counts once; an event of a day older
  // than that counts anew.
  static constexpr std::size_t k_days_kept = 8;
  // Of people, products and days together; the oldest day is forgotten when there are more.
  static constexpr std::size_t k_deeds_max = 4'000'000;

  explicit PopularityBook(catalog::ProductNumbers& numbers);  // which outlives it; no checkpoint
  // A product_numbers projection must be checkpointed beside it. Both outlive it.
  PopularityBook(catalog::ProductNumbers& numbers, const store::Database& database);
  ~PopularityBook() override;

  // Best first, ties by product id. At most k_top_max.
  std::shared_ptr<const std::vector<PopularProduct>> popular() const;
  std::shared_ptr<const std::vector<PopularProduct>> trending() const;

  std::string_view name() const override { return "popularity"; }
  void apply(const LogEntry& entry) override;
  Position position() const override;
  std::string checkpoint() const override;
  absl::Status restore(std::string_view checkpoint, Position at) override;
  events::CheckpointPart begin_checkpoint() override;
  void end_checkpoint(bool is_durable) override;
  std::uint64_t fingerprint() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::profiles
