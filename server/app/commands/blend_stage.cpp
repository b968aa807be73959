#include "server/app/commands/blend_stage.h"

#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "server/app/terminal/progress.h"
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
  writer.end_array().key("left_out").begin_object();
  for (const auto& [placement, reason] : learnt.left_out)
    writer.field(placement.empty() ? "all" : placement, reason);
  writer.end_object().end_object();
  print_line(line);
}

// "home, cart; product_page by hand-set weights: 0 questions, 50 are needed"
std::string summary_of(const rehearsal::LearntBlends& learnt) {
  std::string text;
  for (const auto& [placement, blend] : learnt.table.placements()) {
    if (!text.empty()) text += ", ";
    text += placement;
  }
  for (const auto& [placement, reason] : learnt.left_out) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{}hand-set weights stay: {}", placement.empty() ? "" : placement + ": ",
                        reason);
  }
  return text;
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
  Progress progress("blend", invocation.json);
  const training::TrainObserver observer{
      .on_epoch = {},
      .on_stage = {},
      .on_progress = [&](std::string_view what, double share) { progress.update(share, what); },
      .cancel = &cancel};
  VITRINE_ASSIGN_OR_RETURN(rehearsal::LearntBlends learnt,
                           rehearsal::learn_blends(input.source(), products, data, flags.options,
                                                   observer, {.bytes_max = memory_limit(flags)}));
  if (invocation.json) report_json(learnt, static_cast<double>(steady_us() - started_us) / 1e6);
  progress.finish(summary_of(learnt));
  return learnt;
}

}  // namespace vitrine::app
