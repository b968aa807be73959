#include "server/recommend/placement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"

namespace vitrine::recommend {
namespace {

Placement home() {
  return {.name = "home",
          .description = "The first page: what this person most likely wants next",
          .sources = {{"session", 1.2F},
                      {"personal", 1.0F},
                      {"recent", 0.5F},
                      {"similar", 0.25F},
                      {"trending", 0.1F},
                      {"popular", 0.05F}},
          .fallback = {"trending", "popular", "new"},
          .purchased = PurchasedPolicy::hide_for_180_days,
          .answers_newest = true};
}

Placement product_page() {
  return {.name = "product_page",
          .description = "Beside one product: what is like it and what goes with it",
          .sources = {{"similar", 1.0F}, {"together", 0.8F}, {"session", 0.2F}, {"personal", 0.1F}},
          .fallback = {"personal", "trending", "popular", "new"},
          .needs_product = true,
          .exclude_product_group = true};
}

Placement cart() {
  return {.name = "cart",
          .description = "Beside the cart: what is bought together with its contents",
          .sources = {{"together", 1.0F}, {"similar", 0.3F}, {"session", 0.2F}, {"personal", 0.2F}},
          .fallback = {"personal", "trending", "popular", "new"},
          .needs_cart = true,
          .exclude_cart = true};
}

}  // namespace

absl::Status validate(const Variety& variety) {
  if (!(variety.diversity >= 0 && variety.diversity <= 1)) {
    return invalid_argument("variety.diversity must be between 0 and 1, got {}", variety.diversity);
  }
  const std::array<std::pair<std::string_view, std::size_t>, 3> counts = {
      {{"category_max", variety.category_max},
       {"brand_max", variety.brand_max},
       {"explores_one_in", variety.explores_one_in}}};
  for (const auto& [name, count] : counts) {
    if (count <= Variety::k_count_max) continue;
    return invalid_argument("variety.{} must be at most {}, got {}", name, Variety::k_count_max,
                            count);
  }
  return absl::OkStatus();
}

PlacementBook PlacementBook::shipped() {
  PlacementBook book;
  book.placements_ = {home(), product_page(), cart()};
  return book;
}

const Placement* PlacementBook::find(std::string_view name) const {
  const auto found = std::ranges::find(placements_, name, &Placement::name);
  return found == placements_.end() ? nullptr : &*found;
}

}  // namespace vitrine::recommend
