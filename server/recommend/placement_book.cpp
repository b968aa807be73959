// The placements that ship, and the list of them.
#include "server/recommend/placement_book.h"

#include <algorithm>

namespace vitrine::recommend {
namespace {

// One place of a page of twelve, and of a list of twenty, is for something else than what the
// person buys anyway. docs/recommend.md has what that costs, and what more would.
constexpr float k_repeats_max_share = 0.95F;
// What costs nothing on earlier months of a real shop, by the table in docs/recommend.md. `home`
// and `cart` pay for it from the first step on.
constexpr float k_diversity = 0.2F;
constexpr float k_diversity_order_done = 0.15F;

Placement home() {
  return {.name = "home",
          .description = "The first page: what this person most likely wants next",
          .sources = {{"session", 1.2F},
                      {"personal", 1.0F},
                      {"buy_again", 0.8F},
                      {"recent", 0.5F},
                      {"similar", 0.25F},
                      {"trending", 0.1F},
                      {"popular", 0.05F}},
          .fallback = {"trending", "popular", "new"},
          .purchased = PurchasedPolicy::show_when_due,
          .answers_newest = true,
          .variety = {
              .repeats_max_share = k_repeats_max_share, .rotates = true, .explores_one_in = 12}};
}

Placement product_page() {
  return {.name = "product_page",
          .description = "Beside one product: what is like it and what goes with it",
          .sources = {{"similar", 1.0F},
                      {"together", 0.8F},
                      {"also_viewed", 0.6F},
                      {"session", 0.3F},
                      {"upsell", 0.1F},
                      {"personal", 0.1F}},
          .fallback = {"personal", "trending", "popular", "new"},
          .needs_product = true,
          .exclude_product_group = true,
          .variety = {.diversity = k_diversity}};
}

Placement cart() {
  return {.name = "cart",
          .description = "Beside the cart: what is bought together with its contents",
          .sources = {{"together", 1.0F}, {"similar", 0.3F}, {"session", 0.2F}, {"personal", 0.2F}},
          .fallback = {"personal", "trending", "popular", "new"},
          .needs_cart = true,
          .exclude_cart = true};
}

Placement category_page() {
  return {.name = "category_page",
          .description = "A category's page: what this person most likely wants of it",
          .sources = {{"session", 1.0F}, {"personal", 1.0F}, {"trending", 0.2F}, {"popular", 0.1F}},
          .fallback = {"trending", "popular", "new"},
          .variety = {.diversity = k_diversity, .rotates = true, .explores_one_in = 12}};
}

Placement search() {
  return {.name = "search",
          .description = "Beside search results, or in place of none: what this person looks for",
          .sources = {{"session", 1.2F}, {"personal", 0.8F}, {"similar", 0.3F}, {"trending", 0.1F}},
          .fallback = {"trending", "popular", "new"},
          .variety = {.diversity = k_diversity}};
}

Placement order_done() {
  return {.name = "order_done",
          .description = "After an order: what goes with what was just bought",
          .sources = {{"together", 1.0F}, {"personal", 0.5F}, {"similar", 0.2F}},
          .fallback = {"personal", "trending", "popular", "new"},
          .purchased = PurchasedPolicy::hide_for_180_days,
          .exclude_cart = true,
          .variety = {.diversity = k_diversity_order_done}};
}

Placement email() {
  return {.name = "email",
          .description = "In a letter: what this person would come back for",
          .sources = {{"personal", 1.0F},
                      {"buy_again", 0.8F},
                      {"similar", 0.4F},
                      {"session", 0.3F},
                      {"trending", 0.1F}},
          .fallback = {"trending", "popular", "new"},
          .purchased = PurchasedPolicy::show_when_due,
          .variety = {
              .diversity = k_diversity, .repeats_max_share = k_repeats_max_share, .rotates = true}};
}

}  // namespace

PlacementBook PlacementBook::shipped() {
  PlacementBook book;
  book.placements_ = {home(),   product_page(), cart(), category_page(),
                      search(), order_done(),   email()};
  return book;
}

const Placement* PlacementBook::find(std::string_view name) const {
  const auto found = std::ranges::find(placements_, name, &Placement::name);
  return found == placements_.end() ? nullptr : &*found;
}

bool PlacementBook::ships(std::string_view name) {
  static const PlacementBook shipped = PlacementBook::shipped();
  return shipped.find(name) != nullptr;
}

PlacementBook PlacementBook::with(Placement placement) const {
  PlacementBook next = *this;
  const auto found = std::ranges::find(next.placements_, placement.name, &Placement::name);
  if (found == next.placements_.end()) {
    next.placements_.push_back(std::move(placement));
  } else {
    *found = std::move(placement);
  }
  return next;
}

PlacementBook PlacementBook::without(std::string_view name) const {
  static const PlacementBook defaults = shipped();
  if (const Placement* const back = defaults.find(name)) return with(*back);
  PlacementBook next = *this;
  std::erase_if(next.placements_, [&](const Placement& known) { return known.name == name; });
  return next;
}

}  // namespace vitrine::recommend
