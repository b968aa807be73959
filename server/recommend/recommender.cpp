#include "server/recommend/recommender.h"

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/status.h"
#include "server/recommend/answering.h"
#include "server/recommend/blend.h"
#include "server/recommend/filter_stage.h"
#include "server/recommend/sources/sources.h"
#include "server/recommend/visit.h"

namespace vitrine::recommend {

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

RecommendedProduct shown(const Context& context, Pick pick) {
  RecommendedProduct product;
  product.number = pick.product;
  product.product = context.catalog->find(pick.product);
  product.product_id = std::string(context.id_of(pick.product));
  product.score = pick.score;
  product.source = pick.source->name();
  if (pick.reason) product.reason = *std::move(pick.reason);
  product.rules = std::move(pick.rules);
  product.propensity = pick.propensity;
  if (context.request.explain && pick.entry != nullptr) {
    product.source_scores = source_scores(context, *pick.entry);
  }
  return product;
}

std::vector<std::pair<std::string_view, float>> source_scores(const Context& context,
                                                              const Pool::Entry& entry) {
  std::vector<std::pair<std::string_view, float>> scores;
  const std::vector<SourceWeight>& sources = context.placement.sources;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (entry.parts[i] > 0) {
      scores.emplace_back(find_source(sources[i].source)->name(), entry.parts[i]);
    }
  }
  return scores;
}

RecommendAnswer begin_answer(const Context& context) {
  RecommendAnswer answer;
  answer.recommendation_id = make_ulid(context.now_ms);
  answer.time_ms = context.now_ms;
  answer.user = context.user;
  answer.placement = context.placement.name;
  answer.placement_version = context.placement.version;
  answer.model_version = context.live->version();
  answer.personalized = context.is_personal();
  answer.catalog = context.catalog;
  return answer;
}

void look_ahead(const Plan& plan, const Context& context, Scratch& memory) {
  plan.look_ahead(context, memory);
  SharedTastes tastes;
  tastes.add(context, memory.context.tastes);
  tastes.search();
}

RecommendAnswer answer_with(const Plan& plan, const Context& context, const Begun& begun,
                            Scratch& memory, Chance& chance) {
  if (!context.is_in_audience()) {
    RecommendAnswer nothing = begin_answer(context);
    nothing.in_audience = false;
    return nothing;
  }
  FilterStage filter(context, memory.context.marks);
  plan.gather(context, filter, memory);
  const std::int64_t candidates_us = steady_us();
  std::vector<Pick> picks = plan.select(context, filter, memory, chance).take();
  RecommendAnswer answer = begin_answer(context);
  answer.products.reserve(picks.size());
  for (Pick& pick : picks) answer.products.push_back(shown(context, std::move(pick)));
  answer.removed = filter.removed();
  const std::int64_t ended_us = steady_us();
  answer.total_us = ended_us - begun.started_us;
  answer.profile_us = begun.known_us - begun.started_us;
  answer.candidates_us = candidates_us - begun.known_us;
  answer.rank_us = ended_us - candidates_us;
  plan.seconds->observe(static_cast<double>(answer.total_us) * 1e-6);
  if (answer.products.size() < context.request.limit) plan.short_answers->add();
  return answer;
}

Recommender::Recommender(const Parts& parts, PlacementBook placements)
    : parts_(parts),
      plans_(std::make_shared<const Plans>(std::move(placements), parts.metrics, paces_)),
      chance_(parts.chance_seed),
      assortments_(&parts.metrics.gauge("vitrine_recommend_columns_bytes",
                                        "Memory of the products' fields side by side")) {}

Recommender::~Recommender() = default;

void Recommender::prepare() const { assortments_.prepare(parts_.catalog.current()); }

void Recommender::use(PlacementBook placements) {
  plans_.publish(std::make_shared<const Plans>(std::move(placements), parts_.metrics, paces_));
}

std::shared_ptr<const PlacementBook> Recommender::placements() const {
  const std::shared_ptr<const Plans> plans = plans_.current();
  return {plans, &plans->book};
}

Context Recommender::context_for(const Snapshot& snapshot, const RecommendRequest& request,
                                 const Placement& placement, Scratch& memory,
                                 std::span<const ProductNumber> on_page) const {
  Context context = make_context(parts_, snapshot, request, placement, memory.context, on_page);
  context.assortment = assortments_.find(scope_of(request, placement), context.numbers,
                                         context.catalog, context.live, context.now_ms);
  // What a filter says of the visit holds for all products or for none.
  const bool is_closed =
      context.visit != nullptr && !(context.visit->allows(request.filter.expression) &&
                                    context.visit->allows(placement.filter.expression));
  if (is_closed && context.assortment != nullptr) {
    context.assortment = Assortment::of({}, context.numbers, context.catalog, context.live);
  }
  return context;
}

absl::StatusOr<Candidates> Recommender::candidates(const RecommendRequest& request) const {
  const std::shared_ptr<const Plans> plans = plans_.current();
  VITRINE_ASSIGN_OR_RETURN(const Plan* const plan, plans->find(request.placement));
  VITRINE_RETURN_IF_ERROR(check(request, *plan->placement));
  Scratch& memory = Scratch::of_this_thread();
  const Snapshot snapshot = take_snapshot(parts_, request);
  const Context context = context_for(snapshot, request, *plan->placement, memory);
  look_ahead(*plan, context, memory);
  FilterStage filter(context, memory.context.marks);
  plan->gather(context, filter, memory);
  const FeatureReader reader(context);
  const std::size_t sources = plan->sources.size();
  Candidates candidates;
  for (const Pool::Entry& entry : memory.pool.entries()) {
    candidates.products.push_back(entry.product);
    append_blend_inputs(entry, sources, reader, candidates.inputs);
  }
  return candidates;
}

absl::StatusOr<RecommendAnswer> Recommender::recommend(const RecommendRequest& request) const {
  return std::move(recommend_together({&request, 1}).front());
}

std::vector<absl::StatusOr<RecommendAnswer>> Recommender::recommend_together(
    std::span<const RecommendRequest> requests) const {
  const std::shared_ptr<const Plans> plans = plans_.current();
  std::vector<absl::StatusOr<RecommendAnswer>> answers;
  answers.reserve(requests.size());
  while (!requests.empty()) {
    const std::size_t count = std::min(requests.size(), Scratch::k_places);
    answer_some(*plans, requests.first(count), answers);
    requests = requests.subspan(count);
  }
  return answers;
}

void Recommender::answer_some(const Plans& plans, std::span<const RecommendRequest> requests,
                              std::vector<absl::StatusOr<RecommendAnswer>>& answers) const {
  struct Known {
    const Plan& plan;
    const Context context;
    const Begun begun;
  };
  std::array<std::optional<Known>, Scratch::k_places> known;
  const std::size_t first = answers.size();
  SharedTastes tastes;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::int64_t started_us = steady_us();
    const absl::StatusOr<const Plan*> plan = plans.find(requests[i].placement);
    const absl::Status status = plan.ok() ? check(requests[i], *(*plan)->placement) : plan.status();
    answers.emplace_back(status.ok() ? internal_error("no answer yet") : status);
    if (!status.ok()) continue;
    Scratch& memory = Scratch::of_this_thread(i);
    const Snapshot snapshot = take_snapshot(parts_, requests[i]);
    known[i].emplace(**plan, context_for(snapshot, requests[i], *(*plan)->placement, memory),
                     Begun{started_us});
    (*plan)->look_ahead(known[i]->context, memory);
    tastes.add(known[i]->context, memory.context.tastes);
  }
  tastes.search();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!known[i]) continue;
    answers[first + i] = answer_with(known[i]->plan, known[i]->context, known[i]->begun,
                                     Scratch::of_this_thread(i), chance_);
  }
}

absl::StatusOr<std::vector<RecommendAnswer>> Recommender::recommend_page(
    std::span<const RecommendRequest> requests) const {
  if (requests.empty() || requests.size() > k_page_max) {
    return invalid_argument("placements must have between 1 and {} entries, got {}", k_page_max,
                            requests.size());
  }
  const std::shared_ptr<const Plans> plans = plans_.current();
  std::vector<const Plan*> asked;
  for (const RecommendRequest& request : requests) {
    const absl::StatusOr<const Plan*> plan = plans->find(request.placement);
    const absl::Status status = plan.ok() ? check(request, *(*plan)->placement) : plan.status();
    if (!status.ok()) {
      return make_status(status.code(), "placements[{}]: {}", asked.size(), message_of(status));
    }
    asked.push_back(*plan);
  }

  const Snapshot snapshot = take_snapshot(parts_, requests.front());
  Scratch& memory = Scratch::of_this_thread();
  std::vector<RecommendAnswer> answers;
  std::vector<ProductNumber> on_page;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::int64_t started_us = steady_us();
    const Context context =
        context_for(snapshot, requests[i], *asked[i]->placement, memory, on_page);
    const Begun begun{started_us};
    look_ahead(*asked[i], context, memory);
    answers.push_back(answer_with(*asked[i], context, begun, memory, chance_));
    for (const RecommendedProduct& product : answers.back().products) {
      on_page.push_back(product.number);
    }
  }
  return answers;
}

}  // namespace vitrine::recommend
