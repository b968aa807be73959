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
#include "server/app/commands/command.h"
#include "server/app/commands/training_flags.h"
#include "server/app/log_interactions.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"
#include "training/interaction_file.h"

namespace vitrine::app {
namespace {

struct TrainCommand {
  TrainingFlags training;
  std::string interactions;  // a file in place of the log
  std::string until;
  std::string out;
  bool promote = false;
};

struct Input {
  training::Dataset data;
  training::DataSource source;
};

absl::Status check(const TrainCommand& command, const Invocation& invocation) {
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

absl::StatusOr<Input> read_file_input(const TrainCommand& command,
                                      training::DatasetBuilder builder) {
  VITRINE_RETURN_IF_ERROR(
      training::read_interactions(command.interactions, [&](const training::Interaction& one) {
        builder.add(one);
      }).status());
  Input input;
  VITRINE_ASSIGN_OR_RETURN(input.data, builder.build());
  input.source.name = std::filesystem::path(command.interactions).filename().string();
  return input;
}

absl::StatusOr<Input> read_log_input(const Invocation& invocation,
                                     training::DatasetBuilder builder) {
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<store::Database> database,
                           store::Database::open_beside(DataLayout(invocation.config.data).store));
  Progress progress("reading the log", invocation.json);
  VITRINE_ASSIGN_OR_RETURN(
      const LogFacts facts,
      read_log_interactions(
          *database, [&](const training::Interaction& one) { builder.add(one); },
          [&](Position done, Position last) {
            progress.update(static_cast<double>(done) / static_cast<double>(last),
                            grouped(done) + " entries");
          }));
  progress.finish(grouped(facts.interactions) + " interactions");
  Input input;
  VITRINE_ASSIGN_OR_RETURN(input.data, builder.build());
  input.source = {.name = "log", .log_position_begin = 0, .log_position_end = facts.last};
  return input;
}

// What became of the model, in words and as fields.
struct Outcome {
  std::string folder;
  bool is_current = false;
};

// Into --out as it is, or into the registry of the data folder, where a first model is current at
// once: there is nothing it could be worse than.
absl::StatusOr<Outcome> deliver(const TrainCommand& command, const Invocation& invocation,
                                const TrainedModel& model) {
  if (!command.out.empty()) {
    VITRINE_RETURN_IF_ERROR(model.save(command.out));
    return Outcome{command.out, false};
  }
  ModelRegistry registry(DataLayout(invocation.config.data).models);
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> current, registry.current());
  const bool promote = command.promote || !current;
  VITRINE_RETURN_IF_ERROR(registry.publish(model, promote));
  return Outcome{registry.folder_of(model.version()).string(), promote};
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

void print_json(const training::TrainOutcome& trained, const Outcome& outcome) {
  const TrainingRecord& record = trained.model->record();
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object()
      .field("model_version", trained.model->version())
      .field("promoted", outcome.is_current)
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
  writer.field("peak_rss_bytes", peak_rss_bytes()).end_object();
  print_line(line);
}

void print_text(const training::TrainOutcome& trained, const Outcome& outcome, bool promote_asked,
                double seconds) {
  const TrainingRecord& record = trained.model->record();
  print_line(fmt::format("trained {} in {}: {} products, {} users, {} pairs, d = {}",
                         trained.model->version(), duration_text(seconds),
                         grouped(trained.model->row_count()), grouped(record.users),
                         grouped(record.pairs), trained.model->factors().dimension()));
  if (outcome.is_current) {
    print_line(promote_asked ? "promoted: it is the model that serves"
                             : "promoted, being the first: it is the model that serves");
  } else {
    print_line(fmt::format("written to {}; 'vitrine models promote' makes it the one that serves",
                           outcome.folder));
  }
}

absl::Status run(const TrainCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  training::DatasetOptions options = dataset_options(command.training);
  if (!command.until.empty()) {
    const absl::StatusOr<TimeMs> until = parse_time(command.until);
    if (!until.ok()) return wrong_use(fmt::format("--until: {}", message_of(until.status())));
    options.until = *until;
  }

  const std::int64_t started_us = steady_us();
  VITRINE_ASSIGN_OR_RETURN(const Input input,
                           command.interactions.empty()
                               ? read_log_input(invocation, training::DatasetBuilder(options))
                               : read_file_input(command, training::DatasetBuilder(options)));
  const CancelOnInterrupt cancel;
  training::TrainOutcome trained;
  {
    TrainingReport report(invocation.json);
    VITRINE_ASSIGN_OR_RETURN(
        trained, training::train(input.data, command.training.options, input.source, SystemClock(),
                                 report.observer(cancel.flag())));
  }
  VITRINE_ASSIGN_OR_RETURN(const Outcome outcome, deliver(command, invocation, *trained.model));
  if (invocation.json) {
    print_json(trained, outcome);
  } else {
    print_text(trained, outcome, command.promote,
               static_cast<double>(steady_us() - started_us) / 1e6);
  }
  return absl::OkStatus();
}

}  // namespace

void add_train(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "train", "Learn a model from the log or a file",
      "  vitrine train --data shop --promote          from the log, also beside a running server\n"
      "  vitrine train --data shop --until 2011-10-01 --dims 128\n"
      "  vitrine train --interactions pairs.tsv --out model\n");
  const auto command = std::make_shared<TrainCommand>();
  add_data_option(app, invocation);
  app.add_option("--interactions", command->interactions,
                 "Learn from this file: user<TAB>product lines, user product product..., or CSV")
      ->type_name("FILE");
  add_training_flags(app, command->training);
  app.add_option("--until", command->until, "Leave out what happened after this time")
      ->type_name("TIME");
  app.add_option("--out", command->out, "Write the model here in place of the data folder")
      ->type_name("MODEL_DIR");
  app.add_flag("--promote", command->promote, "Let it serve at once; a first model always does");
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
