#include "server/events/retention.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/events/commit_scheduling.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

using store::Family;

constexpr std::string_view k_state_key = "retention";
constexpr std::size_t k_number_bytes = 8;
// So much changes at once, and so much is looked at before a step ends without a change.
constexpr std::size_t k_changes_a_step = 256;
constexpr std::size_t k_entries_a_step = 20'000;
constexpr auto k_between_steps = std::chrono::milliseconds(5);
constexpr auto k_while_busy = std::chrono::milliseconds(200);

std::string encode(const RetentionState& state) {
  return store::key_of(state.keys_until) + store::key_of(state.behaviour_until) +
         store::key_of(state.orders_until) + store::key_of(state.entries_removed);
}

bool is_behaviour(const LogEntry& entry) {
  return entry.event() != nullptr && !is_of_an_order(entry.event()->type);
}
bool is_order(const LogEntry& entry) {
  return entry.event() != nullptr && is_of_an_order(entry.event()->type);
}

// One kind of thing that passes.
struct Term {
  Position RetentionState::* until;
  bool (*passes)(const LogEntry&);
  bool takes_entry;  // else only its key
  std::int64_t days;
  Counter* removed;
};

// What one step changes.
struct Step {
  std::vector<Position> entries;
  std::vector<std::string> keys;
  Position until = 0;  // looked at, whether it passes or not
  bool is_last = false;

  std::size_t size() const { return entries.size() + keys.size(); }
};

// Empties entries and erases keys, and takes down how far that is.
class StepCommand final : public Command {
 public:
  StepCommand(const Step& step, const RetentionState& after) : step_(step), after_(after) {}
  std::future<absl::Status> done() { return done_.get_future(); }

  absl::Status stage(Batch& batch) override {
    for (const Position position : step_.entries) {
      batch.put(Family::log, store::key_of(position), {});
    }
    for (const std::string& key : step_.keys) batch.erase(Family::dedupe, key);
    batch.put(Family::meta, k_state_key, encode(after_));
    return absl::OkStatus();
  }
  bool is_awaited() const override { return false; }
  void answer(const absl::Status& status, Position) override { done_.set_value(status); }

 private:
  const Step step_;
  const RetentionState after_;
  std::promise<absl::Status> done_;
};

}  // namespace

bool is_of_an_order(EventType type) {
  return type == EventType::purchase || type == EventType::refund || type == EventType::cancel ||
         type == EventType::order_update;
}

bool has_passing_key(const LogEntry& entry) {
  const Event* event = entry.event();
  if (event == nullptr) return false;
  // As the live routes name themselves; a live time lies within 30 days of its arrival.
  const bool is_live_source = entry.source == "api" || entry.source.starts_with("segment") ||
                              entry.source.starts_with("ga4");
  constexpr TimeMs k_live_age_max_ms = 31 * k_day_ms;
  return is_live_source && event->time_ms >= event->received_ms - k_live_age_max_ms;
}

absl::StatusOr<RetentionState> read_retention_state(const store::Database& database) {
  VITRINE_ASSIGN_OR_RETURN(const auto stored, database.get(Family::meta, k_state_key));
  RetentionState state;
  if (!stored) return state;
  std::array<std::uint64_t, 4> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number =
        i * k_number_bytes <= stored->size()
            ? store::number_in(std::string_view(*stored).substr(i * k_number_bytes, k_number_bytes))
            : std::nullopt;
    if (!number) return data_loss("the state of the retention cannot be read");
    numbers.at(i) = *number;
  }
  return RetentionState{numbers[0], numbers[1], numbers[2], numbers[3]};
}

struct Retention::State {
  State(const store::Database& database_in, Committer& committer_in, const Clock& clock_in,
        Metrics& metrics, Log& log_in, const Options& options_in)
      : database(database_in),
        committer(committer_in),
        clock(clock_in),
        log(log_in),
        options(options_in),
        terms{{{&RetentionState::keys_until, has_passing_key, false,
                // Later the entry that tells the key may be gone.
                std::min({options.key_days, options.behaviour_days, options.order_days}),
                &metrics.counter("vitrine_retention_event_keys_total",
                                 "Keys of live events that passed, so that they are not recognised "
                                 "any more when sent again")},
               {&RetentionState::behaviour_until, is_behaviour, true, options.behaviour_days,
                &metrics.counter("vitrine_retention_behaviour_total",
                                 "Entries of behaviour that passed and were emptied")},
               {&RetentionState::orders_until, is_order, true, options.order_days,
                &metrics.counter("vitrine_retention_orders_total",
                                 "Entries of orders that passed and were emptied")}}} {}

  void run();
  absl::Status make_round();
  absl::StatusOr<Step> next_step(const Term& term, Position after) const;
  absl::Status carry_out(const Term& term, const Step& step, RetentionState& state);
  // False when it is time to end.
  bool wait(std::chrono::milliseconds time);

  const store::Database& database;
  Committer& committer;
  const Clock& clock;
  Log& log;
  const Options options;
  const std::array<Term, 3> terms;

  std::mutex mutex;  // of is_ending
  std::condition_variable changed;
  bool is_ending = false;
  std::thread thread;
};

bool Retention::State::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, time, [&] { return is_ending; });
}

void Retention::State::run() {
  stay_in_the_background();
  while (wait(std::chrono::milliseconds(options.interval_ms))) {
    const absl::Status done = make_round();
    // A full disk or a full queue: the next round goes on where this one was.
    if (!done.ok()) log.warning("retention waits: {}", message_of(done));
  }
}

absl::Status Retention::State::make_round() {
  VITRINE_ASSIGN_OR_RETURN(RetentionState state, read_retention_state(database));
  for (const Term& term : terms) {
    for (bool is_last = false; !is_last;) {
      VITRINE_ASSIGN_OR_RETURN(const Step step, next_step(term, state.*term.until));
      is_last = step.is_last;
      if (step.until > state.*term.until) VITRINE_RETURN_IF_ERROR(carry_out(term, step, state));
      if (!wait(committer.is_half_full() ? k_while_busy : k_between_steps)) {
        return absl::OkStatus();
      }
    }
  }
  return absl::OkStatus();
}

// Commit times ascend with positions, so the first entry that is too young ends the walk.
absl::StatusOr<Step> Retention::State::next_step(const Term& term, Position after) const {
  const TimeMs kept_from_ms = clock.now_ms() - term.days * k_day_ms;
  const Position newest = committer.visible();
  Step step{.entries = {}, .keys = {}, .until = after, .is_last = true};
  const auto cursor = database.walk(Family::log, store::key_of(after + 1), false);
  for (std::size_t seen = 0; cursor->valid(); cursor->next(), ++seen) {
    const Position position = store::number_in(cursor->key()).value_or(0);
    if (position >= newest) break;  // a restart begins its count with what the last one holds
    if (step.size() >= k_changes_a_step || seen >= k_entries_a_step) {
      step.is_last = false;
      break;
    }
    if (!cursor->value().empty()) {
      VITRINE_ASSIGN_OR_RETURN(const LogEntry entry, decode_log_entry(position, cursor->value()));
      if (entry.committed_ms >= kept_from_ms) break;
      if (term.passes(entry) && term.takes_entry) step.entries.push_back(position);
      if (term.passes(entry) && !term.takes_entry) {
        step.keys.push_back(
            store::hashed_key(database.secret(), "event", entry.source, entry.event()->event_id));
      }
    }
    step.until = position;
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return step;
}

absl::Status Retention::State::carry_out(const Term& term, const Step& step,
                                         RetentionState& state) {
  RetentionState after = state;
  after.*term.until = step.until;
  after.entries_removed += step.entries.size();
  auto command = std::make_unique<StepCommand>(step, after);
  std::future<absl::Status> done = command->done();
  VITRINE_RETURN_IF_ERROR(committer.submit(std::move(command)));
  VITRINE_RETURN_IF_ERROR(done.get());
  term.removed->add(static_cast<double>(step.size()));
  state = after;
  return absl::OkStatus();
}

Retention::Retention(const store::Database& database, Committer& committer, const Clock& clock,
                     Metrics& metrics, Log& log, const Options& options)
    : state_(std::make_unique<State>(database, committer, clock, metrics, log, options)) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Retention::~Retention() { stop(); }

void Retention::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_ending = true;
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace vitrine::events
