#include "server/events/committer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>

#include "base/check.h"
#include "base/status.h"
#include "server/events/answer_keeper.h"
#include "server/events/batch.h"
#include "server/events/commit_scheduling.h"
#include "server/events/kept_command.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

double seconds_since(std::int64_t start_us) {
  return static_cast<double>(steady_us() - start_us) * 1e-6;
}

// A function as a command, and its answer as a future.
class WaitedCommand final : public Command {
 public:
  explicit WaitedCommand(std::function<absl::Status(Batch&)> stage) : stage_(std::move(stage)) {}
  std::future<absl::StatusOr<Position>> answered() { return promise_.get_future(); }
  absl::Status stage(Batch& batch) override { return stage_(batch); }
  void answer(const absl::Status& status, Position visible) override {
    if (status.ok()) {
      promise_.set_value(visible);
    } else {
      promise_.set_value(status);
    }
  }

 private:
  const std::function<absl::Status(Batch&)> stage_;
  std::promise<absl::StatusOr<Position>> promise_;
};

}  // namespace

struct Committer::State {
  State(store::Database& database_in, std::span<Projection* const> projections,
        const Clock& clock_in, Metrics& metrics, Log& log_in, const Options& options_in,
        Checkpointer* checkpointer_in)
      : database(database_in),
        before_ack(projections.begin(), projections.end()),
        clock(clock_in),
        log(log_in),
        options(options_in),
        checkpointer(checkpointer_in),
        queue(options_in.queue_max, std::chrono::milliseconds(options_in.unawaited_wait_ms)),
        waiting(
            metrics.gauge("vitrine_commit_waiting_commands", "Commands waiting for the committer")),
        refused(metrics.counter("vitrine_commit_refused_commands_total",
                                "Commands refused because the queue was full")),
        batch_commands(metrics.histogram("vitrine_commit_batch_commands", "Commands in one batch",
                                         {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})),
        entries(metrics.counter("vitrine_commit_entries_total", "Entries appended to the log")),
        batch_seconds(metrics.histogram("vitrine_commit_batch_seconds",
                                        "From taking a batch to its last answer",
                                        latency_bounds_seconds())),
        sync_seconds(metrics.histogram("vitrine_commit_sync_seconds",
                                       "Writing and syncing one batch", latency_bounds_seconds())),
        no_room(metrics.counter("vitrine_commit_no_room_total",
                                "Batches refused because the disk is nearly full")),
        unsynced(metrics.counter("vitrine_commit_unsynced_batches_total",
                                 "Batches of what nobody awaits, written without a sync")) {}

  using Commands = std::vector<std::unique_ptr<Command>>;
  void run();
  void gather();
  // Commits as many of the commands from `first` on as fit one batch; returns the next one's index.
  std::size_t commit(Commands& commands, std::size_t first);
  absl::Status write(Batch& batch, bool is_awaited);
  void apply(const std::vector<LogEntry>& entries);
  void show(Position position);
  void note_room(const absl::Status& written);

  store::Database& database;
  const std::vector<Projection*> before_ack;
  const Clock& clock;
  Log& log;
  const Options options;
  Checkpointer* const checkpointer;
  BoundedQueue<std::unique_ptr<Command>> queue;
  std::atomic<bool> stopping = false;
  std::size_t last_awaited = 0;  // commands in the last batch; the committer thread's own
  bool has_room = true;          // as of the last write; the committer thread's own

  mutable std::mutex visible_mutex;
  mutable std::condition_variable visible_changed;
  std::atomic<Position> visible = 0;  // written under the mutex

  Gauge& waiting;
  Counter& refused;
  Histogram& batch_commands;
  Counter& entries;
  Histogram& batch_seconds;
  Histogram& sync_seconds;
  Counter& no_room;
  Counter& unsynced;
  std::thread thread;
};

void Committer::State::run() {
  ask_for_prompt_wakeups();
  for (;;) {
    gather();
    Commands commands = queue.pop_up_to(options.batch_commands_max);
    if (commands.empty()) return;
    waiting.set(static_cast<double>(queue.size()));
    for (std::size_t next = 0; next < commands.size();) next = commit(commands, next);
  }
}

// A sync costs its processor time whether it is for one command or for fifty, and with many senders
// at once a batch of few is paid for in everybody's time. Rests while more come that somebody
// awaits; whoever sends alone never waits.
void Committer::State::gather() {
  constexpr std::size_t k_many_senders = 4;  // commands in the last batch that somebody awaited
  constexpr std::size_t k_enough = 48;       // waiting ones that need no company
  constexpr int k_rests_max = 4;
  constexpr auto k_rest = std::chrono::microseconds(100);
  if (last_awaited < k_many_senders) return;
  std::size_t waiting_before = queue.prompt_size();
  for (int rest = 0; rest < k_rests_max && waiting_before < k_enough; ++rest) {
    std::this_thread::sleep_for(k_rest);
    const std::size_t waiting_now = queue.prompt_size();
    if (waiting_now == waiting_before) return;
    waiting_before = waiting_now;
  }
}

std::size_t Committer::State::commit(Commands& commands, std::size_t first) {
  const std::int64_t start_us = steady_us();
  Batch batch(database, visible.load(), clock.now_ms());
  Batch::Parts& parts = *batch.parts_;
  std::vector<absl::Status> outcomes;
  std::size_t end = first;
  std::size_t awaited = 0;
  while (end < commands.size() && parts.changes.bytes() < options.batch_bytes_max) {
    const std::size_t operations = parts.operations;
    outcomes.push_back(commands[end]->stage(batch));
    CHECK(outcomes.back().ok() || parts.operations == operations,
          "a refused command has staged nothing");
    if (commands[end]->is_awaited()) ++awaited;
    ++end;
  }

  const absl::Status written = write(batch, awaited > 0);
  if (written.ok()) {
    for (const auto& publish : parts.publish) publish();
    apply(parts.entries);
    show(parts.last);
    entries.add(static_cast<double>(parts.entries.size()));
  }
  // Refusals wait too: they may rest on what an earlier command of the batch staged.
  for (std::size_t i = first; i < end; ++i) {
    const absl::Status& own = outcomes[i - first];
    commands[i]->answer(own.ok() ? written : own, visible.load());
    commands[i].reset();
  }
  last_awaited = awaited;
  batch_commands.observe(static_cast<double>(end - first));
  batch_seconds.observe(seconds_since(start_us));
  if (checkpointer != nullptr) checkpointer->between_batches(visible.load());
  return end;
}

absl::Status Committer::State::write(Batch& batch, bool is_awaited) {
  Batch::Parts& parts = *batch.parts_;
  if (parts.changes.empty()) return absl::OkStatus();
  absl::Status written;
  if (is_awaited) {
    const std::int64_t start_us = steady_us();
    written = database.write(std::move(parts.changes));
    sync_seconds.observe(seconds_since(start_us));
  } else {
    CHECK(parts.entries.empty(), "what nobody awaits appends nothing to the log");
    written = database.write_unsynced(std::move(parts.changes));
    unsynced.add();
  }
  note_room(written);
  return written;
}

// Told when it begins and when it ends: a batch a millisecond would fill what room there is.
void Committer::State::note_room(const absl::Status& written) {
  if (!written.ok()) no_room.add();
  if (written.ok() == has_room) return;
  has_room = written.ok();
  if (has_room) {
    log.info("commits go on: there is room on the disk again");
  } else {
    log.error("commits are refused: {}", message_of(written));
  }
}

// A projection is total: one that throws is a fault of ours, and going on would leave its state
// behind the log.
void Committer::State::apply(const std::vector<LogEntry>& applied) {
  for (const LogEntry& entry : applied) {
    for (Projection* projection : before_ack) {
      try {
        projection->apply(entry);
      } catch (const std::exception& fault) {
        log.error("projection {} failed at position {}: {}", projection->name(), entry.position,
                  fault.what());
        std::abort();
      }
    }
  }
}

void Committer::State::show(Position position) {
  {
    const std::lock_guard lock(visible_mutex);
    visible.store(position);
  }
  visible_changed.notify_all();
}

Committer::Committer(store::Database& database, std::span<Projection* const> before_ack,
                     const Clock& clock, Metrics& metrics, Log& log, const Options& options,
                     Checkpointer* checkpointer)
    : state_(std::make_unique<State>(database, before_ack, clock, metrics, log, options,
                                     checkpointer)) {
  const auto last = database.last_key(store::Family::log);
  state_->visible = last ? store::number_in(*last).value_or(0) : 0;
  for (const Projection* projection : before_ack) {
    CHECK(projection->position() == state_->visible, "projections are replayed before committing");
  }
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Committer::~Committer() { stop(); }

absl::Status Committer::submit(std::unique_ptr<Command> command) {
  if (state_->stopping.load()) return unavailable("the server is stopping");
  if (const auto& keeper = KeepAnswers::of_this_thread()) {
    command = std::make_unique<KeptCommand>(std::move(command), keeper);
  }
  const bool is_queued = command->is_awaited() ? state_->queue.try_push(std::move(command))
                                               : state_->queue.try_push_patient(std::move(command));
  if (!is_queued) {
    if (state_->stopping.load()) return unavailable("the server is stopping");
    state_->refused.add();
    return overloaded("{} commands are waiting to be written, at most {} may", state_->queue.size(),
                      state_->queue.capacity());
  }
  return absl::OkStatus();
}

bool Committer::is_half_full() const { return state_->queue.size() > state_->queue.capacity() / 2; }

absl::StatusOr<Position> Committer::submit_and_wait(std::function<absl::Status(Batch&)> stage) {
  CHECK(std::this_thread::get_id() != state_->thread.get_id(),
        "the committer does not wait for itself");
  const KeepAnswers nobody(nullptr);  // who waits here is told after the sync
  auto command = std::make_unique<WaitedCommand>(std::move(stage));
  auto answered = command->answered();
  VITRINE_RETURN_IF_ERROR(submit(std::move(command)));
  return answered.get();
}

Position Committer::visible() const { return state_->visible.load(); }

bool Committer::wait_until_visible(Position position, TimeMs timeout_ms) const {
  if (visible() >= position) return true;
  std::unique_lock lock(state_->visible_mutex);
  return state_->visible_changed.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                          [&] { return state_->visible.load() >= position; });
}

void Committer::stop() {
  state_->stopping = true;
  state_->queue.close();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace vitrine::events
