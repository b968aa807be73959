#include "server/recommend/sources/taste.h"

#include <algorithm>
#include <span>

#include "base/status.h"
#include "server/recommend/inner_product.h"
#include "server/recommend/reason.h"

namespace vitrine::recommend {
namespace {

// At most so many of what the person bought is hidden, where most of it may come back.
constexpr std::size_t k_undue_max = 100;

// How many products may be hidden because the person bought them.
std::size_t hidden_purchases_of(const Context& context) {
  if (context.profile == nullptr) return 0;
  const std::size_t bought = context.profile->bought.size();
  switch (context.placement.purchased) {
    case PurchasedPolicy::show:
      return 0;
    case PurchasedPolicy::show_when_due:
      return std::min(bought, k_undue_max);
    case PurchasedPolicy::hide_for_180_days:
      return bought;
  }
  return bought;
}

}  // namespace

absl::Status nearest_to(const Context& context, std::span<const float> query,
                        std::vector<ProductNumber>& out) {
  if (context.live->index() == nullptr || context.live->row_count() == 0) return absl::OkStatus();
  // What the filter surely takes away is asked for on top.
  const std::size_t surplus =
      context.interests.size() + context.request.exclude.size() + hidden_purchases_of(context);
  // Of an assortment the index gives nothing else, so no more has to be asked for.
  const bool is_narrow = context.assortment != nullptr;
  const std::size_t pool =
      is_narrow ? Context::k_pool_products + context.request.limit : context.pool;
  const std::size_t k = std::min(pool + surplus, index::ProductIndex::k_max);
  const index::RowFilter& allowed =
      is_narrow ? context.assortment->rows() : context.live->showable();
  VITRINE_ASSIGN_OR_RETURN(const std::vector<index::Neighbor> nearest,
                           context.live->search(query, k, allowed, context.left_us()));
  for (const index::Neighbor& neighbor : nearest) {
    const ProductNumber product = context.live->number_of(neighbor.row);
    if (!context.marks.has(product, Mark::seen)) out.push_back(product);
  }
  return absl::OkStatus();
}

absl::Status nearest_to_taste(const Context& context, Confidence confidence,
                              std::vector<ProductNumber>& out) {
  if (context.live->model() == nullptr) return absl::OkStatus();
  thread_local std::vector<Observation> observations;
  thread_local std::vector<float> taste;
  observations.clear();
  for (const Interest& interest : context.interests) {
    const std::span<const float> vector = context.vector_of(interest.product);
    if (!vector.empty() && interest.*confidence > 0) {
      observations.push_back({.factors = vector.data(), .confidence = interest.*confidence});
    }
  }
  if (observations.empty()) return absl::OkStatus();
  const FactorModel& factors = context.live->model()->factors();
  taste.resize(factors.dimension());
  factors.fold_in(observations, taste);
  return nearest_to(context, taste, out);
}

Reason taste_reason(const Context& context, Confidence confidence, ProductNumber product) {
  const std::span<const float> candidate = context.vector_of(product);
  const Interest* strongest = nullptr;
  bool is_named = false;
  float most = 0;
  for (const Interest& interest : context.interests) {
    const std::span<const float> vector = context.vector_of(interest.product);
    if (vector.size() != candidate.size() || !(interest.*confidence > 0)) continue;
    const float share = interest.*confidence * dot(vector, candidate);
    if (!(share > 0) || (is_named && share <= most)) continue;
    const bool may_be_named = context.may_name(interest.product);
    if (may_be_named != is_named ? may_be_named : share > most) {
      is_named = may_be_named;
      most = share;
      strongest = &interest;
    }
  }
  if (strongest == nullptr) return {.kind = "for_you", .product_id = {}, .text = "Chosen for you"};
  if (strongest->product == product) {
    return about_product(context, "bought_before", "You bought before:", product);
  }
  return because_of(context, *strongest);
}

}  // namespace vitrine::recommend
