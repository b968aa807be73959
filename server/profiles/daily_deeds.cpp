#include "server/profiles/daily_deeds.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "base/random.h"
#include "model/event.h"
#include "server/store/key.h"

namespace vitrine::profiles {
namespace {

constexpr std::uint64_t k_strength_bits = 3;
constexpr std::uint64_t k_strength_mask = (1U << k_strength_bits) - 1;

// All weights there are, ascending; a deed's strength is the place in this list.
const std::vector<double>& weights() {
  static const std::vector<double> all = [] {
    std::vector<double> made{0};
    for (const EventType type : all_event_types()) made.push_back(default_weight(type));
    std::ranges::sort(made);
    made.erase(std::ranges::unique(made).begin(), made.end());
    CHECK(made.size() <= k_strength_mask + 1, "a weight's place fits the bits for it");
    return made;
  }();
  return all;
}

std::uint64_t strength_of(double weight) {
  const auto place = std::ranges::lower_bound(weights(), weight);
  CHECK(place != weights().end() && *place == weight, "the weight of a kind of event");
  return static_cast<std::uint64_t>(place - weights().begin());
}

// Days before 1970 sort first too.
std::string key_of(std::int64_t day, std::uint64_t sequence) {
  constexpr std::uint64_t k_sign = std::uint64_t{1} << 63;
  return store::key_of(static_cast<std::uint64_t>(day) ^ k_sign) + store::key_of(sequence);
}

std::int64_t day_of(TimeMs time_ms) {
  return time_ms >= 0 ? time_ms / k_day_ms : (time_ms + 1) / k_day_ms - 1;
}

}  // namespace

void DailyDeeds::keep(Day& day, std::uint64_t deed) {
  const auto [place, is_new] = day.deeds.insert(deed);
  if (is_new) {
    ++size_;
  } else if ((*place & k_strength_mask) < (deed & k_strength_mask)) {
    day.deeds.erase(place);
    day.deeds.insert(deed);
  }
}

double DailyDeeds::gain(std::uint64_t key, TimeMs time_ms, double weight) {
  Day& day = days_[day_of(time_ms)];
  const std::uint64_t strength = strength_of(weight);
  const std::uint64_t deed = (key & ~k_strength_mask) | strength;
  const auto known = day.deeds.find(deed);
  const std::uint64_t counted = known == day.deeds.end() ? 0 : *known & k_strength_mask;
  if (counted < strength) {
    keep(day, deed);
    day.fresh.push_back(deed);
  }
  while (days_.size() > options_.days_max || (size_ > options_.deeds_max && days_.size() > 1)) {
    forget_oldest();
  }
  return std::max(0.0, weight - weights()[counted]);
}

void DailyDeeds::forget_oldest() {
  const auto oldest = days_.begin();
  size_ -= oldest->second.deeds.size();
  gone_.insert(gone_.end(), oldest->second.pieces.begin(), oldest->second.pieces.end());
  days_.erase(oldest);
}

DailyDeeds::Changes DailyDeeds::take_changes(std::uint64_t sequence) {
  Changes changes{.pieces = {}, .gone = std::exchange(gone_, {})};
  std::ranges::sort(changes.gone);
  for (auto& [number, day] : days_) {
    if (day.fresh.empty()) continue;
    std::string bytes(day.fresh.size() * sizeof(std::uint64_t), '\0');
    std::memcpy(bytes.data(), day.fresh.data(), bytes.size());
    day.fresh = {};
    day.pieces.push_back(key_of(number, sequence));
    changes.pieces.emplace_back(day.pieces.back(), std::move(bytes));
  }
  return changes;
}

void DailyDeeds::put_back(const Changes& changes) {
  gone_.insert(gone_.end(), changes.gone.begin(), changes.gone.end());
  for (const auto& [key, bytes] : changes.pieces) {
    for (auto& [number, day] : days_) {
      if (std::erase(day.pieces, key) == 0) continue;
      const std::size_t before = day.fresh.size();
      day.fresh.resize(before + bytes.size() / sizeof(std::uint64_t));
      std::memcpy(day.fresh.data() + before, bytes.data(), bytes.size());
    }
  }
}

bool DailyDeeds::load(std::string_view key, std::string_view piece) {
  constexpr std::uint64_t k_sign = std::uint64_t{1} << 63;
  const auto day_bits = store::number_in(key.substr(0, 8));
  if (!day_bits || key.size() != 16 || piece.size() % sizeof(std::uint64_t) != 0) return false;
  Day& day = days_[static_cast<std::int64_t>(*day_bits ^ k_sign)];
  day.pieces.emplace_back(key);
  for (std::size_t at = 0; at < piece.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t deed = 0;
    std::memcpy(&deed, piece.data() + at, sizeof deed);
    keep(day, deed);
  }
  return true;
}

std::uint64_t DailyDeeds::fingerprint() const {
  std::uint64_t sum = size_;
  for (const auto& [number, day] : days_) {
    const std::uint64_t of_day = mix64(static_cast<std::uint64_t>(number));
    for (const std::uint64_t deed : day.deeds) sum += mix64(deed ^ of_day);
  }
  return sum;
}

}  // namespace vitrine::profiles
