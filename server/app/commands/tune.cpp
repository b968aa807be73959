// vitrine tune: the settings under which training ranks best, found by trying.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/training_flags.h"
#include "server/app/commands/training_input.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"
#include "training/tuner.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_shown = 10;

struct TuneCommand {
  TrainingFlags training;
  std::string interactions;  // a file in place of the log
  std::string until;
  std::string state;  // the file of finished runs; empty: by the data
  std::uint32_t budget = 39;
  std::uint32_t dimension_max = 128;
  bool resume = false;
};

absl::Status check(const TuneCommand& command, const Invocation& invocation) {
  if (!command.interactions.empty()) return absl::OkStatus();
  if (invocation.config.data.empty())
    return wrong_use("--data DIR or --interactions FILE is required");
  return check_data(invocation.config, true);
}

// One finished run a line, the first line says of what.
class TuneState {
 public:
  TuneState(std::filesystem::path path, std::string about)
      : path_(std::move(path)), about_(std::move(about)) {}

  // FailedPrecondition: the runs are of other data or other settings.
  absl::StatusOr<std::map<std::string, training::TuneRun>> load() const {
    std::map<std::string, training::TuneRun> known;
    const absl::StatusOr<std::string> text = read_file(path_);
    if (absl::IsNotFound(text.status())) return known;
    if (!text.ok()) return text.status();
    std::string_view rest = *text;
    for (bool is_first = true; !rest.empty(); is_first = false) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const absl::StatusOr<boost::json::value> line = parsed_answer(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (is_first && (!line.ok() || text_at(*line, "/about") != about_)) {
        return failed_precondition(
            "{} holds runs of other data or settings: leave --resume away to begin anew",
            path_.string());
      }
      // A last line that was cut off by a crash is a run that is made again.
      if (is_first || !line.ok()) continue;
      training::TuneRun run;
      run.ndcg = {number_at(*line, "/ndcg"), number_at(*line, "/ndcg_low"),
                  number_at(*line, "/ndcg_high")};
      run.recall = number_at(*line, "/recall");
      run.seconds = number_at(*line, "/seconds");
      known.emplace(text_at(*line, "/run"), run);
    }
    return known;
  }

  absl::Status begin() const {
    std::string line;
    http::JsonWriter(line).begin_object().field("about", about_).end_object();
    return replace_file(path_, line + "\n");
  }

  absl::Status add(const training::TuneRun& run) const {
    std::string line;
    http::JsonWriter(line)
        .begin_object()
        .field("run", run.key)
        .field("ndcg", run.ndcg.mean)
        .field("ndcg_low", run.ndcg.low)
        .field("ndcg_high", run.ndcg.high)
        .field("recall", run.recall)
        .field("seconds", run.seconds)
        .end_object();
    std::ofstream file(path_, std::ios::app);
    file << line << "\n" << std::flush;
    return file ? absl::OkStatus() : unavailable("cannot write {}", path_.string());
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  static double number_at(const boost::json::value& line, std::string_view pointer) {
    const std::string text = text_at(line, pointer);
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  std::filesystem::path path_;
  std::string about_;
};

std::filesystem::path state_path(const TuneCommand& command, const Invocation& invocation) {
  if (!command.state.empty()) return command.state;
  if (!command.interactions.empty()) return command.interactions + ".tune.jsonl";
  return std::filesystem::path(invocation.config.data) / "tune.jsonl";
}

std::string winner_command(const TuneCommand& command, const Invocation& invocation,
                           const training::Recipe& recipe) {
  const std::string source = command.interactions.empty()
                                 ? "--data " + invocation.config.data
                                 : "--interactions " + command.interactions;
  const std::string until = command.until.empty() ? "" : " --until " + command.until;
  const std::string target = command.interactions.empty() ? "" : " --out MODEL_DIR";
  return fmt::format("vitrine train {}{} {}{}", source, until, arguments_of(recipe), target);
}

void print_text(const training::TuneResult& result, const std::string& winner) {
  const training::ValidationCut& cut = result.cut;
  print_line(fmt::format(
      "judged on {} users, {}", grouped(cut.users),
      cut.is_by_time ? "on what they bought since " + format_time(cut.from_ms)
                     : std::string("on one pair in ten, drawn by chance: there are no times")));
  Table table({{"place", Table::Align::right},
               {"ndcg@20", Table::Align::right},
               {"95 % interval"},
               {"recall@20", Table::Align::right},
               {"seconds", Table::Align::right},
               {"settings", Table::Align::left, 140}});
  for (std::size_t i = 0; i < std::min(k_shown, result.leaderboard.size()); ++i) {
    const training::TuneRun& run = result.leaderboard[i];
    table.add_row({std::to_string(i + 1), fmt::format("{:.4f}", run.ndcg.mean),
                   fmt::format("{:.4f}-{:.4f}", run.ndcg.low, run.ndcg.high),
                   fmt::format("{:.4f}", run.recall), fmt::format("{:.1f}", run.seconds), run.key});
  }
  print(table.text(has_colours(stdout)));
  print_line("\nthe winner, on everything:\n" + winner);
}

void print_json(const training::TuneResult& result, const std::string& winner) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object()
      .field("users", result.cut.users)
      .field("runs", result.runs.size())
      .key("leaderboard")
      .begin_array();
  for (const training::TuneRun& run : result.leaderboard) {
    writer.begin_object()
        .field("settings", run.key)
        .field("ndcg@20", run.ndcg.mean)
        .field("ndcg_low", run.ndcg.low)
        .field("ndcg_high", run.ndcg.high)
        .field("recall@20", run.recall)
        .field("seconds", run.seconds)
        .end_object();
  }
  writer.end_array().field("command", winner).end_object();
  print_line(line);
}

absl::StatusOr<training::InteractionList> read_list(const TuneCommand& command,
                                                    TrainingInput& input,
                                                    std::optional<TimeMs> until) {
  VITRINE_RETURN_IF_ERROR(check_memory(command.training, 2 * input.interactions_at_most()));
  training::InteractionList interactions;
  VITRINE_RETURN_IF_ERROR(input.for_each([&](const training::Interaction& one) {
    if (!until || one.time_ms <= *until) interactions.add(one);
  }));
  return interactions;
}

absl::Status run(const TuneCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  std::optional<TimeMs> until;
  if (!command.until.empty()) {
    const absl::StatusOr<TimeMs> time = parse_time(command.until);
    if (!time.ok()) return wrong_use(fmt::format("--until: {}", message_of(time.status())));
    until = *time;
  }
  training::TuneOptions options{.base = {},
                                .budget = command.budget,
                                .seed = command.training.options.als.seed,
                                .dimension_max = command.dimension_max};
  VITRINE_ASSIGN_OR_RETURN(options.base, recipe_of(command.training));
  VITRINE_ASSIGN_OR_RETURN(
      TrainingInput input,
      TrainingInput::open(invocation.config, command.interactions, invocation.json));
  VITRINE_ASSIGN_OR_RETURN(const training::InteractionList interactions,
                           read_list(command, input, until));

  const TuneState state(
      state_path(command, invocation),
      fmt::format("{} interactions, newest {}, seed {}, max dims {}, base {}", interactions.size(),
                  format_time(interactions.time_span().second), options.seed, options.dimension_max,
                  arguments_of(options.base)));
  training::TuneObserver observer;
  if (command.resume) {
    VITRINE_ASSIGN_OR_RETURN(observer.known, state.load());
  }
  if (observer.known.empty()) VITRINE_RETURN_IF_ERROR(state.begin());
  const CancelOnInterrupt cancel;
  observer.cancel = &cancel.flag();
  double best = 0;
  Progress progress("tuning", invocation.json);
  observer.on_run = [&](const training::TuneRun& run, std::size_t done, std::size_t planned,
                        bool is_known) -> absl::Status {
    best = std::max(best, run.ndcg.mean);
    progress.update(static_cast<double>(done) / static_cast<double>(planned),
                    fmt::format("run {} of {}, ndcg@20 {:.4f}, best {:.4f}", done, planned,
                                run.ndcg.mean, best));
    return is_known ? absl::OkStatus() : state.add(run);
  };
  VITRINE_ASSIGN_OR_RETURN(const training::TuneResult result,
                           training::tune(interactions, options, observer));
  progress.finish(fmt::format("{} runs, kept in {}", result.runs.size(), state.path().string()));
  const std::string winner = winner_command(command, invocation, result.leaderboard.front().recipe);
  if (invocation.json) {
    print_json(result, winner);
  } else {
    print_text(result, winner);
  }
  return absl::OkStatus();
}

}  // namespace

void add_tune(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "tune", "Search the settings under which training ranks best",
      "  vitrine tune --data shop                       39 runs, fewer and longer ones to the end\n"
      "  vitrine tune --data shop --until 2011-10-01    what came later stays unseen, for "
      "evaluate\n"
      "  vitrine tune --interactions pairs.tsv --budget 100 --max-dims 256\n"
      "  vitrine tune --data shop --resume              go on after an interruption\n");
  const auto command = std::make_shared<TuneCommand>();
  add_data_option(app, invocation);
  app.add_option("--interactions", command->interactions, "Learn from this file")
      ->type_name("FILE");
  app.add_option("--until", command->until, "Leave out what happened after this time")
      ->type_name("TIME");
  app.add_option("--budget", command->budget, "Training runs in all")
      ->check(CLI::Range(3, 10'000))
      ->capture_default_str();
  app.add_option("--max-dims", command->dimension_max, "The most numbers a vector may have")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--state", command->state,
                 "Where finished runs are kept; default: DIR/tune.jsonl, or beside the file")
      ->type_name("FILE");
  app.add_flag("--resume", command->resume, "Use the finished runs of the state file");
  add_training_flags(app, command->training);
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
