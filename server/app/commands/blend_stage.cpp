#include "server/app/commands/blend_stage.h"

#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

void report_json(const rehearsal::LearntBlends& learnt, double seconds) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object().field("stage", "blend").field("seconds", seconds).key("placements");
  writer.begin_array();
  for (const auto& [placement, blend] : learnt.table.placements()) writer.value(placement);
  writer.end_array().end_object();
  print_line(line);
}

std::string summary_of(const rehearsal::LearntBlends& learnt) {
  if (learnt.table.empty()) return "too little to learn from, hand-set weights stay";
  std::string placements;
  for (const auto& [placement, blend] : learnt.table.placements()) {
    if (!placements.empty()) placements += ", ";
    placements += placement;
  }
  return placements;
}

}  // namespace

absl::StatusOr<rehearsal::LearntBlends> learn_blends(const Invocation& invocation,
                                                     TrainingInput& input,
                                                     std::span<const Product> products,
                                                     const training::DatasetOptions& data,
                                                     const TrainingFlags& flags,
                                                     const std::atomic<bool>& cancel) {
  const std::int64_t started_us = steady_us();
  note(invocation, "blend: learning how to weigh the sources");
  VITRINE_ASSIGN_OR_RETURN(
      rehearsal::LearntBlends learnt,
      rehearsal::learn_blends(input.source(), products, data, flags.options,
                              {.on_epoch = {}, .on_stage = {}, .cancel = &cancel}));
  const double seconds = static_cast<double>(steady_us() - started_us) / 1e6;
  if (invocation.json && !learnt.table.empty()) {
    report_json(learnt, seconds);
  } else if (!invocation.json) {
    note(invocation, fmt::format("blend: {} ({})", summary_of(learnt), duration_text(seconds)));
  }
  return learnt;
}

}  // namespace vitrine::app
