#include "server/recommend/features.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/recommend/repurchase.h"

namespace vitrine::recommend {
namespace {

constexpr float k_half_life_days = 30;

float scaled(float weight) { return weight > 0 ? std::log2(1 + 1023 * weight) / 10 : 0; }
constexpr float k_price_distance_max = 3;

float days_between(TimeMs from_ms, TimeMs to_ms) {
  return static_cast<float>(std::max<TimeMs>(0, to_ms - from_ms)) / static_cast<float>(k_day_ms);
}

std::optional<float> price_of(const Product* product) {
  if (product == nullptr || !product->price || product->price->minor <= 0) return std::nullopt;
  return std::log(static_cast<float>(product->price->minor));
}

std::optional<float> typical_price(const Context& context) {
  float sum = 0;
  float count = 0;
  for (const Interest& interest : context.interests) {
    if (const auto price = price_of(context.catalog->find(interest.product))) {
      sum += *price;
      ++count;
    }
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

}  // namespace

void WeightsByProduct::read(std::shared_ptr<const List> list) {
  if (list == list_) return;
  list_ = std::move(list);
  weights_.begin();
  for (const profiles::PopularProduct& entry : *list_) {
    weights_.at(entry.product.value()).first = static_cast<float>(entry.score);
  }
}

FeatureReader::FeatureReader(const Context& context)
    : context_(context), typical_price_(typical_price(context)) {
  thread_local WeightsByProduct popular;
  thread_local WeightsByProduct trending;
  popular.read(context.popularity.popular());
  trending.read(context.popularity.trending());
  popular_ = &popular;
  trending_ = &trending;
  if (context.profile != nullptr) orders_ = static_cast<float>(context.profile->orders);
  const TrainedModel* const model = context.live->model();
  if (model == nullptr || model->popularity().row_count() == 0) return;
  const PopularityTable& popularity = model->popularity();
  const float most = popularity.weight(popularity.ranking().front());
  if (most > 0) popularity_scale_ = 1 / most;
}

void FeatureReader::read_own(ProductNumber product, Features& features) const {
  const auto& bought = context_.profile->bought;
  const auto own = std::ranges::lower_bound(bought, product, {}, &profiles::Bought::product);
  if (own == bought.end() || own->product != product || own->purchases <= own->refunds) return;
  const auto count = static_cast<float>(own->purchases - own->refunds);
  const float age = days_between(own->last_ms, context_.now_ms);
  features[0] = std::log2(1 + count);
  features[1] = std::min(1.0F, count / std::max(1.0F, orders_));
  features[2] = std::exp2(-age / k_half_life_days);
  features[3] = std::exp2(-age / (3 * k_half_life_days));
  if (const std::optional<float> days = repurchase_days(context_, product)) {
    features[4] = std::exp(-std::abs(std::log((age + 1) / (*days + 1))));
  }
}

Features FeatureReader::read(ProductNumber product) const {
  Features features{};
  if (context_.profile != nullptr) read_own(product, features);
  const std::optional<std::uint32_t> row = context_.live->row_of(product);
  if (row && *row < context_.live->model_row_count()) {
    features[5] = scaled(popularity_scale_ * context_.live->model()->popularity().weight(*row));
    features[11] = 1;
  }
  features[6] = scaled(popular_->of(product));
  features[7] = scaled(trending_->of(product));
  if (const Product* const known = context_.catalog->find(product)) {
    if (const auto price = price_of(known); price && typical_price_) {
      features[8] = std::min(k_price_distance_max, std::abs(*price - *typical_price_));
    }
    if (known->created_at_ms > 0 && known->created_at_ms <= context_.now_ms) {
      features[9] =
          std::exp2(-days_between(known->created_at_ms, context_.now_ms) / k_half_life_days);
    }
  }
  features[10] = std::log2(1 + orders_);
  return features;
}

}  // namespace vitrine::recommend
