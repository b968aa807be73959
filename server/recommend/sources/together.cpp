#include <algorithm>
#include <span>

#include "server/recommend/reason.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// Of a long cart the products put in last count.
constexpr std::size_t k_cart_products_max = 50;

struct Bond {
  std::uint32_t row;
  float score;
};

std::span<const RelatedProduct> bonds_of(const Context& context, ProductNumber product) {
  const std::optional<std::uint32_t> row = context.live->row_of(product);
  if (!row || *row >= context.live->model_row_count()) return {};
  return context.live->model()->together().of(*row);
}

template <class Visit>
void for_each_base(const Context& context, Visit&& visit) {
  if (context.product) visit(*context.product);
  const std::size_t skipped =
      context.cart.size() - std::min(context.cart.size(), k_cart_products_max);
  for (const ProductNumber product : std::span(context.cart).subspan(skipped)) visit(product);
}

// One entry a row, with the sum of its scores.
void sum_by_row(std::vector<Bond>& bonds) {
  std::ranges::sort(bonds, {}, &Bond::row);
  std::size_t kept = 0;
  for (const Bond& bond : bonds) {
    if (kept > 0 && bonds[kept - 1].row == bond.row) {
      bonds[kept - 1].score += bond.score;
    } else {
      bonds[kept++] = bond;
    }
  }
  bonds.resize(kept);
}

class Together final : public CandidateSource {
 public:
  std::string_view name() const override { return "together"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    thread_local std::vector<Bond> bonds;
    bonds.clear();
    for_each_base(context, [&](ProductNumber base) {
      for (const RelatedProduct& related : bonds_of(context, base)) {
        bonds.push_back({.row = related.row, .score = related.score});
      }
    });
    sum_by_row(bonds);
    std::ranges::stable_sort(bonds, std::greater<>(), &Bond::score);
    for (const Bond& bond : bonds) out.push_back(context.live->number_of(bond.row));
    return absl::OkStatus();
  }

  // Names the product of the page or cart with the strongest bond.
  Reason reason(const Context& context, ProductNumber product) const override {
    std::optional<ProductNumber> strongest;
    float most = 0;
    for_each_base(context, [&](ProductNumber base) {
      for (const RelatedProduct& related : bonds_of(context, base)) {
        if (context.live->number_of(related.row) != product) continue;
        if (!strongest || related.score > most) {
          strongest = base;
          most = related.score;
        }
      }
    });
    return about_product(context, "bought_together", "Often bought together with",
                         strongest.value_or(product));
  }
};

}  // namespace

const CandidateSource& together_source() {
  static const Together source;
  return source;
}

}  // namespace vitrine::recommend
