#include "model/blend_table.h"

#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine {

absl::StatusOr<BlendTable> BlendTable::create(Placements placements) {
  for (const auto& [placement, blend] : placements) {
    if (!std::isfinite(blend.bias)) {
      return invalid_argument("the blend of '{}' must have a finite bias, got {}", placement,
                              blend.bias);
    }
    for (const BlendWeights* weights : {&blend.sources, &blend.depths, &blend.features}) {
      for (const auto& [name, weight] : *weights) {
        if (!std::isfinite(weight)) {
          return invalid_argument("the blend of '{}' must have a finite weight of '{}', got {}",
                                  placement, name, weight);
        }
      }
    }
  }
  BlendTable table;
  table.placements_ = std::move(placements);
  return table;
}

const BlendOfPlacement* BlendTable::find(std::string_view placement) const {
  const auto found = placements_.find(placement);
  return found == placements_.end() ? nullptr : &found->second;
}

}  // namespace vitrine
