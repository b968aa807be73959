#include "server/http/admission.h"

#include <algorithm>
#include <string>
#include <utility>

namespace vitrine::http {

using recommend::Effort;

namespace {

constexpr std::int64_t k_halving_us = 100'000;  // what was admitted counts half after so long
constexpr std::uint64_t k_weight = 1024;        // of one request, so that it can be halved

Counter& shed(Metrics& metrics, const char* to) {
  return metrics.counter("vitrine_recommend_shed_total",
                         "Requests answered more cheaply, or refused, because too many waited",
                         {{"to", to}});
}

}  // namespace

Admission::Admission(TimeMs deadline_ms, Metrics& metrics)
    : deadline_us_(std::max(deadline_ms, k_deadline_ms_min) * 1000),
      waited_seconds_(metrics.histogram("vitrine_recommend_wait_seconds",
                                        "From a request's arrival to its turn",
                                        latency_bounds_seconds())),
      without_search_(shed(metrics, "lookups")),
      fallback_(shed(metrics, "fallback")),
      refused_(shed(metrics, "refused")) {}

std::optional<recommend::Effort> Admission::admit(std::string_view key_id, std::int64_t waited_us,
                                                  std::int64_t now_us) {
  waited_seconds_.observe(static_cast<double>(waited_us) * 1e-6);
  const bool is_calm = waited_us <= deadline_us_ / 4;
  if (is_calm && now_us > counts_until_us_.load(std::memory_order_relaxed)) return Effort::whole;
  const std::optional<Effort> effort = judge(key_id, waited_us, now_us);
  if (!effort) {
    refused_.add();
  } else if (!is_calm) {
    (*effort == Effort::fallback ? fallback_ : without_search_).add();
  }
  return effort;
}

std::optional<recommend::Effort> Admission::judge(std::string_view key_id, std::int64_t waited_us,
                                                  std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  forget(now_us);
  Admitted& admitted = admitted_.try_emplace(key_id).first->second;
  admitted.has_asked = true;
  const bool is_calm = waited_us <= deadline_us_ / 4;
  if (!is_calm && is_refused(admitted, waited_us, now_us)) return std::nullopt;
  admitted.weight += k_weight;
  all_admitted_ += k_weight;
  if (is_calm) return Effort::whole;
  return waited_us > deadline_us_ * 3 / 8 ? Effort::fallback : Effort::lookups;
}

bool Admission::is_refused(const Admitted& admitted, std::int64_t waited_us, std::int64_t now_us) {
  // After so long without anybody who waited, it is another overload.
  if (now_us - last_overload_us_ > deadline_us_ / 4) overload_since_us_ = now_us;
  last_overload_us_ = now_us;
  counts_until_us_.store(now_us + 2 * k_halving_us, std::memory_order_relaxed);
  if (now_us - overload_since_us_ < deadline_us_ / 4) return false;
  const Share share = share_of(admitted);
  const int eighths_max = share == Share::large ? 2 : share == Share::fair ? 4 : 7;
  return waited_us > deadline_us_ * eighths_max / 8;
}

Admission::Share Admission::share_of(const Admitted& admitted) const {
  const std::uint64_t weighed = admitted.weight * admitted_.size();
  // A quarter above is fair still: of two that are alike, one is always a little ahead.
  if (weighed * 4 > all_admitted_ * 5) return Share::large;
  return weighed * 2 < all_admitted_ ? Share::small : Share::fair;
}

void Admission::forget(std::int64_t now_us) {
  if (now_us - halved_us_ < k_halving_us) return;
  const bool is_long_ago = now_us - halved_us_ > 10 * k_halving_us;
  halved_us_ = now_us;
  if (is_long_ago) {
    admitted_.clear();
    all_admitted_ = 0;
    return;
  }
  all_admitted_ = 0;
  for (auto each = admitted_.begin(); each != admitted_.end();) {
    const auto one = each++;
    // Who asks no more takes no share: else all that still ask might seem to take too much.
    if (!std::exchange(one->second.has_asked, false)) {
      admitted_.erase(one);
      continue;
    }
    one->second.weight /= 2;
    all_admitted_ += one->second.weight;
  }
}

}  // namespace vitrine::http
