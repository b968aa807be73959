#include "server/decisions/results_book.h"

#include <algorithm>

#include "base/random.h"
#include "base/status.h"

namespace vitrine::decisions {
namespace {

// A decision may be written a little after a later one; an hour is more than any queue lasts.
constexpr TimeMs k_disorder_ms = k_hour_ms;

// FNV-1a, the texts kept apart by their lengths; the same on every machine.
std::uint64_t hash_of(std::string_view what, std::string_view first, std::string_view second) {
  std::uint64_t state = 0xCBF29CE484222325U;
  for (const std::string_view text : {what, first, second}) {
    for (const char c : text) {
      state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
    state = mix64(state ^ text.size());
  }
  return state;
}

std::uint64_t product_key(std::string_view product_id) {
  return hash_of("product", product_id, "");
}

Money line_total(const Event& event) {
  constexpr std::int64_t k_minor_max = 1'000'000'000'000'000;
  std::int64_t total = 0;
  if (__builtin_mul_overflow(event.price->minor, event.quantity, &total)) return Money{0};
  return Money{std::clamp(total, -k_minor_max, k_minor_max)};
}

}  // namespace

void Counts::add(const Counts& more) {
  served += more.served;
  impressions += more.impressions;
  clicks += more.clicks;
  cart_adds += more.cart_adds;
  purchases += more.purchases;
  orders += more.orders;
  for (const auto& [currency, amount] : more.revenue) revenue[currency].minor += amount.minor;
}

ResultsBook::ResultsBook(const DecisionLog& decisions) : decisions_(decisions) {}

void ResultsBook::served(const Decision& decision) {
  const std::lock_guard lock(mutex_);
  if (decision.sequence <= last_sequence_) return;
  last_sequence_ = decision.sequence;
  last_served_ms_ = std::max(last_served_ms_, decision.time_ms);
  for (std::size_t place = 0; place < decision.shown.size(); ++place) {
    ++counts_at(decision.time_ms, slot_of(decision, place)).served;
  }
}

absl::Status ResultsBook::catch_up() {
  // In the order of their sequence, which is about that of their time.
  std::vector<Decision> missed;
  VITRINE_RETURN_IF_ERROR(
      decisions_.for_each(last_served_ms_ - k_disorder_ms, [&](const Decision& decision) {
        if (decision.sequence <= last_sequence_) return;
        missed.push_back(decision);
        constexpr std::size_t k_sorted_at_once = 65'536;
        if (missed.size() < 2 * k_sorted_at_once) return;
        std::ranges::sort(missed, {}, &Decision::sequence);
        for (std::size_t i = 0; i < k_sorted_at_once; ++i) served(missed[i]);
        missed.erase(missed.begin(), missed.begin() + k_sorted_at_once);
      }));
  std::ranges::sort(missed, {}, &Decision::sequence);
  for (const Decision& decision : missed) served(decision);
  return absl::OkStatus();
}

std::uint32_t ResultsBook::slot_of(const Decision& decision, std::size_t place) {
  Slot slot{.placement = decision.placement,
            .placement_version = decision.placement_version,
            .source = decision.shown[place].source,
            .position = static_cast<std::uint32_t>(place + 1),
            .model_version = decision.model_version};
  const auto [found, is_new] =
      slot_numbers_.try_emplace(slot, static_cast<std::uint32_t>(slots_.size()));
  if (is_new) slots_.push_back(std::move(slot));
  return found->second;
}

Counts& ResultsBook::counts_at(TimeMs time_ms, std::uint32_t slot) {
  const CellKey key(time_ms / k_day_ms, slot);
  const auto found = cells_.find(key);
  if (found != cells_.end()) return found->second;
  if (cells_.size() >= k_cells_max) forget_oldest_day();
  return cells_[key];
}

void ResultsBook::forget_oldest_day() {
  const std::int64_t oldest = cells_.begin()->first.first;
  cells_.erase(cells_.begin(), cells_.lower_bound(CellKey(oldest + 1, 0)));
}

bool ResultsBook::remember(std::string_view what, std::string_view first, std::string_view second) {
  const std::uint64_t key = hash_of(what, first, second);
  if (remembered_before_.contains(key) || !remembered_.insert(key).second) return false;
  if (remembered_.size() >= k_remembered_max) {
    remembered_before_ = std::move(remembered_);
    remembered_.clear();
  }
  return true;
}

// Reads the store, without the lock.
std::optional<ResultsBook::Origin> ResultsBook::origin_of(const Event& event) {
  if (event.recommendation_id.empty()) return std::nullopt;
  if (!looked_up_ || looked_up_->recommendation_id != event.recommendation_id) {
    auto found = decisions_.find(event.recommendation_id);
    // What cannot be read is as if it were no longer kept: an event never waits for a count.
    if (!found.ok() || !*found) return std::nullopt;
    looked_up_ = std::move(*found);
  }
  const std::optional<std::size_t> place = looked_up_->place_of(event.product_id);
  if (!place) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return Origin{.slot = slot_of(*looked_up_, *place), .served_ms = looked_up_->time_ms};
}

void ResultsBook::apply(const LogEntry& entry) {
  if (entry.position <= position()) return;
  if (const Event* const event = entry.event()) {
    apply_event(entry, *event);
  } else if (const VisitorLink* const link = entry.link()) {
    const std::lock_guard lock(mutex_);
    if (link->from_user == link->visitor) touches_.move(link->visitor, link->to_user);
  } else if (const Erasure* const erasure = entry.erasure()) {
    const std::lock_guard lock(mutex_);
    for (const UserNumber person : erasure->people) touches_.erase(person);
  }
  const std::lock_guard lock(mutex_);
  position_ = entry.position;
}

void ResultsBook::apply_event(const LogEntry& entry, const Event& event) {
  const bool is_purchase = event.type == EventType::purchase;
  if (event.product_id.empty() || (event.recommendation_id.empty() && !is_purchase)) return;
  // Programs are not counted, and an order that is told again was.
  if (event.is_bot || event.telling != OrderTelling::first) return;
  const std::optional<Origin> origin = origin_of(event);
  const std::lock_guard lock(mutex_);
  if (is_purchase) return count_purchase(entry, event, origin);
  if (!origin) return;
  const auto is_first = [&](std::string_view what) {
    return remember(what, event.recommendation_id, event.product_id);
  };
  switch (event.type) {
    case EventType::impression:
      if (is_first("impression")) ++counts_at(event.time_ms, origin->slot).impressions;
      return;
    case EventType::click:
    case EventType::view:  // of the product's own page, reached from where it was shown
      if (is_first("click")) ++counts_at(event.time_ms, origin->slot).clicks;
      touches_.add({.user = entry.user,
                    .product = product_key(event.product_id),
                    .time_ms = event.time_ms,
                    .slot = origin->slot});
      return;
    case EventType::cart_add:
      if (is_first("cart_add")) ++counts_at(event.time_ms, origin->slot).cart_adds;
      return;
    default:
      return;
  }
}

// An order line counts once: for the answer it names, else for the last click.
void ResultsBook::count_purchase(const LogEntry& entry, const Event& event,
                                 const std::optional<Origin>& origin) {
  std::optional<std::uint32_t> slot;
  if (origin && event.time_ms - origin->served_ms <= Touches::k_window_ms) slot = origin->slot;
  if (!slot) slot = touches_.last(entry.user, product_key(event.product_id), event.time_ms);
  if (!slot) return;
  Counts& counts = counts_at(event.time_ms, *slot);
  ++counts.purchases;
  if (event.price && !event.currency.empty()) {
    counts.revenue[event.currency].minor += line_total(event).minor;
  }
  const std::string& order = event.order_id.empty() ? event.event_id : event.order_id;
  if (remember("order", slots_[*slot].placement, order)) ++counts.orders;
}

Position ResultsBook::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

Results ResultsBook::read(const ResultsQuery& query) const {
  Results results;
  std::map<Cell, Counts> rows;
  const std::lock_guard lock(mutex_);
  auto cell = cells_.lower_bound(CellKey(query.from_day, 0));
  for (; cell != cells_.end() && cell->first.first <= query.until_day; ++cell) {
    const Slot& slot = slots_[cell->first.second];
    if (slot.placement != query.placement) continue;
    Cell row;
    if (query.by.day) row.day = cell->first.first;
    if (query.by.source) row.source = slot.source;
    if (query.by.position) row.position = slot.position;
    if (query.by.model_version) row.model_version = slot.model_version;
    if (query.by.placement_version) row.placement_version = slot.placement_version;
    rows[row].add(cell->second);
    results.totals.add(cell->second);
  }
  for (auto& [row, counts] : rows) results.rows.push_back({row, std::move(counts)});
  return results;
}

}  // namespace vitrine::decisions
