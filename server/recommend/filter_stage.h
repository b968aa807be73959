// The one place that decides what may not be shown, for all sources and fallbacks alike.
//
// Asks about each product once a request, and counts what it took away and why. Thread-safety: one
// request, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
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
  excluded,
  in_cart,
  current_product,
  purchased,
  variant
};
constexpr std::size_t k_removal_count = 11;
std::string_view name_of(Removal removal);

// Why `product` may not be shown; nothing when it may. A product the catalog does not know passes
// only while the catalog is empty altogether: a shop that sends events and nothing else.
std::optional<Removal> removal_of(const Context& context, ProductNumber product);

class FilterStage {
 public:
  // `marks` are the context's own.
  FilterStage(const Context& context, ProductMarks& marks) : context_(context), marks_(marks) {}

  bool admits(ProductNumber product);
  // Counts, once, a product that passed and gives way to another variant of its group.
  void count_variant(ProductNumber product);
  std::vector<Removed> removed() const;

 private:
  const Context& context_;
  ProductMarks& marks_;
  std::array<std::size_t, k_removal_count> counts_{};
};

}  // namespace vitrine::recommend
