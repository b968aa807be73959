// vitrine train: interactions in, a published model out.
#include <sys/resource.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/status.h"
#include "model/model_registry.h"
#include "server/app/commands/blend_stage.h"
#include "server/app/commands/command.h"
#include "server/app/commands/promotion.h"
#include "server/app/commands/training_flags.h"
#include "server/app/commands/training_input.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"
#include "training/checkpoint_file.h"
#include "training/memory_estimate.h"

namespace vitrine::app {
namespace {

constexpr const char* k_checkpoint_file = "checkpoint.work";

struct TrainCommand {
  TrainingFlags training;
  std::string interactions;  // a file in place of the log
  std::string products;      // a file in place of the catalog
  std::string until;
  std::string out;
  bool promote = false;
  bool force = false;
  bool resume = false;
  bool learns_blend = true;
  double checkpoint_seconds = 30;
};

absl::Status check(const TrainCommand& command, const Invocation& invocation) {
  if (command.promote && !command.out.empty()) {
    return wrong_use("--promote belongs to a data folder: leave --out away");
  }
  if (!command.interactions.empty()) {
    if (command.out.empty() && invocation.config.data.empty()) {
      return wrong_use("--interactions needs --out MODEL_DIR, or --data DIR to publish into");
    }
    return absl::OkStatus();
  }
  if (invocation.config.data.empty()) {
    return wrong_use("--data DIR or --interactions FILE is required");
  }
  return check_data(invocation.config, true);
}

std::filesystem::path checkpoint_path(const TrainCommand& command, const Invocation& invocation) {
  if (!command.out.empty()) return command.out + "." + k_checkpoint_file;
  return DataLayout(invocation.config.data).models / k_checkpoint_file;
}

// Written when an epoch ends and the last writing was long enough ago.
class Checkpoints {
 public:
  Checkpoints(training::CheckpointFile file, double seconds)
      : file_(std::move(file)), seconds_(seconds), written_us_(steady_us()) {}

  // With --resume: where the run before got to.
  absl::Status resume(const Invocation& invocation) {
    VITRINE_ASSIGN_OR_RETURN(saved_, file_.load());
    if (!saved_) {
      note(invocation, "no checkpoint: training from the beginning");
      return absl::OkStatus();
    }
    note(invocation, fmt::format("resuming after epoch {}", saved_->epochs_done));
    return absl::OkStatus();
  }

  training::AlsContinuation continuation() {
    return {.start = saved_ ? saved_->view() : training::AlsCheckpoint{},
            .on_checkpoint = [this](const training::AlsCheckpoint& checkpoint) -> absl::Status {
              if (static_cast<double>(steady_us() - written_us_) < 1e6 * seconds_)
                return absl::OkStatus();
              const absl::Status saved = file_.save(checkpoint);
              written_us_ = steady_us();
              return saved;
            }};
  }
  void remove() const { file_.remove(); }

 private:
  training::CheckpointFile file_;
  double seconds_;
  std::int64_t written_us_;
  std::optional<training::SavedCheckpoint> saved_;
};

// What became of the model, in words and as fields.
struct Outcome {
  std::string folder;
  bool is_current = false;
  std::string gate;      // why it may serve, or not; empty when nobody asked
  absl::Status refusal;  // published, but kept from serving
};

// All of it or nothing: a model that could not be written leaves no files.
absl::Status save_whole(const TrainedModel& model, const std::filesystem::path& folder) {
  std::filesystem::path unfinished = folder;
  unfinished += ".unfinished";
  std::error_code error;
  if (std::filesystem::exists(folder / "manifest.pb", error))
    return failed_precondition("{} holds a model already", folder.string());
  std::filesystem::remove_all(unfinished, error);  // left by a run that was killed
  absl::Status saved = model.save(unfinished);
  if (saved.ok()) {
    std::filesystem::rename(unfinished, folder, error);
    if (error) saved = internal_error("cannot rename to {}: {}", folder.string(), error.message());
  }
  if (!saved.ok()) std::filesystem::remove_all(unfinished, error);
  return saved;
}

// Into --out as it is, or into the registry of the data folder, where a first model is current at
// once: there is nothing it could be worse than.
absl::StatusOr<Outcome> deliver(const TrainCommand& command, const Invocation& invocation,
                                const training::TrainOutcome& trained,
                                const std::optional<Gate>& gate) {
  const TrainedModel& model = *trained.model;
  Outcome outcome;
  if (!command.out.empty()) {
    VITRINE_RETURN_IF_ERROR(save_whole(model, command.out));
    outcome.folder = command.out;
    return outcome;
  }
  ModelRegistry registry(DataLayout(invocation.config.data).models);
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> current, registry.current());
  const training::GateVerdict verdict = gate ? gate->judge(trained) : check_first(trained);
  outcome.gate = verdict.reason;
  const bool may_serve = verdict.passed || command.force;
  const bool is_wanted = command.promote || !current;
  outcome.is_current = is_wanted && may_serve;
  VITRINE_RETURN_IF_ERROR(registry.publish(model, outcome.is_current));
  outcome.folder = registry.folder_of(model.version()).string();
  if (is_wanted && !may_serve) {
    outcome.refusal = failed_precondition(
        "{} is published but not promoted: {}; 'vitrine models promote' or --force overrides",
        model.version(), verdict.reason);
  }
  if (outcome.is_current && !verdict.passed)
    outcome.gate = "promoted by --force although it is " + verdict.reason;
  return outcome;
}

std::uint64_t peak_rss_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

void write_numbers(http::JsonWriter& writer, std::string_view name,
                   const std::vector<training::EpochReport>& epochs,
                   double training::EpochReport::* number) {
  writer.key(name).begin_array();
  for (const training::EpochReport& epoch : epochs) writer.value(epoch.*number);
  writer.end_array();
}

void print_json(const training::TrainOutcome& trained, const Outcome& outcome,
                std::uint64_t expected_bytes) {
  const TrainingRecord& record = trained.model->record();
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object()
      .field("model_version", trained.model->version())
      .field("promoted", outcome.is_current)
      .field("gate", outcome.gate)
      .field("folder", outcome.folder)
      .field("interactions", record.interactions)
      .field("users", record.users)
      .field("products", trained.model->row_count())
      .field("pairs", record.pairs)
      .field("epochs", record.epochs);
  write_numbers(writer, "cpu_seconds_per_epoch", trained.epochs,
                &training::EpochReport::cpu_seconds);
  write_numbers(writer, "wall_seconds_per_epoch", trained.epochs,
                &training::EpochReport::wall_seconds);
  write_numbers(writer, "objective", trained.epochs, &training::EpochReport::objective);
  writer.field("expected_peak_bytes", expected_bytes)
      .field("peak_rss_bytes", peak_rss_bytes())
      .end_object();
  print_line(line);
}

void print_text(const training::TrainOutcome& trained, const Outcome& outcome, bool promote_asked,
                double seconds) {
  const TrainingRecord& record = trained.model->record();
  print_line(fmt::format("trained {} in {}: {} products, {} users, {} pairs, d = {}",
                         trained.model->version(), duration_text(seconds),
                         grouped(trained.model->row_count()), grouped(record.users),
                         grouped(record.pairs), trained.model->factors().dimension()));
  if (promote_asked && !outcome.gate.empty()) print_line("gate: " + outcome.gate);
  if (outcome.is_current) {
    print_line(promote_asked ? "promoted: it is the model that serves"
                             : "promoted, being the first: it is the model that serves");
  } else if (outcome.refusal.ok()) {
    print_line(fmt::format("written to {}; 'vitrine models promote' makes it the one that serves",
                           outcome.folder));
  }
}

absl::StatusOr<training::Dataset> read_data(const TrainCommand& command, TrainingInput& input,
                                            const training::DatasetOptions& options) {
  VITRINE_RETURN_IF_ERROR(check_memory(command.training, input.interactions_at_most()));
  training::DatasetBuilder builder(options);
  VITRINE_RETURN_IF_ERROR(
      input.for_each([&](const training::Interaction& one) { builder.add(one); }));
  VITRINE_ASSIGN_OR_RETURN(training::Dataset data, builder.build());
  VITRINE_RETURN_IF_ERROR(check_memory(command.training, data));
  return data;
}

absl::Status run(const TrainCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  VITRINE_ASSIGN_OR_RETURN(training::DatasetOptions options, dataset_options(command.training));
  if (!command.until.empty()) {
    const absl::StatusOr<TimeMs> until = parse_time(command.until);
    if (!until.ok()) return wrong_use(fmt::format("--until: {}", message_of(until.status())));
    options.until = *until;
  }

  const std::int64_t started_us = steady_us();
  VITRINE_ASSIGN_OR_RETURN(
      TrainingInput input,
      TrainingInput::open(invocation.config, command.interactions, invocation.json));
  const CancelOnInterrupt cancel;
  VITRINE_ASSIGN_OR_RETURN(const std::vector<Product> products,
                           input.products(command.products, invocation.config.products));
  VITRINE_RETURN_IF_ERROR(check_memory(command.training, input.interactions_at_most()));
  rehearsal::LearntBlends blends;
  if (command.learns_blend) {
    VITRINE_ASSIGN_OR_RETURN(blends, learn_blends(invocation, input, products, options,
                                                  command.training, cancel.flag()));
  }
  VITRINE_ASSIGN_OR_RETURN(const training::Dataset data, read_data(command, input, options));
  std::optional<Gate> gate;
  if (command.promote) {
    VITRINE_ASSIGN_OR_RETURN(gate, Gate::open(invocation, command.training));
    if (gate) {
      VITRINE_RETURN_IF_ERROR(
          gate->compare(input.source(), data.until_ms, cancel.flag(), invocation.json));
    }
  }
  if (gate) blends.metrics.insert(gate->metrics().begin(), gate->metrics().end());
  const training::AlsOptions& als = command.training.options.als;
  Checkpoints checkpoints({checkpoint_path(command, invocation), fingerprint_of(data, als)},
                          command.checkpoint_seconds);
  if (command.resume) VITRINE_RETURN_IF_ERROR(checkpoints.resume(invocation));
  const training::AlsContinuation continuation = checkpoints.continuation();
  training::TrainOutcome trained;
  {
    TrainingReport report(invocation.json);
    training::TrainObserver observer = report.observer(cancel.flag());
    observer.continuation = &continuation;
    VITRINE_ASSIGN_OR_RETURN(
        trained, training::train(data, command.training.options, input.described(), SystemClock(),
                                 observer, blends.metrics, products, blends.table));
  }
  VITRINE_ASSIGN_OR_RETURN(const Outcome outcome, deliver(command, invocation, trained, gate));
  checkpoints.remove();
  if (invocation.json) {
    const std::uint64_t bytes = training::training_bytes(training::training_size(data, als));
    print_json(trained, outcome, std::max(bytes, blends.expected_bytes));
  } else {
    print_text(trained, outcome, command.promote,
               static_cast<double>(steady_us() - started_us) / 1e6);
  }
  return outcome.refusal;
}

}  // namespace

void add_train(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "train", "Learn a model from the log or a file",
      "  vitrine train --data shop --promote          from the log, also beside a running server\n"
      "  vitrine train --data shop --until 2011-10-01 --dims 128\n"
      "  vitrine train --interactions pairs.tsv --out model\n"
      "  vitrine train --data shop --promote --resume go on where the run before was stopped\n");
  const auto command = std::make_shared<TrainCommand>();
  add_data_option(app, invocation);
  app.add_option("--interactions", command->interactions,
                 "Learn from this file: user<TAB>product lines, user product product..., or CSV")
      ->type_name("FILE");
  app.add_option("--products", command->products,
                 "Describe products by this file, as import takes it, in place of the catalog: "
                 "titles, categories, brands and prices place those that nobody has touched")
      ->type_name("FILE");
  add_training_flags(app, command->training);
  app.add_option("--until", command->until, "Leave out what happened after this time")
      ->type_name("TIME");
  app.add_option("--out", command->out, "Write the model here in place of the data folder")
      ->type_name("MODEL_DIR");
  app.add_flag("--promote", command->promote,
               "Let it serve if its recipe is not clearly worse than the current model's on the "
               "last week; a first model always does");
  app.add_flag("--force", command->force, "Let it serve whatever the comparison says")
      ->needs("--promote");
  app.add_flag("!--no-blend", command->learns_blend,
               "Do not learn how to weigh the sources; answers go by the placements' own weights");
  app.add_flag("--resume", command->resume, "Go on from the checkpoint of a run that was stopped");
  app.add_option("--checkpoint-seconds", command->checkpoint_seconds,
                 "Write a checkpoint when an epoch ends and the last one is older; 0: after every "
                 "epoch")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str();
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
