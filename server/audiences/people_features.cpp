#include "server/audiences/people_features.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/segments/rfm.h"

namespace vitrine::audiences {
namespace {

float log_of(double value) { return static_cast<float>(std::log1p(std::max(0.0, value))); }

}  // namespace

PeopleFeatures::PeopleFeatures(std::shared_ptr<const live_model::LiveModel> live, TimeMs now_ms)
    : live_(std::move(live)),
      now_ms_(now_ms),
      dimension_(live_->model() != nullptr ? live_->model()->factors().dimension() : 0) {}

void PeopleFeatures::read_taste(const profiles::Profile& profile, std::span<float> out) {
  std::ranges::fill(out, 0.0F);
  if (dimension_ == 0) return;
  const TrainedModel& model = *live_->model();
  recommend::collect_interests(profile, model.confidence(), 0, now_ms_, interests_);
  observations_.clear();
  for (const recommend::Interest& interest : interests_) {
    const auto row = live_->row_of(interest.product);
    if (!row || !(interest.confidence > 0)) continue;
    observations_.push_back(
        {.factors = live_->vector(*row).data(), .confidence = interest.confidence});
  }
  if (!observations_.empty()) model.factors().fold_in(observations_, out);
}

void PeopleFeatures::read(const profiles::Profile& profile, std::span<float> out) {
  constexpr double k_minor_units = 100;
  read_taste(profile, out.first(dimension_));
  const std::span<float> habits = out.subspan(dimension_);
  std::ranges::fill(habits, 0.0F);
  const auto figures = segments::rfm_figures(profiles::orders_of(profile), now_ms_);
  if (figures) {
    habits[0] = 1;
    habits[1] = log_of(figures->recency_days);
    habits[2] = log_of(figures->frequency);
    habits[3] = log_of(figures->monetary / k_minor_units);
  }
  habits[4] = log_of(profile.events);
  habits[5] = log_of(static_cast<double>(now_ms_ - profile.last_seen_ms) / k_day_ms);
}

}  // namespace vitrine::audiences
