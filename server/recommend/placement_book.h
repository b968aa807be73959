// The placements there are at one moment: those that ship, changed and joined by the shop's own.
//
// Thread-safe (values).
#pragma once

#include <string_view>
#include <vector>

#include "server/recommend/placement.h"

namespace vitrine::recommend {

class PlacementBook {
 public:
  static constexpr std::size_t k_placements_max = 200;

  // home, product_page, cart, category_page, search, order_done, email.
  static PlacementBook shipped();
  static bool ships(std::string_view name);

  // Null when there is none of that name.
  const Placement* find(std::string_view name) const;
  const std::vector<Placement>& all() const { return placements_; }

  // In the place of the one of that name, or at the end.
  PlacementBook with(Placement placement) const;
  // A shipped one goes back to how it ships.
  PlacementBook without(std::string_view name) const;

 private:
  std::vector<Placement> placements_;
};

}  // namespace vitrine::recommend
