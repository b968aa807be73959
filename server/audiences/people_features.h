// What a person is to a shop, as numbers: where its taste lies in the model, and how it buys.
//
// Nothing that a shop said of the person is among them, so no trait that is sensitive can be. One
// thread each.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/live_model/live_model.h"
#include "server/profiles/profile.h"
#include "server/recommend/interest.h"

namespace vitrine::audiences {

// About 0 to 10 each.
inline constexpr std::array<std::string_view, 6> k_habit_names = {
    "has_order",      // 1 with an order
    "recency_days",   // ln(1 + days since the latest)
    "frequency",      // ln(1 + orders of 365 days)
    "monetary",       // ln(1 + what they came to)
    "events",         // ln(1 + events ever)
    "last_seen_days"  // ln(1 + days since the latest event)
};

class PeopleFeatures {
 public:
  PeopleFeatures(std::shared_ptr<const live_model::LiveModel> live, TimeMs now_ms);

  std::size_t dimension() const { return dimension_; }  // of a taste; 0 without a model
  std::size_t size() const { return dimension_ + k_habit_names.size(); }

  // The vector of the model for what the person lately did; zero when it says nothing.
  // out  dimension() floats
  void read_taste(const profiles::Profile& profile, std::span<float> out);
  // The taste, then the habits.
  // out  size() floats
  void read(const profiles::Profile& profile, std::span<float> out);

 private:
  const std::shared_ptr<const live_model::LiveModel> live_;
  const TimeMs now_ms_;
  const std::size_t dimension_;
  std::vector<recommend::Interest> interests_;
  std::vector<Observation> observations_;
};

}  // namespace vitrine::audiences
