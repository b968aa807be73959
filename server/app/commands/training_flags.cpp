#include "server/app/commands/training_flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"
#include "training/memory_estimate.h"
#include "training/parallel.h"

namespace vitrine::app {
namespace {

// How often a long stage is shown: on a terminal, and elsewhere.
constexpr std::int64_t k_redraw_us = 100'000;
constexpr std::int64_t k_line_us = 10'000'000;

// What the signal handler sets: one of the few things it may do.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_interrupt(int) { interrupted.store(true); }

}  // namespace

void add_training_flags(CLI::App& command, TrainingFlags& flags) {
  training::AlsOptions& als = flags.options.als;
  command.add_option("--dims", als.factors.dimension, "Numbers in a product's vector")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command.add_option("--epochs", als.epochs, "Passes over users and products")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--lambda", als.factors.lambda, "Strength of regularization")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command.add_option("--alpha0", als.factors.alpha0, "Weight of all pairs nobody observed")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command.add_option("--nu", als.factors.nu, "How regularization follows a row's pairs, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--solver",
          [&als](const std::string& name) {
            als.solver = training::solver_named(name).value_or(als.solver);
          },
          "How a row is solved; auto: the fastest way for its length")
      ->check(CLI::IsMember({"auto", "dual", "pcg", "primal"}))
      ->default_str("auto");
  command
      .add_option("--half-life-days", flags.half_life_days,
                  "Days after which an event counts half; 0: for ever the same")
      ->check(CLI::Range(0.0, 36'500.0))
      ->capture_default_str();
  command
      .add_option("--weights", flags.weights,
                  "What an event says, by type: view=1,cart_add=4,purchase=8; types left out say "
                  "nothing")
      ->delimiter(',')
      ->type_name("TYPE=WEIGHT");
  command
      .add_option("--memory-limit", flags.memory_limit,
                  "Refuse a run that needs more than this, like 8GiB; 0: nine tenths of what is "
                  "free")
      ->transform(CLI::AsSizeValue(false));
  command.add_option("--seed", als.seed, "Of the random start; same seed, same model")
      ->capture_default_str();
  command.add_option("--threads", als.threads, "Threads; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

absl::StatusOr<training::DatasetOptions> dataset_options(const TrainingFlags& flags) {
  training::DatasetOptions options;
  options.confidence.half_life_days = flags.half_life_days;
  if (!flags.weights.empty()) options.confidence.weights = {};
  for (const std::string& text : flags.weights) {
    const std::size_t sign = text.find('=');
    const std::optional<EventType> type = event_type_of(text.substr(0, sign));
    float weight = 0;
    const char* const end = text.data() + text.size();
    const bool is_number =
        sign != std::string::npos &&
        std::from_chars(text.data() + sign + 1, end, weight) == std::from_chars_result{end, {}};
    if (!type || !is_number) {
      return wrong_use(fmt::format(
          "--weights: must be like purchase=8, with a type of event and a number, got '{}'", text));
    }
    options.confidence.weights[static_cast<std::size_t>(*type)] = weight;
  }
  if (const absl::Status status = validate(options.confidence); !status.ok())
    return wrong_use(fmt::format("--weights: {}", message_of(status)));
  return options;
}

absl::StatusOr<training::Recipe> recipe_of(const TrainingFlags& flags) {
  VITRINE_ASSIGN_OR_RETURN(const training::DatasetOptions options, dataset_options(flags));
  return training::Recipe{.als = flags.options.als,
                          .confidence = options.confidence,
                          .neighbors = flags.options.neighbors,
                          .content = flags.options.content,
                          .shop = flags.options.shop};
}

std::uint64_t memory_limit(const TrainingFlags& flags) {
  return flags.memory_limit > 0 ? flags.memory_limit : training::free_memory_bytes();
}

absl::Status check_memory(const TrainingFlags& flags, std::uint64_t interactions) {
  const training::AlsOptions& als = flags.options.als;
  return training::check_memory({.interactions = interactions,
                                 .dimension = als.factors.dimension,
                                 .threads = training::thread_count_of(als.threads)},
                                memory_limit(flags));
}

absl::Status check_memory(const TrainingFlags& flags, const training::Dataset& data) {
  return training::check_memory(training::training_size(data, flags.options.als),
                                memory_limit(flags));
}

CancelOnInterrupt::CancelOnInterrupt() {
  interrupted.store(false);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}
CancelOnInterrupt::~CancelOnInterrupt() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}
const std::atomic<bool>& CancelOnInterrupt::flag() const { return interrupted; }

TrainingReport::TrainingReport(bool as_json, std::string label)
    : as_json_(as_json), label_(label.empty() ? std::move(label) : label + ": ") {}

TrainingReport::~TrainingReport() {
  if (is_drawn_) fmt::print(stderr, "\r\x1b[K");
}

void TrainingReport::show(const training::EpochReport& epoch) {
  seconds_ += epoch.wall_seconds;
  const double left = seconds_ / ++epochs_ * (epoch.epochs - epoch.epoch);
  if (as_json_) {
    std::string line;
    http::JsonWriter(line)
        .begin_object()
        .field("epoch", epoch.epoch)
        .field("epochs", epoch.epochs)
        .field("wall_seconds", epoch.wall_seconds)
        .field("cpu_seconds", epoch.cpu_seconds)
        .field("objective", epoch.objective)
        .field("seconds_left", left)
        .end_object();
    print_line(line);
    return;
  }
  const bool on_terminal = is_terminal(stderr);
  const std::string bar =
      on_terminal ? bar_of(static_cast<double>(epoch.epoch) / epoch.epochs) + "  " : "";
  fmt::print(stderr, "{}{}epoch {:>2}/{}  {}{:>8}  objective {:.5f}  {} left{}",
             on_terminal ? "\r" : "", label_, epoch.epoch, epoch.epochs, bar,
             duration_text(epoch.wall_seconds), epoch.objective, duration_text(left),
             on_terminal ? "\x1b[K" : "\n");
  std::fflush(stderr);
  is_drawn_ = on_terminal;
}

void TrainingReport::show(std::string_view stage, double share) {
  const bool on_terminal = is_terminal(stderr) && !as_json_;
  const std::int64_t now_us = steady_us();
  if (now_us - shown_us_ < (on_terminal ? k_redraw_us : k_line_us)) return;
  shown_us_ = now_us;
  const double left = static_cast<double>(now_us - stage_us_) / 1e6 * (1 / share - 1);
  if (as_json_) {
    std::string line;
    http::JsonWriter(line)
        .begin_object()
        .field("stage", stage)
        .field("share", share)
        .field("seconds_left", left)
        .end_object();
    print_line(line);
    return;
  }
  fmt::print(stderr, "{}{}{} products  {}{:>3.0f} %  {} left{}", on_terminal ? "\r" : "", label_,
             stage, on_terminal ? bar_of(share) + "  " : "", 100 * share, duration_text(left),
             on_terminal ? "\x1b[K" : "\n");
  std::fflush(stderr);
  is_drawn_ = is_drawn_ || on_terminal;
}

training::TrainObserver TrainingReport::observer(const std::atomic<bool>& cancel) {
  return {.on_epoch = [this](const training::EpochReport& epoch) { show(epoch); },
          .on_stage = [this](std::string_view) { stage_us_ = shown_us_ = steady_us(); },
          .on_progress = [this](std::string_view stage, double share) { show(stage, share); },
          .cancel = &cancel};
}

}  // namespace vitrine::app
