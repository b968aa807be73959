#include "server/events/quarantine.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/status.h"
#include "model/proto/quarantine.pb.h"
#include "server/events/mention.h"
#include "server/events/replacements.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

std::string encode(const QuarantinedEvent& event) {
  proto::QuarantinedEvent out;
  out.set_received_ms(event.received_ms);
  out.set_source(event.source);
  out.set_code(event.code);
  out.set_message(event.message);
  out.set_raw(event.raw.substr(0, Quarantine::k_raw_bytes_max));
  out.set_is_unverified(event.is_unverified);
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
                          .raw = std::move(*in.mutable_raw()),
                          .is_unverified = in.is_unverified()};
}

// What memory keeps of each.
struct Entry {
  std::string code;
  std::uint64_t bytes = 0;
  TimeMs received_ms = 0;
};

// What is there, and what has to go.
struct Stock {
  std::map<std::uint64_t, Entry> entries;
  std::map<std::string, std::set<std::uint64_t>, std::less<>> numbers_of;  // by code
  std::uint64_t bytes = 0;
  std::uint64_t next = 1;

  void add(std::uint64_t number, Entry entry) {
    bytes += entry.bytes;
    numbers_of[entry.code].insert(number);
    entries.insert_or_assign(number, std::move(entry));
    next = std::max(next, number + 1);
  }
  bool remove(std::uint64_t number) {
    const auto found = entries.find(number);
    if (found == entries.end()) return false;
    bytes -= found->second.bytes;
    const auto same = numbers_of.find(found->second.code);
    same->second.erase(number);
    if (same->second.empty()) numbers_of.erase(same);
    entries.erase(found);
    return true;
  }
  // The next one that has no room beside the newest with `code`; 0 when all have.
  std::uint64_t surplus(const Quarantine::Options& options, const std::string& code,
                        TimeMs now_ms) const {
    if (entries.empty()) return 0;
    const auto& [oldest, entry] = *entries.begin();
    const std::set<std::uint64_t>& alike = numbers_of.at(code);
    const std::uint64_t share =
        std::max<std::uint64_t>(1, options.events_max * options.code_share_percent / 100);
    if (entry.received_ms < now_ms - options.age_ms_max) return oldest;
    if (alike.size() > share) return *alike.begin();
    return entries.size() > options.events_max || bytes > options.bytes_max ? oldest : 0;
  }
};

bool is_wanted(const QuarantinedEvent& event, const QuarantineFilter& filter) {
  return (filter.code.empty() || event.code == filter.code) &&
         (filter.source.empty() || event.source == filter.source) &&
         event.received_ms >= filter.from_ms &&
         (filter.until_ms == 0 || event.received_ms < filter.until_ms);
}

}  // namespace

struct Quarantine::State {
  State(const store::Database& database_in, const Options& options_in)
      : database(database_in), options(options_in) {}

  const store::Database& database;
  const Options options;
  mutable std::mutex mutex;
  Stock stock;  // of what is durable; guarded by the mutex, changed on the committer thread
};

// What a batch changes of the stock: undone with the batch unless it became durable.
class Quarantine::Changes {
 public:
  explicit Changes(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~Changes() {
    if (is_durable_) return;
    const std::lock_guard lock(state_->mutex);
    for (const std::uint64_t number : added_) state_->stock.remove(number);
    for (auto& [number, entry] : removed_) state_->stock.add(number, std::move(entry));
  }
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  void make_durable() { is_durable_ = true; }
  std::uint64_t add(Entry entry) {
    const std::lock_guard lock(state_->mutex);
    const std::uint64_t number = state_->stock.next;
    added_.push_back(number);
    state_->stock.add(number, std::move(entry));
    return number;
  }
  bool remove(std::uint64_t number) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->stock.entries.find(number);
    if (found == state_->stock.entries.end()) return false;
    if (std::erase(added_, number) == 0) removed_.emplace_back(number, found->second);
    return state_->stock.remove(number);
  }
  std::uint64_t surplus(const std::string& code, TimeMs now_ms) const {
    const std::lock_guard lock(state_->mutex);
    return state_->stock.surplus(state_->options, code, now_ms);
  }

 private:
  const std::shared_ptr<State> state_;
  std::vector<std::uint64_t> added_;
  std::vector<std::pair<std::uint64_t, Entry>> removed_;
  bool is_durable_ = false;
};

absl::StatusOr<std::unique_ptr<Quarantine>> Quarantine::open(const store::Database& database,
                                                             const Options& options) {
  auto state = std::make_shared<State>(database, options);
  const auto cursor = database.walk(store::Family::quarantine, {}, true);
  for (; cursor->valid(); cursor->next()) {
    const auto number = store::number_in(cursor->key());
    if (!number) return data_loss("the quarantine has a key of a wrong size");
    VITRINE_ASSIGN_OR_RETURN(QuarantinedEvent event, decode(*number, cursor->value()));
    state->stock.add(*number, {.code = std::move(event.code),
                               .bytes = cursor->value().size(),
                               .received_ms = event.received_ms});
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return std::unique_ptr<Quarantine>(new Quarantine(std::move(state)));
}

Quarantine::Quarantine(std::shared_ptr<State> state) : state_(std::move(state)) {}

Quarantine::Changes& Quarantine::changes_in(Batch& batch) {
  return batch.staged_by<Changes>(this, [&] {
    auto changes = std::make_shared<Changes>(state_);
    batch.after_sync([changes] { changes->make_durable(); });
    return changes;
  });
}

void Quarantine::stage(Batch& batch, QuarantinedEvent event) {
  Changes& changes = changes_in(batch);
  const std::string bytes = encode(event);
  const std::string code = event.code;
  const std::uint64_t number = changes.add(
      {.code = std::move(event.code), .bytes = bytes.size(), .received_ms = event.received_ms});
  batch.put(store::Family::quarantine, store::key_of(number), bytes);
  while (const std::uint64_t gone = changes.surplus(code, batch.time_ms())) {
    if (gone == number) break;  // one that is too large by itself stays until the next comes
    remove(batch, gone);
  }
}

void Quarantine::remove(Batch& batch, std::uint64_t number) {
  if (changes_in(batch).remove(number)) {
    batch.erase(store::Family::quarantine, store::key_of(number));
  }
}

absl::StatusOr<std::optional<QuarantinedEvent>> Quarantine::find(std::uint64_t number) const {
  VITRINE_ASSIGN_OR_RETURN(const auto bytes,
                           state_->database.get(store::Family::quarantine, store::key_of(number)));
  if (!bytes) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(QuarantinedEvent event, decode(number, *bytes));
  return event;
}

std::vector<std::uint64_t> Quarantine::numbers_below(std::uint64_t before,
                                                     const std::string& code) const {
  std::vector<std::uint64_t> numbers;
  const std::lock_guard lock(state_->mutex);
  const Stock& stock = state_->stock;
  const auto take = [&](const auto& all, auto number_of) {
    for (auto at = before == 0 ? all.end() : all.lower_bound(before);
         at != all.begin() && numbers.size() < k_looked_at_max;) {
      numbers.push_back(number_of(*--at));
    }
  };
  if (code.empty()) {
    take(stock.entries, [](const auto& entry) { return entry.first; });
  } else if (const auto same = stock.numbers_of.find(code); same != stock.numbers_of.end()) {
    take(same->second, [](std::uint64_t number) { return number; });
  }
  return numbers;
}

absl::StatusOr<Quarantine::Page> Quarantine::list(const QuarantineFilter& filter,
                                                  std::uint64_t before, std::size_t limit) const {
  Page page;
  const std::vector<std::uint64_t> numbers = numbers_below(before, filter.code);
  for (const std::uint64_t number : numbers) {
    if (page.events.size() == limit) return page;
    page.next_before = number;
    VITRINE_ASSIGN_OR_RETURN(std::optional<QuarantinedEvent> event, find(number));
    if (event && is_wanted(*event, filter)) page.events.push_back(*std::move(event));
  }
  if (numbers.size() < k_looked_at_max) page.next_before = 0;
  return page;
}

absl::Status Quarantine::for_each_of(
    const DataSubject& subject, const std::function<void(const QuarantinedEvent&)>& visit) const {
  const Mention mention(subject.ids());
  const auto cursor = state_->database.walk(store::Family::quarantine, {}, true);
  for (; cursor->valid(); cursor->next()) {
    const std::uint64_t number = store::number_in(cursor->key()).value_or(0);
    VITRINE_ASSIGN_OR_RETURN(const QuarantinedEvent event, decode(number, cursor->value()));
    if (mention.is_in_json(event.raw) || mention.is_in(event.message)) visit(event);
  }
  return cursor->status();
}

absl::StatusOr<std::string> Quarantine::export_person(const DataSubject& subject) const {
  namespace json = boost::json;
  json::array events;
  VITRINE_RETURN_IF_ERROR(for_each_of(subject, [&](const QuarantinedEvent& event) {
    events.push_back({{"received_at", format_time(event.received_ms)},
                      {"source", event.source},
                      {"code", event.code},
                      {"message", event.message},
                      {"raw", event.raw}});
  }));
  return json::serialize(events);
}

absl::StatusOr<Erased> Quarantine::erase_person(const DataSubject& subject, Committer& committer) {
  std::vector<std::uint64_t> numbers;
  VITRINE_RETURN_IF_ERROR(for_each_of(
      subject, [&](const QuarantinedEvent& event) { numbers.push_back(event.number); }));
  VITRINE_RETURN_IF_ERROR(submit_patiently(committer, [&](Batch& batch) {
    for (const std::uint64_t number : numbers) remove(batch, number);
    return absl::OkStatus();
  }));
  return Erased{.dropped = numbers.size()};
}

std::uint64_t Quarantine::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->stock.entries.size();
}

}  // namespace vitrine::events
