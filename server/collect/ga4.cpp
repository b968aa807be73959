#include "server/collect/ga4.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/collect/json_fields.h"
#include "server/collect/raw_events.h"
#include "server/collect/tracked_event.h"

namespace vitrine::collect {
namespace {

namespace json = boost::json;

// Traits of the person: {"name": {"value": ...}}.
json::object traits_in(const json::object& root) {
  json::object traits;
  const json::value* const given = root.if_contains("user_properties");
  if (given == nullptr || !given->is_object()) return traits;
  for (const auto& [name, property] : given->get_object()) {
    const json::object* const holder = property.if_object();
    const json::value* const value = holder == nullptr ? nullptr : holder->if_contains("value");
    traits[name] = value == nullptr ? property : *value;
  }
  return traits;
}

std::optional<std::int64_t> micros_in(const JsonFields& fields) {
  const std::string text = fields.peek({"timestamp_micros"}).value_or("");
  std::int64_t micros = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), micros);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || micros < 0) {
    return std::nullopt;
  }
  return micros;
}

// One body, event by event.
class Ga4Reader {
 public:
  Ga4Reader(const json::object& root, const TrackingArrival& arrival,
            const TrackingOptions& options, TrackedBatch& batch)
      : root_(&root), arrival_(arrival), options_(options), batch_(batch) {
    base_.visitor_id = root_.peek({"client_id", "app_instance_id"}).value_or("");
    base_.user_id = root_.peek({"user_id"}).value_or("");
    base_.received_ms = arrival.received_ms;
    sent_micros_ = micros_in(root_);
  }

  void traits(json::object traits, std::string_view raw);
  void event(const json::value& value, std::string_view raw);

 private:
  std::string id_of(const JsonFields& event, const std::string& name, std::string_view raw,
                    std::optional<std::int64_t> micros) const;

  const JsonFields root_;
  const TrackingArrival& arrival_;
  const TrackingOptions& options_;
  TrackedBatch& batch_;
  Event base_;
  std::optional<std::int64_t> sent_micros_;
};

void Ga4Reader::traits(json::object traits, std::string_view raw) {
  TrackedMessage message{arrival_, options_, raw, base_, {}, batch_.events};
  message.base.time_ms = sent_micros_ ? *sent_micros_ / 1000 : arrival_.received_ms;
  append_plain_event(EventType::identify, {{"traits", std::move(traits)}}, message);
}

std::string Ga4Reader::id_of(const JsonFields& event, const std::string& name, std::string_view raw,
                             std::optional<std::int64_t> micros) const {
  const json::value* const params = JsonFields(event).any({"params"});
  const JsonFields in_params(params == nullptr ? nullptr : params->if_object());
  const std::string order = in_params.peek({"transaction_id"}).value_or("");
  if (name == "purchase" && !order.empty()) {
    return "ga4-purchase-" + to_hex(sha256(order)).substr(0, 32);
  }
  if (!micros) return {};
  return "ga4-" + to_hex(sha256(fmt::format("{}\n{}\n{}\n{}", base_.visitor_id, base_.user_id,
                                            *micros, raw)))
                      .substr(0, 32);
}

void Ga4Reader::event(const json::value& value, std::string_view raw) {
  TrackedMessage message{arrival_, options_, raw, base_, {}, batch_.events};
  if (raw.size() > options_.message_bytes_max) {
    return append_refused({"too_large", "events",
                           fmt::format("an event must have at most {} bytes, got {}",
                                       options_.message_bytes_max, raw.size())},
                          message);
  }
  if (!value.is_object()) {
    return append_refused(wrong_type("events", "a list of objects", value), message);
  }
  const JsonFields fields(&value.get_object());
  const std::optional<std::string> name = fields.peek({"name"});
  if (!name) return append_refused({"missing_event", "name", "name is required"}, message);
  std::optional<std::int64_t> micros = micros_in(fields);
  if (!micros) micros = sent_micros_;
  message.base.time_ms = micros ? *micros / 1000 : arrival_.received_ms;
  message.base.event_id = id_of(fields, *name, raw, micros);
  const json::value* const params = JsonFields(fields).any({"params"});
  const std::size_t first = batch_.events.size();
  append_named_event(*name, params == nullptr ? nullptr : params->if_object(), message);
  // GA4's session ids are seconds, which visitors share.
  for (std::size_t i = first; i < batch_.events.size(); ++i) {
    std::string& session_id = batch_.events[i].event.session_id;
    if (!session_id.empty()) session_id = base_.visitor_id + "." + session_id;
  }
}

}  // namespace

absl::StatusOr<TrackedBatch> events_of_ga4(const json::object& root, std::string_view body,
                                           const TrackingArrival& arrival,
                                           const TrackingOptions& options) {
  const json::value* const list = root.if_contains("events");
  if (list == nullptr || !list->is_array()) {
    return invalid_argument("the body must be {{\"client_id\", \"events\": [...]}}");
  }
  const std::vector<std::string_view> raw = raw_events(body, "events");
  const json::array& events = list->get_array();
  if (raw.size() != events.size()) return invalid_argument("events is there more than once");
  TrackedBatch batch;
  Ga4Reader reader(root, arrival, options, batch);
  for (std::size_t i = 0; i < events.size(); ++i) {
    reader.event(events[i], raw[i]);
    batch.message_of.resize(batch.events.size(), batch.messages++);
    VITRINE_RETURN_IF_ERROR(check_size(batch, options));
  }
  if (json::object traits = traits_in(root); !traits.empty()) {
    reader.traits(std::move(traits), "{\"user_properties\": {}}");
    batch.message_of.resize(batch.events.size(), batch.messages++);
  }
  return batch;
}

}  // namespace vitrine::collect
