#include "server/recommend/recommender.h"

#include <algorithm>

#include "base/check.h"
#include "base/crypto.h"
#include "base/status.h"
#include "server/recommend/context.h"
#include "server/recommend/filter_stage.h"
#include "server/recommend/pool.h"
#include "server/recommend/selection.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// A thread's memory between two requests.
struct Scratch {
  ContextMemory context;
  std::vector<ProductNumber> products;  // what one source gave
  Pool pool;
};

Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

std::string names_of(const PlacementBook& placements) {
  std::string names;
  for (const Placement& placement : placements.all()) {
    if (!names.empty()) names += ", ";
    names += placement.name;
  }
  return names;
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
  if (placement.needs_product && request.product_id.empty()) {
    return invalid_argument("product_id is required by placement '{}'", placement.name);
  }
  if (placement.needs_cart && request.cart.empty()) {
    return invalid_argument("cart must name at least one product for placement '{}'",
                            placement.name);
  }
  return absl::OkStatus();
}

}  // namespace

// A placement with its sources looked up and its metrics.
struct Recommender::Plan {
  struct Source {
    const CandidateSource* source;
    float weight;  // its part of 1; 0 for what only fills up
    Counter* failures;

    // One that fails leaves `out` empty.
    void produce(const Context& context, std::vector<ProductNumber>& out) const {
      out.clear();
      if (source->produce(context, out).ok()) return;
      failures->add();
      out.clear();
    }
  };

  // The best of the pool, filled up, explained.
  Selection select(const Context& context, FilterStage& filter, Scratch& memory) const;

  const Placement* placement;
  std::vector<Source> sources;
  std::vector<Source> fallback;
  Source related;  // the one behind Selection::answer_newest
  Histogram* seconds;
  Counter* short_answers;
};

namespace {

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
  answer.model_version = context.live->version();
  answer.personalized = !context.interests.empty();
  answer.products.reserve(selection.picks().size());
  for (const Pick& pick : selection.picks()) answer.products.push_back(shown(context, pick));
  answer.removed = filter.removed();
  return answer;
}

}  // namespace

Selection Recommender::Plan::select(const Context& context, FilterStage& filter,
                                    Scratch& memory) const {
  Selection selection(context, filter);
  memory.pool.sort();
  while (!selection.is_full()) {
    const Pool::Entry* const best = memory.pool.next();
    if (best == nullptr) break;
    selection.add(best->product, best->score, *sources[best->strongest].source, best);
  }
  Context wide = context;
  wide.pool = profiles::PopularityBook::k_top_max;
  for (const Source& source : fallback) {
    if (selection.is_full()) break;
    source.produce(wide, memory.products);
    selection.fill(memory.products, *source.source);
  }
  selection.explain();
  if (placement->answers_newest && !selection.answer_newest().ok()) related.failures->add();
  return selection;
}

Recommender::Recommender(const Parts& parts, PlacementBook placements)
    : parts_(parts), placements_(std::move(placements)) {
  const auto looked_up = [&](const std::string& name, float weight) {
    const CandidateSource* const source = find_source(name);
    CHECK(source != nullptr, "a placement names a source there is");
    return Plan::Source{source, weight,
                        &parts_.metrics.counter("vitrine_recommend_source_failures_total",
                                                "Candidate sources that failed and were skipped",
                                                {{"source", name}})};
  };
  for (const Placement& placement : placements_.all()) {
    CHECK(placement.sources.size() <= Pool::k_sources_max, "a placement has few sources");
    const MetricLabels labels = {{"placement", placement.name}};
    Plan plan{.placement = &placement,
              .sources = {},
              .fallback = {},
              .related = looked_up(std::string(similar_source().name()), 0),
              .seconds = &parts_.metrics.histogram("vitrine_recommend_duration_seconds",
                                                   "Time to make one answer",
                                                   latency_bounds_seconds(), labels),
              .short_answers =
                  &parts_.metrics.counter("vitrine_recommend_short_answers_total",
                                          "Answers with fewer products than asked for", labels)};
    float sum = 0;
    for (const SourceWeight& weighted : placement.sources) sum += weighted.weight;
    for (const SourceWeight& weighted : placement.sources) {
      plan.sources.push_back(looked_up(weighted.source, weighted.weight / sum));
    }
    for (const std::string& name : placement.fallback) plan.fallback.push_back(looked_up(name, 0));
    plans_.push_back(std::move(plan));
  }
}

Recommender::~Recommender() = default;

absl::StatusOr<RecommendAnswer> Recommender::recommend(const RecommendRequest& request) const {
  const std::int64_t started_us = steady_us();
  const auto plan = std::ranges::find_if(
      plans_, [&](const Plan& known) { return known.placement->name == request.placement; });
  if (plan == plans_.end()) {
    return not_found("placement '{}' does not exist; there are {}", request.placement.substr(0, 64),
                     names_of(placements_));
  }
  VITRINE_RETURN_IF_ERROR(check(request, *plan->placement));

  Scratch& memory = scratch();
  const Context context = make_context(parts_, request, *plan->placement, memory.context);
  memory.pool.begin();
  const std::int64_t profile_us = steady_us();
  FilterStage filter(context, memory.context.marks);
  for (std::size_t i = 0; i < plan->sources.size(); ++i) {
    plan->sources[i].produce(context, memory.products);
    memory.pool.add(i, plan->sources[i].weight, memory.products, filter, memory.context.marks);
  }
  const std::int64_t candidates_us = steady_us();
  const Selection selection = plan->select(context, filter, memory);
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
