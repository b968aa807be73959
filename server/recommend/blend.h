// How the places that several sources gave a candidate become one score.
//
// Thread-safe: stateless, or used by one request on one thread, as each says.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/blend_table.h"
#include "server/recommend/features.h"
#include "server/recommend/pool.h"

namespace vitrine::recommend {

class Blend {
 public:
  virtual ~Blend() = default;
  // Reads product and shares of each entry; writes score, parts and strongest. Scores are above 0.
  virtual void score(std::span<Pool::Entry> entries) const = 0;
};

// The sum of weight * share: what a placement says, as long as nothing was learnt. Thread-safe.
class HandSetBlend final : public Blend {
 public:
  // weights  by the source's place in the placement; at most Pool::k_sources_max
  explicit HandSetBlend(std::vector<float> weights) : weights_(std::move(weights)) {}
  void score(std::span<Pool::Entry> entries) const override;

 private:
  std::vector<float> weights_;
};

// The model's logistic regression: scores are the probability that the candidate is what the person
// takes next. For one request.
class LearntBlend final : public Blend {
 public:
  // Nothing when the model has no blend for this placement, or not for all of its sources.
  static std::optional<LearntBlend> of(const Context& context);
  void score(std::span<Pool::Entry> entries) const override;

 private:
  LearntBlend(const Context& context, const BlendOfPlacement& blend);

  FeatureReader reader_;
  float bias_;
  std::size_t source_count_;
  std::size_t buy_again_;  // its place among the sources, which have it explain what was bought
  std::array<float, Pool::k_sources_max> sources_{};
  std::array<float, Pool::k_sources_max> depths_{};
  Features features_{};
};

// A place on a logarithmic scale: 1 for the first, 0.5 for place 30, 0 from place 999 on.
float depth_of_place(std::size_t place);

// How many inputs a candidate has: the shares and the depths by source, then the features.
std::size_t blend_input_count(const Placement& placement);
// Appends them. Every blend of the placement is learnt from these and reads these.
void append_blend_inputs(const Pool::Entry& entry, std::size_t source_count,
                         const FeatureReader& reader, std::vector<float>& inputs);

}  // namespace vitrine::recommend
