#include "server/events/quarantine.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/status.h"
#include "model/proto/quarantine.pb.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

// The numbers in use: [first, next).
struct Range {
  std::uint64_t first = 1;
  std::uint64_t next = 1;
};

std::string encode(const QuarantinedEvent& event) {
  proto::QuarantinedEvent out;
  out.set_received_ms(event.received_ms);
  out.set_source(event.source);
  out.set_code(event.code);
  out.set_message(event.message);
  out.set_raw(event.raw.substr(0, Quarantine::k_raw_bytes_max));
  return out.SerializeAsString();
}

absl::StatusOr<QuarantinedEvent> decode(std::uint64_t number, std::string_view bytes) {
  proto::QuarantinedEvent in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return data_loss("the quarantined event {} cannot be read", number);
  }
  return QuarantinedEvent{.number = number,
                          .received_ms = in.received_ms(),
                          .source = std::move(*in.mutable_source()),
                          .code = std::move(*in.mutable_code()),
                          .message = std::move(*in.mutable_message()),
                          .raw = std::move(*in.mutable_raw())};
}

}  // namespace

struct Quarantine::State {
  State(const store::Database& database_in, const Options& options_in)
      : database(database_in), options(options_in) {}
  Range durable() const {
    const std::lock_guard lock(mutex);
    return range;
  }

  const store::Database& database;
  const Options options;
  mutable std::mutex mutex;
  Range range;  // of what is durable; guarded by the mutex
};

absl::StatusOr<std::unique_ptr<Quarantine>> Quarantine::open(const store::Database& database,
                                                             const Options& options) {
  auto state = std::make_shared<State>(database, options);
  const auto first = database.walk(store::Family::quarantine, {}, false);
  VITRINE_RETURN_IF_ERROR(first->status());
  const auto last = database.last_key(store::Family::quarantine);
  if (first->valid() && last) {
    const auto first_number = store::number_in(first->key());
    const auto last_number = store::number_in(*last);
    if (!first_number || !last_number) return data_loss("the quarantine has a key of a wrong size");
    state->range = Range{*first_number, *last_number + 1};
  }
  return std::unique_ptr<Quarantine>(new Quarantine(std::move(state)));
}

Quarantine::Quarantine(std::shared_ptr<State> state) : state_(std::move(state)) {}

void Quarantine::stage(Batch& batch, QuarantinedEvent event) {
  Range& staged = batch.staged_by<Range>(this, [&] {
    auto range = std::make_shared<Range>(state_->durable());
    batch.after_sync([state = state_, range] {
      const std::lock_guard lock(state->mutex);
      state->range = *range;
    });
    return range;
  });
  batch.put(store::Family::quarantine, store::key_of(staged.next++), encode(event));
  while (staged.next - staged.first > state_->options.events_max) {
    batch.erase(store::Family::quarantine, store::key_of(staged.first++));
  }
}

absl::StatusOr<std::vector<QuarantinedEvent>> Quarantine::list(std::uint64_t before,
                                                               std::size_t limit) const {
  const Range range = state_->durable();
  const std::uint64_t end = before == 0 ? range.next : std::min(before, range.next);
  std::vector<QuarantinedEvent> events;
  for (std::uint64_t number = end; number-- > range.first && events.size() < limit;) {
    VITRINE_ASSIGN_OR_RETURN(
        const auto bytes, state_->database.get(store::Family::quarantine, store::key_of(number)));
    if (!bytes) break;  // gone to make room since the range was taken, and so are all older ones
    VITRINE_ASSIGN_OR_RETURN(QuarantinedEvent event, decode(number, *bytes));
    events.push_back(std::move(event));
  }
  return events;
}

std::uint64_t Quarantine::size() const {
  const Range range = state_->durable();
  return range.next - range.first;
}

}  // namespace vitrine::events
