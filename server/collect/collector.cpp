#include "server/collect/collector.h"

#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/store/key.h"

namespace vitrine::collect {
namespace {

using store::Family;

// An event that passed, with the key that says whether it was here before.
struct AcceptedEvent {
  Event event;
  std::string dedupe_key;
};

}  // namespace

struct Collector::Counters {
  explicit Counters(Metrics& metrics_in)
      : accepted(events(metrics_in, "accepted")),
        duplicate(events(metrics_in, "duplicate")),
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
  Metrics& metrics;
};

// One call's events: duplicates found, people resolved, refused ones kept, in one batch.
class Collector::CollectCommand final : public events::Command {
 public:
  using Done = std::function<void(absl::StatusOr<CollectOutcome>)>;

  CollectCommand(Collector& collector, std::string source, Done done)
      : collector_(collector), source_(std::move(source)), done_(std::move(done)) {}

  void accept(Event event) {
    std::string key =
        store::hashed_key(collector_.database_.secret(), "event", source_, event.event_id);
    accepted_.push_back({std::move(event), std::move(key)});
  }
  void refuse(std::size_t index, EventRefusal refusal, std::string raw, TimeMs now_ms) {
    outcome_.rejected.push_back({index, refusal.code, refusal.message});
    refused_.push_back({.received_ms = now_ms,
                        .source = source_,
                        .code = std::move(refusal.code),
                        .message = std::move(refusal.message),
                        .raw = std::move(raw)});
  }

  absl::Status stage(events::Batch& batch) override;
  void answer(const absl::Status& status, Position visible) override;

 private:
  // The reads that can fail, before anything is staged.
  absl::StatusOr<std::vector<bool>> find_duplicates(const events::Batch& batch) const;
  void stage_event(events::Batch& batch, AcceptedEvent&& accepted);

  Collector& collector_;
  const std::string source_;
  const Done done_;
  std::vector<AcceptedEvent> accepted_;
  std::vector<events::QuarantinedEvent> refused_;
  CollectOutcome outcome_;
};

absl::StatusOr<std::vector<bool>> Collector::CollectCommand::find_duplicates(
    const events::Batch& batch) const {
  std::vector<bool> duplicates;
  duplicates.reserve(accepted_.size());
  for (const AcceptedEvent& accepted : accepted_) {
    VITRINE_ASSIGN_OR_RETURN(const auto position, batch.get(Family::dedupe, accepted.dedupe_key));
    duplicates.push_back(position.has_value());
  }
  return duplicates;
}

void Collector::CollectCommand::stage_event(events::Batch& batch, AcceptedEvent&& accepted) {
  Event& event = accepted.event;
  const identity::Who who = collector_.identities_.resolve(batch, event.user_id, event.visitor_id);
  event.user_id.clear();
  event.visitor_id.clear();
  const Position position = batch.append(
      {.user = who.user, .visitor = who.visitor, .source = source_, .what = std::move(event)});
  batch.put(Family::dedupe, accepted.dedupe_key, store::key_of(position));
}

absl::Status Collector::CollectCommand::stage(events::Batch& batch) {
  VITRINE_ASSIGN_OR_RETURN(const std::vector<bool> duplicates, find_duplicates(batch));
  for (std::size_t i = 0; i < accepted_.size(); ++i) {
    // The second look is for two events of this very call.
    if (duplicates[i] || batch.has_staged(Family::dedupe, accepted_[i].dedupe_key)) {
      ++outcome_.duplicates;
    } else {
      stage_event(batch, std::move(accepted_[i]));
      ++outcome_.accepted;
    }
  }
  for (events::QuarantinedEvent& event : refused_) {
    collector_.quarantine_.stage(batch, std::move(event));
  }
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
  if (outcome_.duplicates > 0) counters.duplicate.add(static_cast<double>(outcome_.duplicates));
  for (const RejectedEvent& rejected : outcome_.rejected) counters.count_rejected(rejected.code);
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
      counters_(std::make_shared<Counters>(metrics)) {}

absl::Status Collector::collect(std::vector<IncomingEvent> batch, std::string source,
                                bool is_import,
                                std::function<void(absl::StatusOr<CollectOutcome>)> done) {
  if (batch.size() > options_.batch_events_max) {
    return invalid_argument("events must have at most {} entries, got {}",
                            options_.batch_events_max, batch.size());
  }
  const TimeMs now_ms = clock_.now_ms();
  auto command = std::make_unique<CollectCommand>(*this, std::move(source), std::move(done));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    IncomingEvent& incoming = batch[i];
    if (!incoming.refusal) {
      incoming.refusal = validate(incoming.event, options_.limits, now_ms, is_import);
    }
    if (incoming.refusal) {
      command->refuse(i, *std::move(incoming.refusal), std::move(incoming.raw), now_ms);
      continue;
    }
    if (incoming.event.event_id.empty()) incoming.event.event_id = make_ulid(now_ms);
    command->accept(std::move(incoming.event));
  }
  return committer_.submit(std::move(command));
}

}  // namespace vitrine::collect
