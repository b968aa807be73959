// The results as one string, and back.
#include <algorithm>

#include "base/status.h"
#include "model/proto/decision.pb.h"
#include "server/decisions/results_book.h"

namespace vitrine::decisions {
namespace {

using Proto = proto::ResultsCheckpoint;

constexpr std::uint32_t k_form = 1;

void write(const Slot& slot, Proto::Slot& out) {
  out.set_placement(slot.placement);
  out.set_placement_version(slot.placement_version);
  out.set_source(slot.source);
  out.set_position(slot.position);
  out.set_model_version(slot.model_version);
}

void write(const Counts& counts, Proto::Cell& out) {
  out.set_served(counts.served);
  out.set_impressions(counts.impressions);
  out.set_clicks(counts.clicks);
  out.set_cart_adds(counts.cart_adds);
  out.set_purchases(counts.purchases);
  out.set_orders(counts.orders);
  for (const auto& [currency, amount] : counts.revenue) {
    Proto::Revenue& revenue = *out.add_revenue();
    revenue.set_currency(currency);
    revenue.set_minor(amount.minor);
  }
}

Counts counts_in(const Proto::Cell& in) {
  Counts counts{.served = in.served(),
                .impressions = in.impressions(),
                .clicks = in.clicks(),
                .cart_adds = in.cart_adds(),
                .purchases = in.purchases(),
                .orders = in.orders(),
                .revenue = {}};
  for (const Proto::Revenue& revenue : in.revenue()) {
    counts.revenue[revenue.currency()].minor = revenue.minor();
  }
  return counts;
}

template <class Out>
void write_sorted(const absl::flat_hash_set<std::uint64_t>& keys, Out& out) {
  out.Add(keys.begin(), keys.end());
  std::sort(out.begin(), out.end());
}

}  // namespace

std::string ResultsBook::checkpoint() const {
  const std::lock_guard lock(mutex_);
  Proto out;
  out.set_form(k_form);
  out.set_last_sequence(last_sequence_);
  out.set_last_served_ms(last_served_ms_);
  // Slots in the order of their names, so that the order in which they came leaves no trace.
  std::vector<std::uint32_t> place_of(slots_.size());
  for (const auto& [slot, number] : slot_numbers_) {
    place_of[number] = static_cast<std::uint32_t>(out.slots_size());
    write(slot, *out.add_slots());
  }
  std::map<CellKey, const Counts*> cells;
  for (const auto& [key, counts] : cells_) cells[{key.first, place_of[key.second]}] = &counts;
  for (const auto& [key, counts] : cells) {
    Proto::Cell& cell = *out.add_cells();
    cell.set_day(key.first);
    cell.set_slot(key.second);
    write(*counts, cell);
  }
  for (const Touch& known : touches_.all()) {
    Proto::Touch& touch = *out.add_touches();
    touch.set_user(known.user.value());
    touch.set_product(known.product);
    touch.set_time_ms(known.time_ms);
    touch.set_slot(place_of[known.slot]);
  }
  write_sorted(remembered_, *out.mutable_remembered());
  write_sorted(remembered_before_, *out.mutable_remembered_before());
  return out.SerializeAsString();
}

absl::Status ResultsBook::restore(std::string_view checkpoint, Position at) {
  Proto in;
  if (!in.ParseFromArray(checkpoint.data(), static_cast<int>(checkpoint.size()))) {
    return data_loss("the checkpoint of the results cannot be read");
  }
  if (in.form() != k_form) {
    return absl::UnimplementedError("the results' checkpoint has another form");
  }
  const auto is_slot = [&](std::uint32_t slot) {
    return slot < static_cast<std::uint32_t>(in.slots_size());
  };
  const bool is_whole =
      std::ranges::all_of(in.cells(), is_slot, [](const auto& cell) { return cell.slot(); }) &&
      std::ranges::all_of(in.touches(), is_slot, [](const auto& touch) { return touch.slot(); });
  if (!is_whole) return data_loss("the checkpoint of the results names slots it does not have");

  const std::lock_guard lock(mutex_);
  for (const Proto::Slot& slot : in.slots()) {
    slots_.push_back({.placement = slot.placement(),
                      .placement_version = slot.placement_version(),
                      .source = slot.source(),
                      .position = slot.position(),
                      .model_version = slot.model_version()});
    slot_numbers_.emplace(slots_.back(), static_cast<std::uint32_t>(slots_.size() - 1));
  }
  for (const Proto::Cell& cell : in.cells()) {
    cells_[{cell.day(), cell.slot()}] = counts_in(cell);
  }
  for (const Proto::Touch& touch : in.touches()) {
    touches_.add({.user = UserNumber(touch.user()),
                  .product = touch.product(),
                  .time_ms = touch.time_ms(),
                  .slot = touch.slot()});
  }
  remembered_.insert(in.remembered().begin(), in.remembered().end());
  remembered_before_.insert(in.remembered_before().begin(), in.remembered_before().end());
  last_sequence_ = in.last_sequence();
  last_served_ms_ = in.last_served_ms();
  position_ = at;
  return absl::OkStatus();
}

}  // namespace vitrine::decisions
