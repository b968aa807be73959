#include "server/app/commands/promotion.h"

#include "base/status.h"
#include "index/build_index.h"
#include "model/model_manifest.h"
#include "model/model_registry.h"

namespace vitrine::app {
namespace {

// Share of the true best 100 that the index must find.
constexpr double k_index_recall_min = 0.98;

training::GateVerdict check_complete(const training::TrainOutcome& trained,
                                     std::uint64_t current_products) {
  training::GateVerdict verdict = training::check_model(trained, current_products, {});
  if (!verdict.passed) return verdict;
  const FactorModel& factors = trained.model->factors();
  const absl::StatusOr<index::BuiltIndex> built = index::build_index(
      {factors.data(), factors.row_count(), factors.dimension(), factors.stride()});
  if (!built.ok()) {
    verdict.passed = false;
    verdict.reason = fmt::format("its index cannot be built: {}", message_of(built.status()));
  } else if (built->recall < k_index_recall_min) {
    verdict.passed = false;
    verdict.reason = fmt::format("its index finds {:.2f} % of what it should, {:.2f} % are needed",
                                 100 * built->recall, 100 * k_index_recall_min);
  }
  return verdict;
}

}  // namespace

absl::StatusOr<std::optional<Gate>> Gate::open(const Invocation& invocation,
                                               const TrainingFlags& candidate) {
  const ModelRegistry registry(DataLayout(invocation.config.data).models);
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> version, registry.current());
  std::optional<Gate> none;
  if (!version) return none;
  VITRINE_ASSIGN_OR_RETURN(const ModelManifest manifest,
                           read_manifest(registry.folder_of(*version)));
  Gate gate;
  VITRINE_ASSIGN_OR_RETURN(gate.candidate_, recipe_of(candidate));
  gate.current_ = training::recipe_of(manifest.record, manifest.factors);
  gate.current_.als.threads = gate.candidate_.als.threads;
  gate.current_products_ = manifest.rows;
  return gate;
}

absl::Status Gate::compare(const training::InteractionSource& source, TimeMs until,
                           const std::atomic<bool>& cancel, bool quiet) {
  TrainingReport report(false, "judging recipes");
  training::TrainObserver observer = report.observer(cancel);
  if (quiet) observer.on_epoch = {};
  VITRINE_ASSIGN_OR_RETURN(
      recipes_, training::compare_recipes(source, candidate_, current_, until, {}, observer));
  return absl::OkStatus();
}

training::GateVerdict Gate::judge(const training::TrainOutcome& trained) const {
  if (!recipes_.passed) return recipes_;
  training::GateVerdict complete = check_complete(trained, current_products_);
  return complete.passed ? recipes_ : complete;
}

training::GateVerdict check_first(const training::TrainOutcome& trained) {
  return check_complete(trained, 0);
}

}  // namespace vitrine::app
