#include "server/events/log_records.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "base/status.h"
#include "server/events/mention.h"
#include "server/events/replacements.h"
#include "server/events/retention.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

using store::Family;
namespace json = boost::json;

// What is to become of one entry.
enum class Fate { stays, dropped, anonymised, redacted };

LogEntry emptied(const LogEntry& entry) {
  return {.position = entry.position,
          .user = k_nobody,
          .visitor = k_nobody,
          .committed_ms = entry.committed_ms,
          .source = {},
          .what = Erasure{}};
}

// What another one says of the person goes.
void redact(Event& event, const Mention& mention) {
  for (std::string* text : {&event.session_id, &event.query, &event.coupon_code}) {
    if (mention.is_in(*text)) text->clear();
  }
  event.properties_json = mention.without(event.properties_json);
}

// Only what an order needs to be one stays. An event id that is the sender's own may name anybody.
void anonymise(LogEntry& entry, const Mention& mention) {
  entry.user = k_nobody;
  entry.visitor = k_nobody;
  if (auto* const takeover = std::get_if<OrderTakeover>(&entry.what)) {
    const std::string& order = takeover->order_id;
    if (mention.is_in(order) || mention.is_id(order)) takeover->order_id.clear();
    return;
  }
  Event& event = std::get<Event>(entry.what);
  event.event_id = fmt::format("erased-{}", entry.position);
  event.session_id.clear();
  event.query.clear();
  event.properties_json.clear();
  event.recommendation_id.clear();
  if (mention.is_in(event.order_id) || mention.is_id(event.order_id))
    event.order_id = event.event_id;
  redact(event, mention);
}

Fate fate_of(const LogEntry& entry, const DataSubject& subject) {
  const bool is_theirs = subject.did(entry.user);
  if (entry.takeover() != nullptr) return is_theirs ? Fate::anonymised : Fate::stays;
  if (entry.bot_flag() != nullptr) return is_theirs ? Fate::dropped : Fate::stays;
  const Event* const event = entry.event();
  if (event == nullptr) return Fate::stays;
  if (!is_theirs) return Fate::redacted;
  return is_of_an_order(event->type) ? Fate::anonymised : Fate::dropped;
}

// Walks the log and gathers what to replace, in steps.
class LogErasure {
 public:
  LogErasure(const store::Database& database, const DataSubject& subject, Committer& committer,
             LogRecords::SessionKey session_key)
      : database_(database),
        subject_(subject),
        committer_(committer),
        session_key_(session_key),
        mention_(subject.ids()) {}

  absl::StatusOr<Erased> run() {
    const auto cursor = database_.walk(Family::log, {}, true);
    for (; cursor->valid(); cursor->next()) {
      if (cursor->value().empty()) continue;
      const Position position = store::number_in(cursor->key()).value_or(0);
      VITRINE_ASSIGN_OR_RETURN(LogEntry entry, decode_log_entry(position, cursor->value()));
      look_at(std::move(entry), cursor->value());
      if (replacements_.size() >= k_replacements_at_once) VITRINE_RETURN_IF_ERROR(carry_out());
    }
    VITRINE_RETURN_IF_ERROR(cursor->status());
    VITRINE_RETURN_IF_ERROR(carry_out());
    return erased_;
  }

 private:
  // Most entries of others are not encoded anew only to find them the same.
  bool may_name_them(const LogEntry& entry, std::string_view bytes) const {
    return mention_.is_in(bytes) || mention_.is_in_json(entry.event()->properties_json);
  }
  void look_at(LogEntry&& entry, std::string_view bytes) {
    const Fate fate = fate_of(entry, subject_);
    if (fate == Fate::stays || (fate == Fate::redacted && !may_name_them(entry, bytes))) return;
    const Event* const event = entry.event();
    if (fate != Fate::redacted && event != nullptr && !event->session_id.empty()) {
      sessions_.insert(session_key_(event->session_id));
    }
    std::string after;
    if (fate == Fate::redacted) {
      redact(std::get<Event>(entry.what), mention_);
      after = encode(entry);
    } else if (fate == Fate::anonymised) {
      anonymise(entry, mention_);
      put_key(entry);
      ++erased_.kept_without_person;
      after = encode(entry);
    } else {
      if (event != nullptr) drop_key(entry.source, event->event_id, entry.position);
      ++erased_.dropped;
      after = encode(emptied(entry));
    }
    if (after == bytes) return;
    replacements_.push_back({.family = Family::log,
                             .key = store::key_of(entry.position),
                             .before = std::string(bytes),
                             .after = std::move(after)});
  }

  std::string event_key(std::string_view source, std::string_view event_id) const {
    return store::hashed_key(database_.secret(), "event", source, event_id);
  }
  void drop_key(std::string_view source, std::string_view event_id, Position position) {
    replacements_.push_back({.family = Family::dedupe,
                             .key = event_key(source, event_id),
                             .before = store::key_of(position),
                             .after = std::nullopt});
  }
  // The former key stays, so that the order is recognised when it is sent again.
  void put_key(const LogEntry& entry) {
    if (const Event* const event = entry.event()) {
      new_keys_.emplace_back(event_key(entry.source, event->event_id),
                             store::key_of(entry.position));
    }
  }

  absl::Status carry_out() {
    if (replacements_.empty() && sessions_.empty()) return absl::OkStatus();
    const Erasure gone{.people = {}, .sessions = {sessions_.begin(), sessions_.end()}};
    const auto beside = [&](Batch& batch) {
      for (const auto& [key, position] : new_keys_) batch.put(Family::dedupe, key, position);
      if (gone.sessions.empty()) return;
      batch.append({.user = k_nobody, .visitor = k_nobody, .source = {}, .what = gone});
    };
    VITRINE_RETURN_IF_ERROR(replace(committer_, replacements_, beside).status());
    new_keys_.clear();
    sessions_.clear();
    return absl::OkStatus();
  }

  const store::Database& database_;
  const DataSubject& subject_;
  Committer& committer_;
  const LogRecords::SessionKey session_key_;
  const Mention mention_;
  std::vector<Replacement> replacements_;
  std::vector<std::pair<std::string, std::string>> new_keys_;
  absl::flat_hash_set<std::uint64_t> sessions_;
  Erased erased_;
};

void put_text(json::object& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out[name] = text;
}

json::object json_of(const LogEntry& entry, const Event& event) {
  json::object out;
  out["position"] = entry.position;
  out["type"] = name_of(event.type);
  out["time"] = format_time(event.time_ms);
  out["received_at"] = format_time(event.received_ms);
  put_text(out, "source", entry.source);
  put_text(out, "event_id", event.event_id);
  put_text(out, "session_id", event.session_id);
  put_text(out, "order_id", event.order_id);
  put_text(out, "product_id", event.product_id);
  put_text(out, "category", event.category);
  out["quantity"] = event.quantity;
  if (event.price) out["price"] = format_money(*event.price, event.currency);
  put_text(out, "currency", event.currency);
  put_text(out, "coupon_code", event.coupon_code);
  put_text(out, "recommendation_id", event.recommendation_id);
  put_text(out, "channel", event.channel);
  put_text(out, "market", event.market);
  put_text(out, "query", event.query);
  json::error_code error;
  json::value properties = json::parse(event.properties_json, error);
  if (!error) out["properties"] = std::move(properties);
  if (event.is_bot) out["is_bot"] = true;
  if (event.is_unverified) out["is_unverified"] = true;
  return out;
}

}  // namespace

absl::StatusOr<std::string> LogRecords::export_person(const DataSubject& subject) const {
  json::array events;
  VITRINE_RETURN_IF_ERROR(make_local_event_log(database_)->read(0, [&](LogEntry&& entry) {
    const Event* const event = entry.event();
    if (event != nullptr && subject.did(entry.user)) events.push_back(json_of(entry, *event));
    return true;
  }));
  return json::serialize(events);
}

absl::StatusOr<Erased> LogRecords::erase_person(const DataSubject& subject, Committer& committer) {
  return LogErasure(database_, subject, committer, session_key_).run();
}

}  // namespace vitrine::events
