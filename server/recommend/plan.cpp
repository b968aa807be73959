#include "server/recommend/plan.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "server/recommend/rotation.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

Plan::Source looked_up(const std::string& name, Metrics& metrics, SourcePaces& paces) {
  const CandidateSource* const source = find_source(name);
  CHECK(source != nullptr, "a placement names a source there is");
  return {
      source, &paces.of(name),
      &metrics.counter("vitrine_recommend_source_seconds_total", "Time spent in candidate sources",
                       {{"source", name}}),
      &metrics.counter("vitrine_recommend_source_failures_total",
                       "Candidate sources that failed and were skipped", {{"source", name}}),
      &metrics.counter("vitrine_recommend_source_late_total",
                       "Candidate sources left out because of the deadline", {{"source", name}})};
}

Plan plan_of(const Placement& placement, Metrics& metrics, SourcePaces& paces) {
  CHECK(validate(placement).ok(), "a placement is checked before it is used");
  // Labels come from a fixed set: the shop's own placements share one.
  const MetricLabels labels = {
      {"placement", PlacementBook::ships(placement.name) ? placement.name : "custom"}};
  Plan plan{
      .placement = &placement,
      .sources = {},
      .found_by = {},
      .rules = compile(placement.rules),
      .blend = HandSetBlend({}),
      .fallback = {},
      .everything = looked_up(std::string(catalog_source().name()), metrics, paces),
      .related = looked_up(std::string(similar_source().name()), metrics, paces),
      .seconds = &metrics.histogram("vitrine_recommend_duration_seconds", "Time to make one answer",
                                    latency_bounds_seconds(), labels),
      .short_answers = &metrics.counter("vitrine_recommend_short_answers_total",
                                        "Answers with fewer products than asked for", labels),
      .late_answers =
          &metrics.counter("vitrine_recommend_late_answers_total",
                           "Answers made without some source because of the deadline", labels)};
  float sum = 0;
  for (const SourceWeight& weighted : placement.sources) sum += weighted.weight;
  std::vector<float> weights;
  for (const SourceWeight& weighted : placement.sources) {
    plan.sources.push_back(looked_up(weighted.source, metrics, paces));
    plan.found_by.push_back(plan.sources.back().source);
    weights.push_back(weighted.weight / sum);
  }
  plan.blend = HandSetBlend(std::move(weights));
  for (const std::string& name : placement.fallback) {
    plan.fallback.push_back(looked_up(name, metrics, paces));
  }
  return plan;
}

}  // namespace

Scratch& Scratch::of_this_thread(std::size_t place) {
  thread_local std::array<Scratch, k_places> memory;
  return memory[place];
}

const TasteSearch* Plan::Source::searched(const Context& context) const {
  const std::optional<Confidence> taste = source->taste();
  return taste ? context.tastes.find(*taste) : nullptr;
}

bool Plan::Source::has_time(const Context& context) const {
  const bool searches = is_search(context);
  if (searches && context.request.effort != Effort::whole) return false;
  return context.left_us() > (searches ? pace->expected_us() : 0);
}

bool Plan::Source::produce(const Context& context, std::vector<ProductNumber>& out) const {
  out.clear();
  const std::int64_t begun_us = context.steady();
  const absl::Status status = source->produce(context, out);
  const std::int64_t own_us = context.steady() - begun_us;
  const TasteSearch* const beforehand = searched(context);
  const std::int64_t share_us = beforehand != nullptr ? beforehand->share_us : 0;
  seconds->add(static_cast<double>(own_us + share_us) * 1e-6);
  if (is_search(context)) pace->note(own_us + (beforehand != nullptr ? beforehand->took_us : 0));
  if (status.ok()) return true;
  out.clear();
  const bool is_late = absl::IsDeadlineExceeded(status);
  (is_late ? late : failures)->add();
  return !is_late;
}

void Plan::Source::leave_out(const Context& context, std::vector<ProductNumber>& out) const {
  out.clear();
  late->add();
  if (is_search(context)) pace->pass();
}

void Plan::look_ahead(const Context& context, Scratch& memory) const {
  memory.is_whole = true;
  if (!context.is_in_audience()) return;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Source& source = sources[i];
    if (!source.is_search(context)) {
      ask(i, context, memory);
      continue;
    }
    const std::optional<Confidence> taste = source.source->taste();
    if (taste && source.has_time(context)) memory.context.tastes.add(context, *taste);
  }
}

void Plan::ask(std::size_t number, const Context& context, Scratch& memory) const {
  const Source& source = sources[number];
  const bool has_time = source.searched(context) != nullptr ||
                        (context.request.effort != Effort::fallback && source.has_time(context));
  if (has_time) {
    memory.is_whole = source.produce(context, memory.found[number]) && memory.is_whole;
  } else {
    source.leave_out(context, memory.found[number]);
    memory.is_whole = false;
  }
}

void Plan::gather(const Context& context, FilterStage& filter, Scratch& memory) const {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].is_search(context)) ask(i, context, memory);
  }
  if (!memory.is_whole) late_answers->add();
  memory.pool.begin();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    memory.pool.add(i, memory.found[i], filter, memory.context.marks);
  }
}

void Plan::sort(const Context& context, Pool& pool) const {
  if (const std::optional<LearntBlend> learnt = LearntBlend::of(context)) {
    pool.sort(*learnt);
  } else {
    pool.sort(blend);
  }
}

void Plan::fill(const Context& context, Scratch& memory, Selection& selection) const {
  Context wide = context;
  wide.pool = profiles::PopularityBook::k_top_max;
  for (const Source& source : fallback) {
    if (selection.is_full()) break;
    // What only looks something up is asked however late it is: somebody has to answer.
    if (source.is_search(context) && !source.has_time(context)) {
      source.leave_out(context, memory.products);
      continue;
    }
    source.produce(wide, memory.products);
    selection.fill(memory.products, *source.source);
  }
  if (!selection.is_full() && context.assortment != nullptr) {
    everything.produce(wide, memory.products);
    selection.fill(memory.products, *everything.source);
  }
}

Selection Plan::select(const Context& context, FilterStage& filter, Scratch& memory,
                       Chance& chance) const {
  Selection selection(context, filter);
  sort(context, memory.pool);
  Rotation(context).rescore(memory.pool);
  const RuleStage stage(context, rules);
  stage.rescore(memory.pool);
  Choice choice(context, stage, found_by, filter, memory.pool, selection);
  choice.pin();
  choice.choose(chance);
  if (!selection.is_full()) fill(context, memory, selection);
  selection.explain();
  if (placement->answers_newest && related.has_time(context) && !selection.answer_newest().ok())
    related.failures->add();
  selection.arrange();
  if (context.request.explain) selection.explain_rules(stage);
  return selection;
}

Plans::Plans(PlacementBook placements, Metrics& metrics, SourcePaces& paces)
    : book(std::move(placements)) {
  for (const Placement& placement : book.all()) plans.push_back(plan_of(placement, metrics, paces));
}

absl::StatusOr<const Plan*> Plans::find(std::string_view placement) const {
  const auto found = std::ranges::find_if(
      plans, [&](const Plan& plan) { return plan.placement->name == placement; });
  if (found != plans.end()) return &*found;
  std::string names;
  for (const Placement& known : book.all()) {
    if (!names.empty()) names += ", ";
    names += known.name;
  }
  return not_found("placement '{}' does not exist; there are {}",
                   placement.substr(0, PlacementLimits::k_name_bytes_max), names);
}

}  // namespace vitrine::recommend
