// What each thing known about a candidate says about its chance to be wanted, by placement.
//
// logit(p) = bias + sum of source weights * share of the place in the source's list + sum of depth
// weights * the same on a logarithmic scale + sum of feature weights * feature; what they are is
// said by server/recommend/blend.h.
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>

namespace vitrine {

using BlendWeights = std::map<std::string, float, std::less<>>;

struct BlendOfPlacement {
  float bias = 0;
  BlendWeights sources;
  BlendWeights depths;  // by source as well
  BlendWeights features;

  friend bool operator==(const BlendOfPlacement&, const BlendOfPlacement&) = default;
};

class BlendTable {
 public:
  using Placements = std::map<std::string, BlendOfPlacement, std::less<>>;

  BlendTable() = default;  // nothing was learnt
  // InvalidArgument: a number that is not finite; names the placement and the input.
  static absl::StatusOr<BlendTable> create(Placements placements);

  bool empty() const { return placements_.empty(); }
  const BlendOfPlacement* find(std::string_view placement) const;  // null: nothing was learnt
  const Placements& placements() const { return placements_; }

 private:
  Placements placements_;
};

}  // namespace vitrine
