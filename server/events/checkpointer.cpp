#include "server/events/checkpointer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "server/events/commit_scheduling.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

using store::Family;

// One projection's share of a checkpoint, as of one position.
struct Share {
  Projection* projection = nullptr;
  std::string state;
  CheckpointPart part;
};

struct Work {
  Position at = 0;
  std::vector<Share> shares;  // in the order of their keys
};

// Puts a projection's keys into its own space.
class SpaceWriter final : public CheckpointWriter {
 public:
  SpaceWriter(std::string_view projection, store::BulkWrite& out)
      : key_(checkpoint_key(projection, {})), space_bytes_(key_.size()), out_(out) {}
  void put(std::string_view key, std::string_view value) override { out_.put(whole(key), value); }
  void erase(std::string_view key) override { out_.erase(whole(key)); }

 private:
  std::string_view whole(std::string_view key) {
    CHECK(!key.empty(), "a checkpoint's key is not empty");
    key_.resize(space_bytes_);
    return key_.append(key);
  }

  std::string key_;
  const std::size_t space_bytes_;
  store::BulkWrite& out_;
};

absl::StatusOr<std::uint64_t> write(store::Database& database, const Work& work) {
  VITRINE_ASSIGN_OR_RETURN(const auto out, database.bulk_write(Family::checkpoints));
  for (const Share& share : work.shares) {
    out->put(share.projection->name(), store::key_of(work.at) + share.state);
    SpaceWriter space(share.projection->name(), *out);
    if (share.part) share.part(space);
  }
  return out->finish();
}

double seconds_since(std::int64_t start_us) {
  return static_cast<double>(steady_us() - start_us) * 1e-6;
}

}  // namespace

struct Checkpointer::State {
  State(store::Database& database_in, std::span<Projection* const> projections_in,
        const Clock& clock_in, Metrics& metrics, Log& log_in, const Options& options_in)
      : database(database_in),
        projections(projections_in.begin(), projections_in.end()),
        clock(clock_in),
        log(log_in),
        options(options_in),
        begun_ms(clock_in.now_ms()),
        pause_seconds(metrics.histogram("vitrine_checkpoint_pause_seconds",
                                        "How long commits waited while a checkpoint was begun",
                                        latency_bounds_seconds())),
        last_seconds(metrics.gauge("vitrine_checkpoint_last_seconds",
                                   "How long it took to write the last checkpoint")),
        last_bytes(
            metrics.gauge("vitrine_checkpoint_last_bytes", "The size of the last checkpoint")),
        position(metrics.gauge("vitrine_checkpoint_position",
                               "The log's position of the last durable checkpoint")),
        failures(metrics.counter("vitrine_checkpoint_failures_total",
                                 "Checkpoints that could not be written")) {}

  bool is_due(Position at);
  std::size_t pinned_bytes() const;
  Work begin(Position at);
  absl::Status carry_out(const Work& work);
  void run();
  void wait_until_idle();

  store::Database& database;
  const std::vector<Projection*> projections;
  const Clock& clock;
  Log& log;
  const Options options;

  // The committer thread's own.
  std::optional<Position> begun_at;  // nothing before the first new entry of this process
  TimeMs begun_ms;

  std::atomic<bool> is_asked = false;
  std::atomic<Position> durable = 0;
  std::mutex mutex;  // guards the two below
  std::condition_variable changed;
  std::optional<Work> waiting;  // until it is carried out
  bool is_ending = false;
  std::thread thread;

  Histogram& pause_seconds;
  Gauge& last_seconds;
  Gauge& last_bytes;
  Gauge& position;
  Counter& failures;
};

bool Checkpointer::State::is_due(Position at) {
  if (at == 0) return false;
  if (!begun_at) begun_at = at - 1;
  if (at <= *begun_at) return false;
  if (is_asked.load() || at - *begun_at >= options.entries) return true;
  if (clock.now_ms() - begun_ms >= options.interval_ms) return true;
  return pinned_bytes() >= options.pinned_bytes;
}

std::size_t Checkpointer::State::pinned_bytes() const {
  std::size_t pinned = 0;
  for (const Projection* projection : projections) pinned += projection->pinned_bytes();
  return pinned;
}

// A projection that is elsewhere is ahead of a replay: its checkpoint stands.
Work Checkpointer::State::begin(Position at) {
  const std::int64_t start_us = steady_us();
  is_asked = false;
  begun_at = at;
  begun_ms = clock.now_ms();
  Work work{.at = at, .shares = {}};
  for (Projection* projection : projections) {
    if (projection->position() != at) continue;
    std::string state = projection->checkpoint();
    if (state.empty()) continue;
    work.shares.push_back({projection, std::move(state), projection->begin_checkpoint()});
  }
  std::ranges::sort(work.shares, {}, [](const Share& share) { return share.projection->name(); });
  pause_seconds.observe(seconds_since(start_us));
  return work;
}

absl::Status Checkpointer::State::carry_out(const Work& work) {
  if (work.shares.empty()) return absl::OkStatus();
  const std::int64_t start_us = steady_us();
  const absl::StatusOr<std::uint64_t> bytes = write(database, work);
  for (const Share& share : work.shares) share.projection->end_checkpoint(bytes.ok());
  if (!bytes.ok()) {
    failures.add();
    log.error("the checkpoint at position {} was not written: {}", work.at,
              message_of(bytes.status()));
    return bytes.status();
  }
  durable = work.at;
  position.set(static_cast<double>(work.at));
  last_bytes.set(static_cast<double>(*bytes));
  last_seconds.set(seconds_since(start_us));
  return absl::OkStatus();
}

void Checkpointer::State::run() {
  stay_in_the_background();
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return waiting.has_value() || is_ending; });
    if (!waiting) return;
    lock.unlock();
    carry_out(*waiting).IgnoreError();  // told and counted; the next one takes it over
    lock.lock();
    waiting.reset();
    changed.notify_all();
  }
}

void Checkpointer::State::wait_until_idle() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !waiting.has_value(); });
}

Checkpointer::Checkpointer(store::Database& database, std::span<Projection* const> projections,
                           const Clock& clock, Metrics& metrics, Log& log, const Options& options)
    : state_(std::make_unique<State>(database, projections, clock, metrics, log, options)) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

void Checkpointer::between_batches(Position at) {
  if (!state_->is_due(at)) return;
  // Events that come faster than the disk takes checkpoints wait, before they fill the memory.
  constexpr std::size_t k_pinned_times_max = 4;
  if (state_->pinned_bytes() >= k_pinned_times_max * state_->options.pinned_bytes) {
    state_->wait_until_idle();
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting) return;
  }
  Work work = state_->begin(at);
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting = std::move(work);
  }
  state_->changed.notify_all();
}

absl::Status Checkpointer::while_replaying(Position at) {
  if (!state_->is_due(at)) return absl::OkStatus();
  state_->wait_until_idle();
  const absl::Status written = state_->carry_out(state_->begin(at));
  return absl::IsUnavailable(written) ? absl::OkStatus() : written;
}

void Checkpointer::ask() { state_->is_asked = true; }

absl::Status Checkpointer::finish(Position at) {
  state_->wait_until_idle();
  if (!state_->begun_at || at <= state_->durable.load()) return absl::OkStatus();
  return state_->carry_out(state_->begin(at));
}

Position Checkpointer::last_durable() const { return state_->durable.load(); }

absl::Status restore_checkpoint(store::Database& database, Position last, Projection& projection) {
  constexpr std::size_t k_position_bytes = 8;
  VITRINE_ASSIGN_OR_RETURN(const auto stored, database.get(Family::checkpoints, projection.name()));
  if (stored) {
    const auto at = store::number_in(std::string_view(*stored).substr(0, k_position_bytes));
    if (!at || *at > last) {
      return data_loss("the checkpoint of {} does not fit a log of {} entries", projection.name(),
                       last);
    }
    const absl::Status restored =
        projection.restore(std::string_view(*stored).substr(k_position_bytes), *at);
    if (!absl::IsUnimplemented(restored)) return restored;
  }
  const std::string space = checkpoint_key(projection.name(), {});
  const auto cursor = database.walk(Family::checkpoints, space, false);
  VITRINE_RETURN_IF_ERROR(cursor->status());
  if (!stored && !(cursor->valid() && cursor->key().starts_with(space))) return absl::OkStatus();
  std::string end(projection.name());
  end.append(1, '\1');
  store::WriteSet changes;
  changes.erase(Family::checkpoints, projection.name());
  changes.erase_range(Family::checkpoints, space, end);
  return database.write(std::move(changes));
}

}  // namespace vitrine::events
