#include "server/collect/collector.h"

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/store/key.h"

namespace vitrine::collect {
namespace {

using store::Family;

// An event that passed, with the key that says whether it was here before.
struct AcceptedEvent {
  std::size_t index;  // in the batch
  Event event;
  identity::Trust trust;
  std::string dedupe_key;
};

// An event that did not, and who it names as far as it was understood.
struct RefusedEvent {
  events::QuarantinedEvent kept;
  std::string user_id;
  std::string visitor_id;
};

constexpr const char* k_erased = "erased";

// Who a refused event names, which may have been refused before that was read: in any of the names
// that senders have for it.
void read_ids(RefusedEvent& event) {
  namespace json = boost::json;
  json::error_code error;
  const json::value raw = json::parse(event.kept.raw, error);
  const json::object* const object = error ? nullptr : raw.if_object();
  if (object == nullptr) return;
  const auto take = [&](std::string& id, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
      const json::value* const value = object->if_contains(name);
      if (id.empty() && value != nullptr && value->is_string()) id = value->get_string();
    }
  };
  take(event.user_id, {"user_id", "userId"});
  take(event.visitor_id, {"visitor_id", "anonymousId", "client_id"});
}

}  // namespace

struct Collector::Counters {
  explicit Counters(Metrics& metrics_in)
      : accepted(events(metrics_in, "accepted")),
        duplicate(events(metrics_in, "duplicate")),
        bots(metrics_in.counter("vitrine_collect_bot_events_total",
                                "Events of programs, kept but not learnt from")),
        bursts(metrics_in.counter("vitrine_collect_bursts_total",
                                  "People who turned out to be programs by their rate")),
        erased(metrics_in.counter("vitrine_collect_erased_events_total",
                                  "Events of people who were erased, of which nothing was kept")),
        metrics(metrics_in) {}

  static Counter& events(Metrics& metrics, const char* result) {
    return metrics.counter("vitrine_collect_events_total", "Events acknowledged",
                           {{"result", result}});
  }
  // Codes come from the program, not from the sender.
  void count_rejected(const std::string& code) {
    metrics
        .counter("vitrine_collect_rejected_events_total", "Events refused and kept in quarantine",
                 {{"code", code}})
        .add();
  }

  Counter& accepted;
  Counter& duplicate;
  Counter& bots;
  Counter& bursts;
  Counter& erased;
  Metrics& metrics;
};

// One call's events: duplicates found, people resolved, refused ones kept, in one batch.
class Collector::CollectCommand final : public events::Command {
 public:
  using Done = std::function<void(absl::StatusOr<CollectOutcome>)>;

  CollectCommand(Collector& collector, std::string source, bool is_import, Done done)
      : collector_(collector),
        source_(std::move(source)),
        is_import_(is_import),
        done_(std::move(done)) {}

  void accept(std::size_t index, Event event, identity::Trust trust) {
    std::string key =
        store::hashed_key(collector_.database_.secret(), "event", source_, event.event_id);
    accepted_.push_back({index, std::move(event), trust, std::move(key)});
  }
  void refuse(std::size_t index, IncomingEvent&& incoming, TimeMs received_ms) {
    EventRefusal& refusal = *incoming.refusal;
    outcome_.rejected.push_back({index, refusal.code, refusal.message});
    refused_.push_back({.kept = {.received_ms = received_ms,
                                 .source = source_,
                                 .code = std::move(refusal.code),
                                 .message = std::move(refusal.message),
                                 .raw = std::move(incoming.raw),
                                 .is_unverified = incoming.event.is_unverified},
                        .user_id = std::move(incoming.event.user_id),
                        .visitor_id = std::move(incoming.event.visitor_id)});
  }
  void leave_quarantine(std::uint64_t number) { leaving_.push_back(number); }

  absl::Status stage(events::Batch& batch) override;
  void answer(const absl::Status& status, Position visible) override;

 private:
  // The reads that can fail, before anything is staged.
  absl::StatusOr<std::vector<bool>> find_duplicates(const events::Batch& batch) const;
  // False when it is of somebody who was erased: nothing is staged.
  bool stage_event(events::Batch& batch, AcceptedEvent&& accepted);
  void leave_out(const AcceptedEvent& accepted);
  void keep_refused(events::Batch& batch);
  void watch_bursts(events::Batch& batch, const identity::Who& who, Event& event);

  Collector& collector_;
  const std::string source_;
  const bool is_import_;
  const Done done_;
  std::vector<AcceptedEvent> accepted_;
  std::vector<RefusedEvent> refused_;
  std::vector<std::uint64_t> leaving_;
  CollectOutcome outcome_;
  std::size_t left_out_ = 0;  // events of people who were erased
};

absl::StatusOr<std::vector<bool>> Collector::CollectCommand::find_duplicates(
    const events::Batch& batch) const {
  std::vector<bool> duplicates;
  duplicates.reserve(accepted_.size());
  for (const AcceptedEvent& accepted : accepted_) {
    VITRINE_ASSIGN_OR_RETURN(const auto position, batch.get(Family::dedupe, accepted.dedupe_key));
    duplicates.push_back(position.has_value());
    VITRINE_RETURN_IF_ERROR(collector_.orders_.look_up(batch, accepted.event));
  }
  return duplicates;
}

// A public key must not learn that there was such a person: it is told what it would be told
// otherwise.
void Collector::CollectCommand::leave_out(const AcceptedEvent& accepted) {
  ++left_out_;
  if (accepted.event.is_unverified) {
    ++outcome_.accepted;
    return;
  }
  outcome_.rejected.push_back(
      {accepted.index, k_erased, "the person was erased: nothing is kept of them any more"});
}

void Collector::CollectCommand::keep_refused(events::Batch& batch) {
  identity::IdentityBook& identities = collector_.identities_;
  for (RefusedEvent& event : refused_) {
    if (identities.has_erased(batch)) read_ids(event);
    if (identities.is_erased_user(batch, event.user_id)) continue;
    if (identities.is_erased_visitor(batch, event.visitor_id)) continue;
    collector_.quarantine_.stage(batch, std::move(event.kept));
  }
}

bool Collector::CollectCommand::stage_event(events::Batch& batch, AcceptedEvent&& accepted) {
  Event& event = accepted.event;
  identity::Who who =
      collector_.identities_.resolve(batch, event.user_id, event.visitor_id, accepted.trust);
  if (who.is_erased) {
    leave_out(accepted);
    return false;
  }
  event.user_id.clear();
  event.visitor_id.clear();
  collector_.orders_.place(batch, collector_.identities_, source_, who, event);
  watch_bursts(batch, who, event);
  if (event.is_bot) ++outcome_.bots;
  const Position position = batch.append(
      {.user = who.user, .visitor = who.visitor, .source = source_, .what = std::move(event)});
  batch.put(Family::dedupe, accepted.dedupe_key, store::key_of(position));
  return true;
}

// History is imported as fast as it goes, and is not watched.
void Collector::CollectCommand::watch_bursts(events::Batch& batch, const identity::Who& who,
                                             Event& event) {
  if (is_import_) return;
  const TimeMs now_ms = batch.time_ms();
  const UserNumber person = who.visitor != k_nobody ? who.visitor : who.user;
  const BurstWatch::Verdict verdict = collector_.bursts_.look_at(person, event, now_ms);
  if (verdict == BurstWatch::Verdict::person) return;
  event.is_bot = true;
  if (verdict != BurstWatch::Verdict::begins) return;
  const BurstWatch::Options& options = collector_.bursts_.options();
  batch.append({.user = who.user,
                .visitor = who.visitor,
                .source = {},
                .what = BotFlag{.since_ms = now_ms - 2 * options.window_ms, .until_ms = now_ms}});
  ++outcome_.bursts;
}

absl::Status Collector::CollectCommand::stage(events::Batch& batch) {
  VITRINE_ASSIGN_OR_RETURN(const std::vector<bool> duplicates, find_duplicates(batch));
  for (std::size_t i = 0; i < accepted_.size(); ++i) {
    // The second look is for two events of this very call.
    if (duplicates[i] || batch.has_staged(Family::dedupe, accepted_[i].dedupe_key)) {
      ++outcome_.duplicates;
    } else if (stage_event(batch, std::move(accepted_[i]))) {
      ++outcome_.accepted;
    }
  }
  for (const std::uint64_t number : leaving_) collector_.quarantine_.remove(batch, number);
  keep_refused(batch);
  std::ranges::sort(outcome_.rejected, {}, &RejectedEvent::index);
  outcome_.token = batch.last_position();
  return absl::OkStatus();
}

void Collector::CollectCommand::answer(const absl::Status& status, Position /*visible*/) {
  if (!status.ok()) {
    done_(status);
    return;
  }
  Counters& counters = *collector_.counters_;
  if (outcome_.accepted > 0) counters.accepted.add(static_cast<double>(outcome_.accepted));
  if (outcome_.bots > 0) counters.bots.add(static_cast<double>(outcome_.bots));
  if (outcome_.bursts > 0) counters.bursts.add(static_cast<double>(outcome_.bursts));
  if (outcome_.duplicates > 0) counters.duplicate.add(static_cast<double>(outcome_.duplicates));
  for (const RejectedEvent& rejected : outcome_.rejected) {
    if (rejected.code != k_erased) counters.count_rejected(rejected.code);
  }
  if (left_out_ > 0) counters.erased.add(static_cast<double>(left_out_));
  done_(std::move(outcome_));
}

Collector::Collector(const store::Database& database, events::Committer& committer,
                     identity::IdentityBook& identities, events::Quarantine& quarantine,
                     const Clock& clock, Metrics& metrics, const Options& options)
    : database_(database),
      committer_(committer),
      identities_(identities),
      quarantine_(quarantine),
      clock_(clock),
      options_(options),
      orders_(database),
      bursts_(options.bursts),
      counters_(std::make_shared<Counters>(metrics)) {}

absl::Status Collector::collect(std::vector<IncomingEvent> batch, std::string source,
                                bool is_import,
                                std::function<void(absl::StatusOr<CollectOutcome>)> done) {
  if (batch.size() > options_.batch_events_max) {
    return invalid_argument("events must have at most {} entries, got {}",
                            options_.batch_events_max, batch.size());
  }
  const TimeMs now_ms = clock_.now_ms();
  auto command =
      std::make_unique<CollectCommand>(*this, std::move(source), is_import, std::move(done));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    IncomingEvent& incoming = batch[i];
    const bool is_retried = incoming.quarantined != 0;
    const TimeMs received_ms = is_retried ? incoming.event.received_ms : now_ms;
    if (is_retried) command->leave_quarantine(incoming.quarantined);
    if (!incoming.refusal) {
      incoming.refusal = validate(incoming.event, options_.limits, received_ms, is_import);
    }
    if (incoming.refusal) {
      command->refuse(i, std::move(incoming), received_ms);
      continue;
    }
    if (incoming.event.event_id.empty()) incoming.event.event_id = make_ulid(now_ms);
    command->accept(i, std::move(incoming.event), incoming.trust);
  }
  return committer_.submit(std::move(command));
}

}  // namespace vitrine::collect
