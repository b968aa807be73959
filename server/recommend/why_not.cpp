// Why a product is not in an answer: the answer is made, and its traces are read.
#include <algorithm>

#include "base/status.h"
#include "server/recommend/answering.h"
#include "server/recommend/filter_stage.h"

namespace vitrine::recommend {
namespace {

bool shows_variant_of(const Context& context, const RecommendAnswer& answer,
                      ProductNumber product) {
  const Product* const known = context.catalog->find(product);
  return known != nullptr && !known->group_id.empty() &&
         std::ranges::any_of(answer.products, [&](const RecommendedProduct& shown) {
           return shown.product != nullptr && shown.product->group_id == known->group_id;
         });
}

// Precondition: the answer in `found` was just made, on this thread.
void read_candidate(const Context& context, ProductMarks& marks, const Pool& pool,
                    ProductNumber product, WhyNot& found) {
  const std::uint32_t slot = marks.at(product).slot;
  found.is_candidate = slot != ProductMarks::k_no_slot;
  if (!found.is_candidate) return;
  const Pool::Entry& entry = pool.entries()[slot];
  found.score = entry.score;
  found.source_scores = source_scores(context, entry);
}

std::string_view stage_of(const Context& context, const WhyNot& found, ProductNumber product) {
  if (!found.answer.in_audience) return "audience";
  if (const std::optional<Removal> removal = removal_of(context, product)) return name_of(*removal);
  if (shows_variant_of(context, found.answer, product)) return name_of(Removal::variant);
  return found.is_candidate ? "score" : "no_candidate";
}

}  // namespace

absl::StatusOr<WhyNot> Recommender::why_not(const RecommendRequest& request,
                                            std::string_view product_id) const {
  const std::int64_t started_us = steady_us();
  const std::shared_ptr<const Plans> plans = plans_.current();
  VITRINE_ASSIGN_OR_RETURN(const Plan* const plan, plans->find(request.placement));
  VITRINE_RETURN_IF_ERROR(check(request, *plan->placement));
  Scratch& memory = Scratch::of_this_thread();
  const Snapshot snapshot = take_snapshot(parts_, request);
  const Context context = context_for(snapshot, request, *plan->placement, memory);
  const Begun begun{started_us};
  look_ahead(*plan, context, memory);

  WhyNot found;
  found.answer = answer_with(*plan, context, begun, memory, chance_);
  const std::optional<ProductNumber> product = context.numbers.find(product_id);
  if (!product) {
    found.stage = "unknown_product";
    return found;
  }
  if (found.answer.in_audience)
    read_candidate(context, memory.context.marks, memory.pool, *product, found);
  const auto shown =
      std::ranges::find(found.answer.products, *product, &RecommendedProduct::number);
  if (shown != found.answer.products.end()) {
    found.position = static_cast<std::size_t>(shown - found.answer.products.begin()) + 1;
    return found;
  }
  found.stage = stage_of(context, found, *product);
  return found;
}

}  // namespace vitrine::recommend
