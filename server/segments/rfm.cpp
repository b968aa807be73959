#include "server/segments/rfm.h"

#include <algorithm>
#include <cmath>

namespace vitrine::segments {
namespace {

constexpr int k_high_from = 3;

constexpr std::array<RfmGroup, 8> k_groups = {
    {{"champions", "Bought lately, often and for much: recency 4 or 5, the other two 4 on average"},
     {"loyal", "Come back: recency 3 and more, the other two 3 on average"},
     {"new", "One order, and that lately: recency 4 or 5"},
     {"promising", "Bought lately, little so far: recency 3 and more"},
     {"at_risk", "Were good customers and stay away: recency 1 or 2, the other two 3 on average"},
     {"almost_lost", "Bought little and not lately: recency 2"},
     {"dormant", "Bought little, long ago: recency 1"},
     {k_prospects, "No order yet"}}};

// By high recency (4), high frequency (2), high monetary value (1).
constexpr std::array<RfmCell, 8> k_cells = {{{"win_back", "一般挽留"},
                                             {"key_win_back", "重要挽留"},
                                             {"keep", "一般保持"},
                                             {"key_keep", "重要保持"},
                                             {"develop", "一般发展"},
                                             {"key_develop", "重要发展"},
                                             {"value", "一般价值"},
                                             {"key_value", "重要价值"}}};

std::array<double, 4> quintiles(std::vector<double> values) {
  std::ranges::sort(values);
  std::array<double, 4> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const std::size_t rank = ((i + 1) * values.size() + 4) / 5;  // rounded up
    bounds.at(i) = values[rank - 1];
  }
  return bounds;
}

// How many of the bounds the value is above.
int above(double value, const std::array<double, 4>& bounds) {
  return static_cast<int>(std::ranges::count_if(bounds, [&](double b) { return b < value; }));
}

}  // namespace

std::optional<RfmFigures> rfm_figures(std::span<const profiles::OrderSum> orders, TimeMs now_ms) {
  if (orders.empty()) return std::nullopt;
  RfmFigures figures;
  const TimeMs age_ms = std::max<TimeMs>(0, now_ms - orders.back().time_ms);
  figures.recency_days = static_cast<double>(age_ms / k_day_ms);
  // Amounts of several currencies cannot be added: the latest counts.
  std::uint32_t currency = 0;
  for (const profiles::OrderSum& order : orders) {
    if (order.net.currency != 0) currency = order.net.currency;
  }
  for (const profiles::OrderSum& order : orders) {
    if (order.time_ms <= now_ms - k_rfm_window_ms) continue;
    figures.frequency += order.count;
    if (order.net.currency == currency) figures.monetary += static_cast<double>(order.net.minor);
  }
  return figures;
}

RfmBounds rfm_bounds(const std::vector<RfmFigures>& buyers, TimeMs as_of_ms) {
  RfmBounds bounds{.as_of_ms = as_of_ms, .buyers = buyers.size()};
  if (buyers.empty()) return bounds;
  const auto of = [&](double RfmFigures::* member) {
    std::vector<double> values;
    values.reserve(buyers.size());
    for (const RfmFigures& buyer : buyers) values.push_back(buyer.*member);
    return quintiles(std::move(values));
  };
  bounds.recency_days = of(&RfmFigures::recency_days);
  bounds.frequency = of(&RfmFigures::frequency);
  bounds.monetary = of(&RfmFigures::monetary);
  return bounds;
}

std::optional<RfmScores> rfm_scores(const RfmFigures& figures, const RfmBounds& bounds) {
  if (bounds.buyers == 0) return std::nullopt;
  return RfmScores{.recency = 5 - above(figures.recency_days, bounds.recency_days),
                   .frequency = 1 + above(figures.frequency, bounds.frequency),
                   .monetary = 1 + above(figures.monetary, bounds.monetary)};
}

std::span<const RfmGroup> rfm_groups() { return k_groups; }
std::span<const RfmCell> rfm_cells() { return k_cells; }

std::string_view rfm_group_of(const RfmScores& scores, std::size_t orders_ever) {
  if (orders_ever == 0) return k_prospects;
  const int worth = scores.frequency + scores.monetary;  // twice the average
  if (scores.recency >= 4 && worth >= 8) return "champions";
  if (scores.recency >= 4 && orders_ever == 1) return "new";
  if (scores.recency >= 3) return worth >= 6 ? "loyal" : "promising";
  if (worth >= 6) return "at_risk";
  return scores.recency == 2 ? "almost_lost" : "dormant";
}

const RfmCell& rfm_cell_of(const RfmScores& scores) {
  const std::size_t place = (scores.recency >= k_high_from ? 4U : 0U) +
                            (scores.frequency >= k_high_from ? 2U : 0U) +
                            (scores.monetary >= k_high_from ? 1U : 0U);
  return k_cells.at(place);
}

}  // namespace vitrine::segments
