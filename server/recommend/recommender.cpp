#include "server/recommend/recommender.h"

#include "base/crypto.h"
#include "base/status.h"
#include "server/recommend/context.h"
#include "server/recommend/filter_stage.h"
#include "server/recommend/plan.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

absl::Status check(const RecommendRequest& request, const Placement& placement) {
  if (request.limit < 1 || request.limit > Recommender::k_limit_max) {
    return invalid_argument("limit must be between 1 and {}, got {}", Recommender::k_limit_max,
                            request.limit);
  }
  if (request.cart.size() > Recommender::k_list_max) {
    return invalid_argument("cart must have at most {} products, got {}", Recommender::k_list_max,
                            request.cart.size());
  }
  if (request.exclude.size() > Recommender::k_list_max) {
    return invalid_argument("exclude must have at most {} products, got {}",
                            Recommender::k_list_max, request.exclude.size());
  }
  VITRINE_RETURN_IF_ERROR(validate(request.filter, "filter"));
  VITRINE_RETURN_IF_ERROR(validate(request.boosts, "boost", k_boosts_max));
  if (placement.needs_product && request.product_id.empty()) {
    return invalid_argument("product_id is required by placement '{}'", placement.name);
  }
  if (placement.needs_cart && request.cart.empty()) {
    return invalid_argument("cart must name at least one product for placement '{}'",
                            placement.name);
  }
  return absl::OkStatus();
}

RecommendedProduct shown(const Context& context, const Pick& pick) {
  RecommendedProduct product;
  product.number = pick.product;
  if (const Product* const known = context.catalog->find(pick.product)) {
    product.product = std::shared_ptr<const Product>(context.catalog, known);
  }
  product.product_id = std::string(context.numbers.id_of(pick.product));
  product.score = pick.score;
  product.source = pick.source->name();
  product.reason = pick.reason.value_or(Reason{});
  product.rules = pick.rules;
  product.propensity = pick.propensity;
  if (!context.request.explain || pick.entry == nullptr) return product;
  const std::vector<SourceWeight>& sources = context.placement.sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (pick.entry->parts[i] > 0) {
      product.source_scores.emplace_back(find_source(sources[i].source)->name(),
                                         pick.entry->parts[i]);
    }
  }
  return product;
}

RecommendAnswer make_answer(const Context& context, const Selection& selection,
                            const FilterStage& filter) {
  RecommendAnswer answer;
  answer.recommendation_id = make_ulid(context.now_ms);
  answer.placement = context.placement.name;
  answer.placement_version = context.placement.version;
  answer.model_version = context.live->version();
  answer.personalized = context.is_personal();
  answer.products.reserve(selection.picks().size());
  for (const Pick& pick : selection.picks()) answer.products.push_back(shown(context, pick));
  answer.removed = filter.removed();
  return answer;
}

}  // namespace

Recommender::Recommender(const Parts& parts, PlacementBook placements)
    : parts_(parts),
      plans_(std::make_shared<const Plans>(std::move(placements), parts.metrics)),
      chance_(parts.chance_seed) {}

Recommender::~Recommender() = default;

void Recommender::use(PlacementBook placements) {
  plans_.publish(std::make_shared<const Plans>(std::move(placements), parts_.metrics));
}

std::shared_ptr<const PlacementBook> Recommender::placements() const {
  const std::shared_ptr<const Plans> plans = plans_.current();
  return {plans, &plans->book};
}

absl::StatusOr<RecommendAnswer> Recommender::recommend(const RecommendRequest& request) const {
  const std::int64_t started_us = steady_us();
  const std::shared_ptr<const Plans> plans = plans_.current();
  VITRINE_ASSIGN_OR_RETURN(const Plan* const plan, plans->find(request.placement));
  VITRINE_RETURN_IF_ERROR(check(request, *plan->placement));

  Scratch& memory = scratch();
  Context context = make_context(parts_, request, *plan->placement, memory.context);
  context.assortment = assortments_.find(scope_of(request, *plan->placement), context.numbers,
                                         context.catalog, context.live, context.now_ms);
  const std::int64_t profile_us = steady_us();
  FilterStage filter(context, memory.context.marks);
  plan->gather(context, filter, memory);
  const std::int64_t candidates_us = steady_us();
  const Selection selection = plan->select(context, filter, memory, chance_);
  RecommendAnswer answer = make_answer(context, selection, filter);
  const std::int64_t ended_us = steady_us();
  answer.total_us = ended_us - started_us;
  answer.profile_us = profile_us - started_us;
  answer.candidates_us = candidates_us - profile_us;
  answer.rank_us = ended_us - candidates_us;
  plan->seconds->observe(static_cast<double>(answer.total_us) * 1e-6);
  if (answer.products.size() < request.limit) plan->short_answers->add();
  return answer;
}

}  // namespace vitrine::recommend
