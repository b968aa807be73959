#include "server/app/commands/training_flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>

#include "server/app/commands/command.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

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
  command.add_option("--solver", flags.solver, "How a row is solved")
      ->check(CLI::IsMember({"auto", "primal"}))
      ->capture_default_str();
  command
      .add_option("--half-life-days", flags.half_life_days,
                  "Days after which an event counts half; 0: for ever the same")
      ->check(CLI::Range(0.0, 36'500.0))
      ->capture_default_str();
  command.add_option("--seed", als.seed, "Of the random start; same seed, same model")
      ->capture_default_str();
  command.add_option("--threads", als.threads, "Threads; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

training::DatasetOptions dataset_options(const TrainingFlags& flags) {
  training::DatasetOptions options;
  options.confidence.half_life_days = flags.half_life_days;
  return options;
}

CancelOnInterrupt::CancelOnInterrupt() {
  interrupted.store(false);
  std::signal(SIGINT, on_interrupt);
}
CancelOnInterrupt::~CancelOnInterrupt() { std::signal(SIGINT, SIG_DFL); }
const std::atomic<bool>& CancelOnInterrupt::flag() const { return interrupted; }

TrainingReport::TrainingReport(bool as_json) : as_json_(as_json) {}

TrainingReport::~TrainingReport() {
  if (is_drawn_) fmt::print(stderr, "\r\x1b[K");
}

void TrainingReport::show(const training::EpochReport& epoch) {
  seconds_ += epoch.wall_seconds;
  const double left = seconds_ / epoch.epoch * (epoch.epochs - epoch.epoch);
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
  fmt::print(stderr, "{}epoch {:>2}/{}  {:>8}  objective {:.5f}  {} left{}",
             on_terminal ? "\r" : "", epoch.epoch, epoch.epochs, duration_text(epoch.wall_seconds),
             epoch.objective, duration_text(left), on_terminal ? "\x1b[K" : "\n");
  std::fflush(stderr);
  is_drawn_ = on_terminal;
}

training::TrainObserver TrainingReport::observer(const std::atomic<bool>& cancel) {
  return {.on_epoch = [this](const training::EpochReport& epoch) { show(epoch); },
          .on_stage = {},
          .cancel = &cancel};
}

}  // namespace vitrine::app
