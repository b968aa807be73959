// The one place that decides what may not be shown, for all sources and fallbacks alike.
//
// Asks about each product once a request, and counts what it took away and why. Thread-safety: one
// request, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

enum class Removal : std::uint8_t {
  not_in_catalog,
  hidden,
  out_of_stock,
  unavailable,
  market,
  category,
  filter,
  excluded,
  in_cart,
  current_product,
  purchased,
  on_page,
  variant,
  category_cap,
  brand_cap,
  repeat_cap
};
constexpr std::size_t k_removal_count = 16;
std::string_view name_of(Removal removal);

// Why `product` may not be shown; nothing when it may. A product the catalog does not know passes
// only while the catalog is empty altogether: a shop that sends events and nothing else.
std::optional<Removal> removal_of(const Context& context, ProductNumber product);

class FilterStage {
 public:
  // `marks` are the context's own.
  FilterStage(const Context& context, ProductMarks& marks);

  // Has the memory begin to fetch what admits() will look at, where hundreds of products lie all
  // over it.
  void expect(std::span<const ProductNumber> products) const;
  bool admits(ProductNumber product);
  // The product itself where it is admitted, else the most wanted of its variants that is: in place
  // of what is sold out or does not fit, not of what this person or request does not want.
  std::optional<ProductNumber> shown_for(ProductNumber product);
  // Counts, once, a product that passed and gives way to others: to another variant of its group,
  // or to those that fill a cap.
  void count_yielded(ProductNumber product, Removal why);
  std::vector<Removed> removed() const;

 private:
  std::optional<ProductNumber> variant_for(ProductNumber product);
  std::optional<Removal> verdict_of(ProductNumber product) const;

  const Context& context_;
  ProductMarks& marks_;
  std::optional<Removal> outside_;  // why what is not in the assortment goes, if there is one why
  const bool reads_products_;       // of what is always showable; otherwise a bit tells enough
  std::array<std::size_t, k_removal_count> counts_{};
};

}  // namespace vitrine::recommend
