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

void append_unseen(const Context& context, std::span<const index::Neighbor> nearest,
                   std::vector<ProductNumber>& out) {
  for (const index::Neighbor& neighbor : nearest) {
    const ProductNumber product = context.live->number_of(neighbor.row);
    if (!context.marks.has(product, Mark::seen)) out.push_back(product);
  }
}

}  // namespace

std::size_t nearest_count(const Context& context) {
  // What the filter surely takes away is asked for on top.
  const std::size_t surplus =
      context.interests.size() + context.request.exclude.size() + hidden_purchases_of(context);
  // Of an assortment the index gives nothing else, so no more has to be asked for.
  const std::size_t pool = context.assortment != nullptr
                               ? Context::k_pool_products + context.request.limit
                               : context.pool;
  return std::min(pool + surplus, index::ProductIndex::k_max);
}

const index::RowFilter& nearest_among(const Context& context) {
  return context.assortment != nullptr ? context.assortment->rows() : context.live->showable();
}

absl::Status nearest_to(const Context& context, std::span<const float> query,
                        std::vector<ProductNumber>& out) {
  if (context.live->index() == nullptr || context.live->row_count() == 0) return absl::OkStatus();
  VITRINE_ASSIGN_OR_RETURN(const std::vector<index::Neighbor> nearest,
                           context.live->search(query, nearest_count(context),
                                                nearest_among(context), context.left_us()));
  append_unseen(context, nearest, out);
  return absl::OkStatus();
}

bool fold_in_taste(const Context& context, Confidence confidence, std::vector<float>& taste) {
  if (context.live->index() == nullptr || context.live->row_count() == 0) return false;
  thread_local std::vector<Observation> observations;
  observations.clear();
  for (const Interest& interest : context.interests) {
    const std::span<const float> vector = context.vector_of(interest.product);
    if (!vector.empty() && interest.*confidence > 0) {
      observations.push_back({.factors = vector.data(), .confidence = interest.*confidence});
    }
  }
  if (observations.empty()) return false;
  const FactorModel& factors = context.live->model()->factors();
  taste.resize(factors.dimension());
  factors.fold_in(observations, taste);
  return true;
}

absl::Status nearest_to_taste(const Context& context, Confidence confidence,
                              std::vector<ProductNumber>& out) {
  if (const TasteSearch* const search = context.tastes.find(confidence)) {
    if (search->found.ok()) append_unseen(context, *search->found, out);
    return search->found.status();
  }
  thread_local std::vector<float> taste;
  if (!fold_in_taste(context, confidence, taste)) return absl::OkStatus();
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
