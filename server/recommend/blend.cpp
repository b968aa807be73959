#include "server/recommend/blend.h"

#include <algorithm>
#include <cmath>

namespace vitrine::recommend {
namespace {

// The source that says most for the candidate names it; of those that gave it, whatever they say.
void name_strongest(std::size_t source_count, Pool::Entry& entry) {
  bool is_found = false;
  for (std::size_t i = 0; i < source_count; ++i) {
    if (entry.shares[i] <= 0) continue;
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
      entry.parts[i] = weights_[i] * entry.shares[i];
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
      if (entry.shares[i] <= 0) continue;
      entry.parts[i] = sources_[i] * entry.shares[i] + depths_[i] * depth_of(entry.shares[i]);
      logit += entry.parts[i];
    }
    const Features features = reader_.read(entry.product);
    float own = 0;
    for (std::size_t i = 0; i < features.size(); ++i) {
      const float part = features_[i] * features[i];
      logit += part;
      if (i < k_own_features) own += part;
    }
    if (buy_again_ < source_count_ && entry.shares[buy_again_] > 0) entry.parts[buy_again_] += own;
    entry.score = 1 / (1 + std::exp(-logit));
    name_strongest(source_count_, entry);
  }
}

float depth_of(float share) {
  if (share <= 0) return 0;
  constexpr float k_last = 6.908F;  // ln(1000)
  return std::max(0.0F, 1 - std::log(Pool::place_of_share(share) + 1) / k_last);
}

std::size_t blend_input_count(const Placement& placement) {
  return 2 * placement.sources.size() + k_feature_names.size();
}

void append_blend_inputs(const Pool::Entry& entry, std::size_t source_count,
                         const FeatureReader& reader, std::vector<float>& inputs) {
  const auto shares = std::span(entry.shares).first(source_count);
  inputs.insert(inputs.end(), shares.begin(), shares.end());
  for (const float share : shares) inputs.push_back(depth_of(share));
  const Features features = reader.read(entry.product);
  inputs.insert(inputs.end(), features.begin(), features.end());
}

}  // namespace vitrine::recommend
