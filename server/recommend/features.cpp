#include "server/recommend/features.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine::recommend {
namespace {

constexpr float k_half_life_days = 30;                   // of newness
constexpr float k_new_days_max = 10 * k_half_life_days;  // of what is older, it is 0

// The places of the features that are read by others.
enum Place : std::size_t {
  own = 0,
  own_orders,
  own_recent,
  own_lately,
  first_product,
  popularity = k_own_features,
  popular,
  trending,
  newness,
  person_orders,
  is_known
};
static_assert(k_feature_names[popularity] == "popularity" &&
              k_feature_names[is_known] == "is_known");

float scaled(float weight) { return weight > 0 ? std::log2(1 + 1023 * weight) / 10 : 0; }

float days_between(TimeMs from_ms, TimeMs to_ms) {
  return static_cast<float>(std::max<TimeMs>(0, to_ms - from_ms)) / static_cast<float>(k_day_ms);
}

float newness_of(const Product& product, TimeMs now_ms) {
  if (product.created_at_ms <= 0 || product.created_at_ms > now_ms) return 0;
  const float days = days_between(product.created_at_ms, now_ms);
  return days < k_new_days_max ? std::exp2(-days / k_half_life_days) : 0;
}

}  // namespace

void WeightsByProduct::read(std::shared_ptr<const List> list) {
  if (list == list_) return;
  list_ = std::move(list);
  weights_.begin();
  for (const profiles::PopularProduct& entry : *list_) {
    weights_.at(entry.product.value()).first = scaled(static_cast<float>(entry.score));
  }
}

FeatureReader::FeatureReader(const Context& context) : context_(context) {
  thread_local WeightsByProduct popular_by_product;
  thread_local WeightsByProduct trending_by_product;
  popular_by_product.read(context.popularity.popular());
  trending_by_product.read(context.popularity.trending());
  popular_ = &popular_by_product;
  trending_ = &trending_by_product;
  if (context.profile != nullptr)
    person_orders_ = std::log2(1 + static_cast<float>(context.profile->orders));
  const TrainedModel* const model = context.live->model();
  if (model == nullptr || model->popularity().row_count() == 0) return;
  const PopularityTable& table = model->popularity();
  const float most = table.weight(table.ranking().front());
  if (most > 0) popularity_scale_ = 1 / most;
}

void FeatureReader::read_own(const profiles::Bought& bought, Features& features) const {
  const float age = days_between(bought.last_ms, context_.now_ms);
  features[own] = 1;
  features[own_orders] = std::log2(1 + static_cast<float>(bought.orders));
  features[own_recent] =
      std::log1p(bought.recent * std::exp2(-age / profiles::Bought::k_recent_days));
  features[own_lately] =
      std::log1p(bought.lately * std::exp2(-age / profiles::Bought::k_lately_days));
  std::size_t at = first_product;
  for (const Place first : {own, own_orders, own_recent}) {
    for (const Place second : {popular, popularity, person_orders})
      features[at++] = features[first] * features[second];
  }
}

Features FeatureReader::read(ProductNumber product) const {
  Features features{};
  const std::optional<std::uint32_t> row = context_.live->row_of(product);
  if (row && *row < context_.live->model_row_count()) {
    features[popularity] =
        scaled(popularity_scale_ * context_.live->model()->popularity().weight(*row));
    features[is_known] = 1;
  }
  features[popular] = popular_->of(product);
  features[trending] = trending_->of(product);
  if (const Product* const known = context_.catalog->find(product))
    features[newness] = newness_of(*known, context_.now_ms);
  features[person_orders] = person_orders_;
  if (const profiles::Bought* const bought = context_.bought(product)) read_own(*bought, features);
  return features;
}

}  // namespace vitrine::recommend
