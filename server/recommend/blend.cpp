#include "server/recommend/blend.h"

#include <algorithm>
#include <cmath>

namespace vitrine::recommend {
namespace {

constexpr std::size_t k_last_place = 999;

std::array<float, k_last_place> depths_by_place() {
  std::array<float, k_last_place> depths{};
  const float last = std::log(static_cast<float>(k_last_place + 1));
  for (std::size_t place = 0; place < k_last_place; ++place)
    depths[place] = 1 - std::log(static_cast<float>(place + 1)) / last;
  return depths;
}

// The source that says most for the candidate names it; of those that gave it, whatever they say.
void name_strongest(std::size_t source_count, Pool::Entry& entry) {
  bool is_found = false;
  for (std::size_t i = 0; i < source_count; ++i) {
    if (!entry.is_given_by(i)) continue;
    if (is_found && entry.parts[i] <= entry.parts[entry.strongest]) continue;
    entry.strongest = static_cast<std::uint8_t>(i);
    is_found = true;
  }
}

}  // namespace

void HandSetBlend::score(std::span<Pool::Entry> entries) const {
  for (Pool::Entry& entry : entries) {
    entry.score = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      entry.parts[i] = weights_[i] * entry.share_of(i);
      entry.score += entry.parts[i];
    }
    name_strongest(weights_.size(), entry);
  }
}

std::optional<LearntBlend> LearntBlend::of(const Context& context) {
  const TrainedModel* const model = context.live->model();
  if (model == nullptr || !context.placement.uses_blend) return std::nullopt;
  const BlendOfPlacement* const blend = model->blends().find(context.placement.name);
  if (blend == nullptr) return std::nullopt;
  const bool knows_all = std::ranges::all_of(
      context.placement.sources,
      [&](const SourceWeight& weighted) { return blend->sources.contains(weighted.source); });
  if (!knows_all) return std::nullopt;
  return LearntBlend(context, *blend);
}

LearntBlend::LearntBlend(const Context& context, const BlendOfPlacement& blend)
    : reader_(context),
      bias_(blend.bias),
      source_count_(context.placement.sources.size()),
      buy_again_(source_count_) {
  for (std::size_t i = 0; i < source_count_; ++i) {
    const std::string& name = context.placement.sources[i].source;
    sources_[i] = blend.sources.find(name)->second;
    const auto depth = blend.depths.find(name);
    if (depth != blend.depths.end()) depths_[i] = depth->second;
    if (name == "buy_again") buy_again_ = i;
  }
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const auto weight = blend.features.find(k_feature_names[i]);
    if (weight != blend.features.end()) features_[i] = weight->second;
  }
}

void LearntBlend::score(std::span<Pool::Entry> entries) const {
  for (Pool::Entry& entry : entries) {
    float logit = bias_;
    for (std::size_t i = 0; i < source_count_; ++i) {
      entry.parts[i] = 0;
      if (!entry.is_given_by(i)) continue;
      entry.parts[i] =
          sources_[i] * entry.share_of(i) + depths_[i] * depth_of_place(entry.places[i] - 1U);
      logit += entry.parts[i];
    }
    const Features features = reader_.read(entry.product);
    float own = 0;
    for (std::size_t i = 0; i < k_own_features; ++i) own += features_[i] * features[i];
    for (std::size_t i = k_own_features; i < features.size(); ++i)
      logit += features_[i] * features[i];
    if (buy_again_ < source_count_ && entry.is_given_by(buy_again_)) entry.parts[buy_again_] += own;
    entry.score = 1 / (1 + std::exp(-(logit + own)));
    name_strongest(source_count_, entry);
  }
}

float depth_of_place(std::size_t place) {
  static const std::array<float, k_last_place> depths = depths_by_place();
  return place < k_last_place ? depths[place] : 0;
}

std::size_t blend_input_count(const Placement& placement) {
  return 2 * placement.sources.size() + k_feature_names.size();
}

void append_blend_inputs(const Pool::Entry& entry, std::size_t source_count,
                         const FeatureReader& reader, std::vector<float>& inputs) {
  for (std::size_t i = 0; i < source_count; ++i) inputs.push_back(entry.share_of(i));
  for (std::size_t i = 0; i < source_count; ++i)
    inputs.push_back(entry.is_given_by(i) ? depth_of_place(entry.places[i] - 1U) : 0);
  const Features features = reader.read(entry.product);
  inputs.insert(inputs.end(), features.begin(), features.end());
}

}  // namespace vitrine::recommend
