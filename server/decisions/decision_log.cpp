#include "server/decisions/decision_log.h"

#include <atomic>
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "base/status.h"
#include "server/events/replacements.h"
#include "server/events/unawaited_writer.h"
#include "server/store/key.h"

namespace vitrine::decisions {
namespace {

// Not beside the decisions: a key before all of theirs, written with each of them, would make every
// compaction of the newest files one of the whole family.
constexpr store::Family k_state_family = store::Family::meta;
constexpr std::string_view k_state_key = "decisions";
// Where it was kept before, in front of every ULID.
constexpr std::string_view k_former_state_key = "#state";
constexpr std::string_view k_first_ulid = "0";
// With each write go at most this many old decisions for one new one, and some more.
constexpr std::size_t k_expired_for_each = 2;
constexpr std::size_t k_expired_beside = 64;

}  // namespace

struct DecisionLog::State {
  using Writer = events::UnawaitedWriter<Decision>;
  State(const store::Database& database_in, Metrics& metrics, const Options& options_in)
      : database(database_in),
        options(options_in),
        writer(
            {.waiting_max = options_in.waiting_max,
             .written =
                 metrics.counter("vitrine_decisions_written_total", "Answers kept as decisions"),
             .dropped = metrics.counter("vitrine_decisions_dropped_total",
                                        "Answers not kept, because too much waited to be written"),
             .stage = [this](events::Batch& batch,
                             std::vector<Decision> taken) { stage(batch, std::move(taken)); },
             .unname_if_erased =
                 [](Decision& decision, const Writer::Erased& erased) {
                   if (erased.contains(decision.user)) decision.user = k_nobody;
                 }}) {}

  void stage(events::Batch& batch, std::vector<Decision> taken);
  void expire(events::Batch& batch, std::size_t at_most);

  const store::Database& database;
  const Options options;
  Writer writer;
  Listener listener;

  // The committer thread's own, but for reading sizes.
  std::atomic<std::uint64_t> last_sequence{0};
  std::atomic<std::uint64_t> expired{0};
  std::string oldest{k_first_ulid};  // no decision lies before it
};

// What was written last: how many decisions there were, and how many of them were erased.
absl::StatusOr<std::optional<std::string>> stored_state(const store::Database& database) {
  VITRINE_ASSIGN_OR_RETURN(auto stored, database.get(k_state_family, k_state_key));
  if (stored) return stored;
  return database.get(store::Family::decisions, k_former_state_key);
}

// Erases from the oldest on what is past its time or too much.
void DecisionLog::State::expire(events::Batch& batch, std::size_t at_most) {
  const TimeMs kept_from_ms = batch.time_ms() - options.days_kept * k_day_ms;
  const auto is_too_much = [&] { return last_sequence - expired > options.decisions_max; };
  if (!is_too_much() && oldest >= ulid_time(kept_from_ms)) return;
  const auto cursor = database.walk(store::Family::decisions, oldest, false);
  for (; cursor->valid(); cursor->next()) {
    oldest = cursor->key();
    if (at_most-- == 0) return;
    if (!is_too_much() && oldest >= ulid_time(kept_from_ms)) return;
    batch.erase(store::Family::decisions, oldest);
    ++expired;
  }
}

void DecisionLog::State::stage(events::Batch& batch, std::vector<Decision> taken) {
  auto decisions = std::make_shared<std::vector<Decision>>(std::move(taken));
  for (Decision& decision : *decisions) {
    decision.sequence = ++last_sequence;
    batch.put(store::Family::decisions, decision.recommendation_id, encode(decision));
  }
  expire(batch, k_expired_for_each * decisions->size() + k_expired_beside);
  batch.put(k_state_family, k_state_key,
            store::key_of(last_sequence.load()) + store::key_of(expired.load()));
  batch.after_sync([this, decisions] {
    if (!listener) return;
    for (const Decision& decision : *decisions) listener(decision);
  });
}

DecisionLog::DecisionLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
DecisionLog::~DecisionLog() = default;

absl::StatusOr<std::unique_ptr<DecisionLog>> DecisionLog::open(const store::Database& database,
                                                               Metrics& metrics,
                                                               const Options& options) {
  auto state = std::make_unique<State>(database, metrics, options);
  VITRINE_ASSIGN_OR_RETURN(const auto stored, stored_state(database));
  if (stored) {
    const auto last = store::number_in(std::string_view(*stored).substr(0, 8));
    const auto expired = store::number_in(std::string_view(*stored).substr(8));
    if (!last || !expired) return data_loss("the state of the decisions cannot be read");
    state->last_sequence = *last;
    state->expired = *expired;
  }
  return std::unique_ptr<DecisionLog>(new DecisionLog(std::move(state)));
}

void DecisionLog::record(events::Committer& committer, Decision decision) {
  state_->writer.record(committer, std::move(decision));
}

void DecisionLog::on_written(Listener listener) { state_->listener = std::move(listener); }

absl::StatusOr<std::optional<Decision>> DecisionLog::find(
    std::string_view recommendation_id) const {
  if (!time_in_ulid(recommendation_id)) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(const auto stored,
                           state_->database.get(store::Family::decisions, recommendation_id));
  if (!stored) return std::nullopt;
  return decode_decision(recommendation_id, *stored);
}

absl::Status DecisionLog::for_each(TimeMs from_ms,
                                   const std::function<void(const Decision&)>& visit) const {
  const auto cursor = state_->database.walk(store::Family::decisions,
                                            ulid_time(std::max(from_ms, TimeMs{0})), true);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(const Decision decision,
                             decode_decision(cursor->key(), cursor->value()));
    visit(decision);
  }
  return cursor->status();
}

std::uint64_t DecisionLog::size() const { return state_->last_sequence - state_->expired; }

absl::StatusOr<std::string> DecisionLog::export_person(const events::DataSubject& subject) const {
  boost::json::array decisions;
  VITRINE_RETURN_IF_ERROR(for_each(0, [&](const Decision& decision) {
    if (!subject.did(decision.user)) return;
    boost::json::array products;
    for (const ShownProduct& shown : decision.shown) products.emplace_back(shown.product_id);
    decisions.push_back({{"recommendation_id", decision.recommendation_id},
                         {"time", format_time(decision.time_ms)},
                         {"placement", decision.placement},
                         {"products", std::move(products)}});
  }));
  return boost::json::serialize(decisions);
}

// An answer that was being made when its person was erased is written without a name, too.
absl::StatusOr<events::Erased> DecisionLog::erase_person(const events::DataSubject& subject,
                                                         events::Committer& committer) {
  state_->writer.erase(subject.histories);
  events::Replacer replacer(committer);
  const auto cursor = state_->database.walk(store::Family::decisions, k_first_ulid, true);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(Decision decision, decode_decision(cursor->key(), cursor->value()));
    if (!subject.did(decision.user)) continue;
    decision.user = k_nobody;
    VITRINE_RETURN_IF_ERROR(replacer.add({.family = store::Family::decisions,
                                          .key = std::string(cursor->key()),
                                          .before = std::string(cursor->value()),
                                          .after = encode(decision)}));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  VITRINE_ASSIGN_OR_RETURN(const std::size_t kept, replacer.finish());
  return events::Erased{.dropped = 0, .kept_without_person = kept};
}

}  // namespace vitrine::decisions
