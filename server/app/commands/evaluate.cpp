// vitrine evaluate: what a model is worth beside the rankings that cost nothing.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/clock.h"
#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/commands/training_flags.h"
#include "server/app/log_interactions.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/interaction_file.h"

namespace vitrine::app {
namespace {

struct EvaluateCommand {
  TrainingFlags training;
  std::string split;  // TIME
  std::string train_file;
  std::string test_file;
  std::string model;  // a folder; empty: one is trained
  std::vector<std::size_t> cutoffs{10, 20, 50};
  std::vector<std::string> baselines{"popular", "product_knn"};
};

// One ranking under one rule.
struct Line {
  std::string ranking;
  training::Evaluation result;
};

// Everything measured under one rule, the model first.
struct Section {
  std::string title;
  std::vector<Line> lines;
};

absl::Status check(const EvaluateCommand& command, const Invocation& invocation) {
  const bool by_files = !command.train_file.empty() || !command.test_file.empty();
  if (by_files && (command.train_file.empty() || command.test_file.empty())) {
    return wrong_use("--train and --test belong together");
  }
  if (by_files) return absl::OkStatus();
  if (command.split.empty()) return wrong_use("--split TIME is required with --data");
  return check_data(invocation.config, true);
}

absl::StatusOr<training::Split> split_of_files(const EvaluateCommand& command) {
  training::SplitBuilder builder(dataset_options(command.training));
  const auto train = [&](const training::Interaction& one) { builder.add_train(one); };
  const auto test = [&](const training::Interaction& one) { builder.add_test(one); };
  VITRINE_RETURN_IF_ERROR(training::read_interactions(command.train_file, train).status());
  VITRINE_RETURN_IF_ERROR(training::read_interactions(command.test_file, test).status());
  return builder.build();
}

absl::StatusOr<training::Split> split_of_log(const EvaluateCommand& command,
                                             const Invocation& invocation) {
  const absl::StatusOr<TimeMs> split = parse_time(command.split);
  if (!split.ok()) return wrong_use(fmt::format("--split: {}", message_of(split.status())));
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<store::Database> database,
                           store::Database::open_beside(DataLayout(invocation.config.data).store));
  training::SplitBuilder builder(dataset_options(command.training));
  Progress progress("reading the log", invocation.json);
  VITRINE_ASSIGN_OR_RETURN(
      const LogFacts facts,
      read_log_interactions(
          *database, [&](const training::Interaction& one) { builder.add_by_time(one, *split); },
          [&](Position done, Position last) {
            progress.update(static_cast<double>(done) / static_cast<double>(last),
                            grouped(done) + " entries");
          }));
  progress.finish(grouped(facts.interactions) + " interactions");
  return builder.build();
}

absl::StatusOr<std::shared_ptr<const TrainedModel>> model_for(const EvaluateCommand& command,
                                                              const Invocation& invocation,
                                                              const training::Dataset& data) {
  if (!command.model.empty()) return TrainedModel::load(command.model);
  const CancelOnInterrupt cancel;
  // With --json the answer is one object: epochs are not reported.
  TrainingReport report(false);
  training::TrainObserver observer = report.observer(cancel.flag());
  if (invocation.json) observer.on_epoch = {};
  VITRINE_ASSIGN_OR_RETURN(const training::TrainOutcome trained,
                           training::train(data, command.training.options, {.name = "evaluation"},
                                           SystemClock(), observer));
  return trained.model;
}

absl::StatusOr<Section> measure(const EvaluateCommand& command, const training::Split& split,
                                const std::shared_ptr<const TrainedModel>& model,
                                training::Repeats repeats) {
  Section section;
  section.title =
      repeats == training::Repeats::excluded ? "products new to the user" : "repeats allowed";
  const training::EvaluationOptions options{.cutoffs = command.cutoffs,
                                            .repeats = repeats,
                                            .threads = command.training.options.als.threads};
  const auto add = [&](const std::string& name,
                       const training::RankFunction& rank) -> absl::Status {
    VITRINE_ASSIGN_OR_RETURN(training::Evaluation result, training::evaluate(split, rank, options));
    section.lines.push_back({name, std::move(result)});
    return absl::OkStatus();
  };

  VITRINE_RETURN_IF_ERROR(add("personal", training::factor_ranking(split.train, model)));
  std::vector<std::string> baselines = command.baselines;
  // Where repeats count, a customer's own order count beats most recommenders: never leave it out.
  if (repeats == training::Repeats::allowed) baselines.emplace_back("own_orders");
  for (const std::string& name : baselines) {
    VITRINE_ASSIGN_OR_RETURN(const training::RankFunction rank,
                             training::baseline_ranking(name, split.train));
    VITRINE_RETURN_IF_ERROR(add(name, rank));
  }
  return section;
}

void write_metrics(http::JsonWriter& writer, const training::Evaluation& result) {
  for (const auto& [name, value] : result.metrics) writer.field(name, value);
}

void write_section(http::JsonWriter& writer, const Section& section) {
  const training::Evaluation& personal = section.lines.front().result;
  writer.field("users", personal.users).field("pairs", personal.pairs);
  write_metrics(writer, personal);
  writer.key("baselines").begin_object();
  for (std::size_t i = 1; i < section.lines.size(); ++i) {
    writer.key(section.lines[i].ranking).begin_object();
    write_metrics(writer, section.lines[i].result);
    writer.end_object();
  }
  writer.end_object();
}

void print_json(const training::Split& split, const Section& fresh, const Section& repeats) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object();
  write_section(writer, fresh);
  writer.key("repeats").begin_object();
  write_section(writer, repeats);
  writer.end_object()
      .field("train_users", split.train.users.size())
      .field("train_products", split.train.products.size())
      .field("train_pairs", split.train.pair_count())
      .field("cold_users", split.cold_users)
      .field("cold_products", split.cold_products)
      .end_object();
  print_line(line);
}

void print_section(const Section& section, std::size_t cutoff) {
  const training::Evaluation& personal = section.lines.front().result;
  const bool colours = has_colours(stdout);
  print_line("");
  print_line(styled(fmt::format("{}: {} users, {} pairs, best {} of everything", section.title,
                                grouped(personal.users), grouped(personal.pairs), cutoff),
                    Colour::cyan, colours));
  std::vector<Table::Column> columns{{"ranking"}};
  std::vector<std::string> names;
  for (const char* metric : {"recall", "recall_min", "ndcg", "hr", "mrr", "coverage"}) {
    names.push_back(fmt::format("{}@{}", metric, cutoff));
    columns.push_back({names.back(), Table::Align::right});
  }
  columns.push_back({"seconds", Table::Align::right});
  Table table(std::move(columns));
  for (const Line& line : section.lines) {
    std::vector<std::string> cells{line.ranking};
    for (const std::string& name : names) {
      const auto found = line.result.metrics.find(name);
      cells.push_back(found == line.result.metrics.end() ? ""
                                                         : fmt::format("{:.4f}", found->second));
    }
    cells.push_back(fmt::format("{:.1f}", line.result.wall_seconds));
    table.add_row(std::move(cells));
  }
  print(table.text(colours));
}

void print_text(const EvaluateCommand& command, const training::Split& split, const Section& fresh,
                const Section& repeats) {
  print_line(fmt::format(
      "trained on {} users, {} products, {} pairs; left out of the test: {} "
      "users and {} products that training does not know",
      grouped(split.train.users.size()), grouped(split.train.products.size()),
      grouped(split.train.pair_count()), grouped(split.cold_users), grouped(split.cold_products)));
  for (const std::size_t cutoff : command.cutoffs) {
    print_section(fresh, cutoff);
    print_section(repeats, cutoff);
  }
}

absl::Status run(const EvaluateCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  VITRINE_ASSIGN_OR_RETURN(const training::Split split, command.train_file.empty()
                                                            ? split_of_log(command, invocation)
                                                            : split_of_files(command));
  VITRINE_ASSIGN_OR_RETURN(const std::shared_ptr<const TrainedModel> model,
                           model_for(command, invocation, split.train));
  VITRINE_ASSIGN_OR_RETURN(const Section fresh,
                           measure(command, split, model, training::Repeats::excluded));
  VITRINE_ASSIGN_OR_RETURN(const Section repeats,
                           measure(command, split, model, training::Repeats::allowed));
  if (invocation.json) {
    print_json(split, fresh, repeats);
  } else {
    print_text(command, split, fresh, repeats);
  }
  return absl::OkStatus();
}

}  // namespace

void add_evaluate(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "evaluate", "Judge a model by what people bought afterwards",
      "  vitrine evaluate --data shop --split 2011-10-01      trains before, tests after\n"
      "  vitrine evaluate --train train.txt --test test.txt --dims 256 --k 20\n"
      "  vitrine evaluate --train train.txt --test test.txt --model model --json\n");
  const auto command = std::make_shared<EvaluateCommand>();
  add_data_option(app, invocation);
  app.add_option("--split", command->split, "Train before this time, test from it on")
      ->type_name("TIME");
  app.add_option("--train", command->train_file, "Train on this file")->type_name("FILE");
  app.add_option("--test", command->test_file, "Test on this file")->type_name("FILE");
  app.add_option("--model", command->model,
                 "Judge this model in place of a new one; it must not have seen the test")
      ->type_name("MODEL_DIR");
  app.add_option("--k", command->cutoffs, "Lengths of the lists that are judged")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--baselines", command->baselines,
                 "What to compare with: popular, product_knn, own_orders")
      ->delimiter(',')
      ->check(CLI::IsMember({"popular", "product_knn", "own_orders"}))
      ->capture_default_str();
  add_training_flags(app, command->training);
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
