#include "server/recommend/interest.h"

#include <algorithm>
#include <array>
#include <span>

namespace vitrine::recommend {
namespace {

constexpr float k_session_step = 0.8F;

// The model's own weights; a kind of event it was not trained on counts as its default does beside
// a purchase.
float weight_of(EventType type, const ConfidenceRule& rule) {
  const float weight = rule.weight(type);
  if (weight > 0) return weight;
  const float purchase = rule.weight(EventType::purchase);
  const float scale = purchase > 0 ? purchase / default_weight(EventType::purchase) : 1.0F;
  return default_weight(type) * scale;
}

bool is_kept(const profiles::Profile& profile, ProductNumber product) {
  const auto bought =
      std::ranges::lower_bound(profile.bought, product, {}, &profiles::Bought::product);
  return bought != profile.bought.end() && bought->product == product &&
         bought->purchases > bought->refunds;
}

// Which of the newest-first events belong to the session that is going on.
class SessionBounds {
 public:
  SessionBounds(std::span<const profiles::ProfileEvent> recent, std::uint64_t session_key,
                TimeMs now_ms) {
    if (recent.empty()) return;
    const bool is_named =
        session_key != 0 && std::ranges::find(recent, session_key,
                                              &profiles::ProfileEvent::session_key) != recent.end();
    if (is_named) {
      key_ = session_key;
    } else if (recent.front().time_ms >= now_ms - k_session_gap_ms) {
      from_ms_ = recent.front().time_ms - k_session_gap_ms;
    }
  }
  bool contains(const profiles::ProfileEvent& event) const {
    return key_ != 0 ? event.session_key == key_ : event.time_ms >= from_ms_;
  }

 private:
  std::uint64_t key_ = 0;
  TimeMs from_ms_ = INT64_MAX;
};

}  // namespace

void collect_interests(const profiles::Profile& profile, const ConfidenceRule& rule,
                       std::uint64_t session_key, TimeMs now_ms, std::vector<Interest>& out) {
  out.clear();
  const SessionBounds session(profile.recent, session_key, now_ms);
  std::array<double, k_interest_events_max> sums{};  // of weight * decay, by place in `out`
  std::size_t events = 0;
  float session_share = 1;
  for (const profiles::ProfileEvent& event : profile.recent) {
    if (events == k_interest_events_max) break;
    const float weight = weight_of(event.type, rule);
    if (!(weight > 0)) continue;
    const bool is_bought = is_kept(profile, event.product);
    if (event.type == EventType::purchase && !is_bought) continue;
    ++events;

    auto interest = std::ranges::find(out, event.product, &Interest::product);
    if (interest == out.end()) {
      out.push_back({.product = event.product, .type = event.type, .is_bought = is_bought});
      interest = out.end() - 1;
    }
    sums[static_cast<std::size_t>(interest - out.begin())] +=
        weight * rule.decay(profile.recent.front().time_ms - event.time_ms);
    if (session.contains(event)) {
      interest->session_confidence += weight * session_share;
      session_share *= k_session_step;
    }
    if (default_weight(event.type) > default_weight(interest->type)) interest->type = event.type;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].confidence = rule.confidence(sums[i]);
    if (out[i].session_confidence > 0) {
      out[i].session_confidence = rule.confidence(out[i].session_confidence);
    }
  }
}

}  // namespace vitrine::recommend
