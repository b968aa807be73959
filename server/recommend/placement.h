// A placement: a named place in the shop, and how its answers are made.
//
// Thread-safe (values).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::recommend {

enum class PurchasedPolicy {
  show,              // bought products may come back
  hide_for_180_days  // what was bought in the last 180 days stays away
};

struct SourceWeight {
  std::string source;  // a candidate source's name
  float weight = 1;    // above 0; only its size beside the others' matters
};

struct Placement {
  std::string name;
  std::string description;
  std::vector<SourceWeight> sources;  // at most Pool::k_sources_max
  std::vector<std::string> fallback;  // sources that fill what is missing, in order
  PurchasedPolicy purchased = PurchasedPolicy::show;
  bool needs_product = false;
  bool needs_cart = false;
  bool exclude_product_group = false;  // the product looked at and its variants
  bool exclude_cart = false;
  // The product of the person's newest event is named by one reason at least, as long as it or
  // anything related to it may be shown: the last click is never without effect.
  bool answers_newest = false;
};

// The placements that ship: home, product_page, cart.
class PlacementBook {
 public:
  static PlacementBook shipped();
  const Placement* find(std::string_view name) const;
  const std::vector<Placement>& all() const { return placements_; }

 private:
  std::vector<Placement> placements_;
};

}  // namespace vitrine::recommend
