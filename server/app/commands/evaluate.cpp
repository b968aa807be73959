// vitrine evaluate: what a model is worth beside the rankings that cost nothing.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <limits>
#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/commands/evaluate_coupons.h"
#include "server/app/commands/evaluate_placement.h"
#include "server/app/commands/evaluate_sessions.h"
#include "server/app/commands/training_flags.h"
#include "server/app/commands/training_input.h"
#include "server/app/report/evaluation_page.h"
#include "server/app/report/evaluation_report.h"
#include "server/app/terminal/style.h"
#include "training/baselines.h"
#include "training/interaction_file.h"

namespace vitrine::app {
namespace {

constexpr double k_test_share = 0.2;  // of the time, when no split is given

struct EvaluateCommand {
  TrainingFlags training;
  std::string interactions;  // a file in place of the log
  std::string split;         // TIME
  std::string train_file;
  std::string test_file;
  std::vector<std::string> sessions;  // two files of clicks in place of everything above
  std::string coupons;                // a folder, likewise
  std::string model;                  // a folder; empty: one is trained
  std::string report;
  PlacementEvaluation placement;
  std::vector<std::size_t> cutoffs{10, 20, 50};
  std::vector<std::string> baselines{"popular", "product_knn"};

  bool is_by_files() const { return !train_file.empty() || !test_file.empty(); }
};

struct SplitData {
  training::Split split;
  std::string description;
};

absl::Status check(const EvaluateCommand& command, const Invocation& invocation) {
  if (command.is_by_files()) {
    if (command.train_file.empty() || command.test_file.empty())
      return wrong_use("--train and --test belong together");
    return absl::OkStatus();
  }
  return command.interactions.empty() ? check_data(invocation.config, true) : absl::OkStatus();
}

absl::StatusOr<SplitData> split_of_files(const EvaluateCommand& command,
                                         const training::DatasetOptions& options) {
  VITRINE_RETURN_IF_ERROR(
      check_memory(command.training, training::interactions_of_file(command.train_file)));
  training::SplitBuilder builder(options);
  const auto train = [&](const training::Interaction& one) { builder.add_train(one); };
  const auto test = [&](const training::Interaction& one) { builder.add_test(one); };
  VITRINE_RETURN_IF_ERROR(training::read_interactions(command.train_file, train).status());
  VITRINE_RETURN_IF_ERROR(training::read_interactions(command.test_file, test).status());
  SplitData data;
  VITRINE_ASSIGN_OR_RETURN(data.split, builder.build());
  data.description = fmt::format("{} and {}", command.train_file, command.test_file);
  return data;
}

// When the test begins: as asked, or so that it holds the last fifth of the time.
absl::StatusOr<TimeMs> split_time(const EvaluateCommand& command, TrainingInput& input) {
  if (!command.split.empty()) {
    const absl::StatusOr<TimeMs> split = parse_time(command.split);
    if (!split.ok()) return wrong_use(fmt::format("--split: {}", message_of(split.status())));
    return *split;
  }
  TimeMs oldest = std::numeric_limits<TimeMs>::max();
  TimeMs newest = std::numeric_limits<TimeMs>::min();
  VITRINE_RETURN_IF_ERROR(input.for_each([&](const training::Interaction& one) {
    oldest = std::min(oldest, one.time_ms);
    newest = std::max(newest, one.time_ms);
  }));
  if (oldest >= newest) {
    return wrong_use("the interactions have no times to split by: give --train and --test files");
  }
  return newest - static_cast<TimeMs>(k_test_share * static_cast<double>(newest - oldest));
}

absl::StatusOr<SplitData> split_by_time(const EvaluateCommand& command,
                                        const training::DatasetOptions& options,
                                        const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(
      TrainingInput input,
      TrainingInput::open(invocation.config, command.interactions, invocation.json));
  VITRINE_RETURN_IF_ERROR(check_memory(command.training, input.interactions_at_most()));
  VITRINE_ASSIGN_OR_RETURN(const TimeMs cut, split_time(command, input));
  training::SplitBuilder builder(options);
  VITRINE_RETURN_IF_ERROR(
      input.for_each([&](const training::Interaction& one) { builder.add_by_time(one, cut); }));
  SplitData data;
  VITRINE_ASSIGN_OR_RETURN(data.split, builder.build());
  data.description =
      fmt::format("trained before {}, judged on what was bought since{}", format_time(cut),
                  command.split.empty() ? ", the last 20 % of the time" : "");
  return data;
}

// The model to be judged, and how it was trained if that happened here.
absl::StatusOr<training::TrainOutcome> model_for(const EvaluateCommand& command,
                                                 const Invocation& invocation,
                                                 const training::Dataset& data) {
  training::TrainOutcome trained;
  if (!command.model.empty()) {
    VITRINE_ASSIGN_OR_RETURN(trained.model, TrainedModel::load(command.model));
    return trained;
  }
  VITRINE_RETURN_IF_ERROR(check_memory(command.training, data));
  const CancelOnInterrupt cancel;
  // With --json the answer is one object: epochs are not reported.
  TrainingReport report(false);
  training::TrainObserver observer = report.observer(cancel.flag());
  if (invocation.json) observer.on_epoch = {};
  training::TrainOptions options = command.training.options;
  options.parts = training::TrainParts::factors;
  return training::train(data, options, {.name = "evaluation"}, SystemClock(), observer);
}

// Measures rankings one after the other into one section.
class Measuring {
 public:
  using Judge = std::function<absl::StatusOr<training::Evaluation>(const training::RankFunction&)>;

  Measuring(std::string title, Judge judge) : judge_(std::move(judge)) {
    section_.title = std::move(title);
  }
  absl::Status add(const std::string& name, const training::RankFunction& rank) {
    RankingResult ranking;
    ranking.name = name;
    VITRINE_ASSIGN_OR_RETURN(ranking.result, judge_(rank));
    section_.rankings.push_back(std::move(ranking));
    return absl::OkStatus();
  }
  ReportSection take(std::size_t cutoff) && {
    add_intervals(section_, cutoff);
    return std::move(section_);
  }

 private:
  Judge judge_;
  ReportSection section_;
};

absl::StatusOr<ReportSection> measure(const EvaluateCommand& command, const training::Split& split,
                                      const std::shared_ptr<const TrainedModel>& model,
                                      training::Repeats repeats, std::size_t cutoff) {
  const training::EvaluationOptions options{.cutoffs = command.cutoffs,
                                            .repeats = repeats,
                                            .threads = command.training.options.als.threads};
  const bool is_fresh = repeats == training::Repeats::excluded;
  if ((is_fresh ? split.fresh : split.repeats).users.empty()) return ReportSection{};
  Measuring measuring(
      is_fresh ? "products new to the user" : "repeats allowed",
      [&](const training::RankFunction& rank) { return training::evaluate(split, rank, options); });
  VITRINE_RETURN_IF_ERROR(measuring.add("personal", training::factor_ranking(split.train, model)));
  std::vector<std::string> baselines = command.baselines;
  // Where repeats count, a customer's own order count beats most recommenders: never leave it out.
  if (!is_fresh && std::ranges::find(baselines, "own_orders") == baselines.end())
    baselines.emplace_back("own_orders");
  for (const std::string& name : baselines) {
    VITRINE_ASSIGN_OR_RETURN(const training::RankFunction rank,
                             training::baseline_ranking(name, split.train));
    VITRINE_RETURN_IF_ERROR(measuring.add(name, rank));
  }
  ReportSection section = std::move(measuring).take(cutoff);
  for (RankingResult& ranking : section.rankings)
    ranking.by_activity = training::by_activity(ranking.result, split.train);
  return section;
}

// People who are new: folded in from their first products, beside what everybody gets.
absl::StatusOr<ReportSection> measure_cold(const EvaluateCommand& command,
                                           const training::Split& split,
                                           const std::shared_ptr<const TrainedModel>& model,
                                           std::size_t cutoff) {
  if (split.cold.users.empty()) return ReportSection{};
  const training::Dataset view = training::cold_view(split);
  const training::EvaluationOptions options{.cutoffs = command.cutoffs,
                                            .threads = command.training.options.als.threads};
  Measuring measuring("new users, by the first half of their products (at most 5)",
                      [&](const training::RankFunction& rank) {
                        return training::evaluate_cold(split, view, rank, options);
                      });
  VITRINE_RETURN_IF_ERROR(measuring.add("personal", training::factor_ranking(view, model)));
  VITRINE_RETURN_IF_ERROR(measuring.add("popular", training::popular_ranking(split.train)));
  return std::move(measuring).take(cutoff);
}

absl::StatusOr<EvaluationReport> measure_all(const EvaluateCommand& command, const SplitData& data,
                                             const training::TrainOutcome& trained) {
  const training::Split& split = data.split;
  EvaluationReport report = begin_report(split, command.cutoffs);
  report.split = data.description;
  const FactorParameters& factors = trained.model->factors().parameters();
  report.model =
      fmt::format("{}, d = {}, lambda {}, alpha0 {}, nu {}, {} epochs",
                  command.model.empty() ? "trained for this" : command.model, factors.dimension,
                  factors.lambda, factors.alpha0, factors.nu, trained.model->record().epochs);
  report.epochs = trained.epochs;
  VITRINE_ASSIGN_OR_RETURN(report.fresh, measure(command, split, trained.model,
                                                 training::Repeats::excluded, report.cutoff));
  VITRINE_ASSIGN_OR_RETURN(report.repeats, measure(command, split, trained.model,
                                                   training::Repeats::allowed, report.cutoff));
  VITRINE_ASSIGN_OR_RETURN(report.cold, measure_cold(command, split, trained.model, report.cutoff));
  return report;
}

absl::StatusOr<EvaluationReport> report_of(const EvaluateCommand& command,
                                           const Invocation& invocation) {
  if (!command.placement.placement.empty()) {
    PlacementEvaluation asked = command.placement;
    asked.interactions = command.interactions;
    asked.split = command.split;
    asked.cutoffs = command.cutoffs;
    return evaluate_placement(asked, command.training, invocation);
  }
  VITRINE_ASSIGN_OR_RETURN(const training::DatasetOptions options,
                           dataset_options(command.training));
  VITRINE_ASSIGN_OR_RETURN(const SplitData data, command.is_by_files()
                                                     ? split_of_files(command, options)
                                                     : split_by_time(command, options, invocation));
  VITRINE_ASSIGN_OR_RETURN(const training::TrainOutcome trained,
                           model_for(command, invocation, data.split.train));
  return measure_all(command, data, trained);
}

absl::Status run(const EvaluateCommand& command, const Invocation& invocation) {
  if (!command.coupons.empty()) return evaluate_coupons(command.coupons, command.split, invocation);
  if (!command.sessions.empty()) {
    return evaluate_sessions(command.sessions[0], command.sessions[1], invocation);
  }
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  VITRINE_ASSIGN_OR_RETURN(const EvaluationReport report, report_of(command, invocation));
  if (!command.report.empty())
    VITRINE_RETURN_IF_ERROR(replace_file(command.report, evaluation_page(report)));
  if (invocation.json) {
    print_line(json_of(report));
  } else {
    print(text_of(report, has_colours(stdout)));
    if (!command.report.empty()) print_line("report: " + command.report);
  }
  return absl::OkStatus();
}

}  // namespace

void add_evaluate(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "evaluate", "Judge a model by what people bought afterwards",
      "  vitrine evaluate --data shop                         the last fifth of the time is the "
      "test\n"
      "  vitrine evaluate --data shop --split 2011-10-01      trains before, tests after\n"
      "  vitrine evaluate --train train.txt --test test.txt --dims 256 --k 20\n"
      "  vitrine evaluate --data shop --report evaluation.html\n"
      "  vitrine evaluate --sessions train.csv.gz test.csv.gz   the next click of a session\n"
      "  vitrine evaluate --coupons DIR --split 2017-05-01      who redeems coupons, and which\n");
  const auto command = std::make_shared<EvaluateCommand>();
  add_data_option(app, invocation);
  app.add_option("--interactions", command->interactions, "Judge on this file in place of the log")
      ->type_name("FILE");
  app.add_option("--split", command->split,
                 "Train on what happened before, test on the rest; default: the last 20 % of the "
                 "time are the test")
      ->type_name("TIME");
  app.add_option("--train", command->train_file, "Train on this file")->type_name("FILE");
  app.add_option("--test", command->test_file, "Test on this file")->type_name("FILE");
  app.add_option("--sessions", command->sessions,
                 "Judge the next click of sessions: learn the clicks of the first file, foretell "
                 "those of the second")
      ->type_name("TRAIN TEST")
      ->expected(2);
  app.add_option("--coupons", command->coupons,
                 "Judge who redeems coupons, and which, on this folder of campaigns, grants, "
                 "redemptions and purchases; with --split")
      ->type_name("DIR");
  app.add_option("--model", command->model,
                 "Judge this model in place of a new one; it must not have seen the test")
      ->type_name("MODEL_DIR");
  app.add_option("--k", command->cutoffs, "Lengths of the lists that are judged")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--baselines", command->baselines,
                 "What to compare with: popular, product_knn, own_orders, rp3beta, ease")
      ->delimiter(',')
      ->check(CLI::IsMember({"popular", "product_knn", "own_orders", "rp3beta", "ease"}))
      ->capture_default_str();
  CLI::Option* const placement =
      app.add_option("--placement", command->placement.placement,
                     "Judge the answers of this placement, made by every stage of the server as of "
                     "--split, with a blend learnt before it")
          ->type_name("NAME");
  app.add_option("--products", command->placement.products,
                 "With --placement: describe products by this file in place of the catalog")
      ->type_name("FILE")
      ->needs(placement);
  app.add_flag("--by-category", command->placement.by_category,
               "With --placement: a product stands for its category path")
      ->needs(placement);
  app.add_flag("!--no-blend", command->placement.learns_blend,
               "With --placement: rank by hand-set weights")
      ->needs(placement);
  app.add_option("--report", command->report, "Write a page with charts here")
      ->type_name("FILE.html");
  add_training_flags(app, command->training);
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
