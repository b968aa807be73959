// The bodies of Segment's tracking API, as the official clients of Segment and RudderStack write
// them.
#include <boost/json.hpp>

#include <array>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/collect/ga4.h"
#include "server/collect/json_fields.h"
#include "server/collect/raw_events.h"
#include "server/collect/tracked_event.h"
#include "server/collect/tracking.h"

namespace vitrine::collect {
namespace {

namespace json = boost::json;

constexpr std::size_t k_depth_max = 32;
constexpr std::size_t k_user_token_bytes_max = 256;

// What a message is made of; anything else it holds is kept as a property.
constexpr std::string_view k_known[] = {
    "type",      "event",        "name",       "category", "userId",   "anonymousId",
    "messageId", "context",      "properties", "traits",   "groupId",  "previousId",
    "timestamp", "sentAt",       "receivedAt", "version",  "writeKey", "originalTimestamp",
    "channel",   "integrations", "_metadata"};

// About the person or their machine's address, or a secret, and kept elsewhere or not at all.
constexpr std::string_view k_context_left_out[] = {"ip", "traits", "user_token"};

bool is_in(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const json::object* object_in(const json::object& holder, std::string_view name) {
  const json::value* const value = holder.if_contains({name.data(), name.size()});
  return value == nullptr ? nullptr : value->if_object();
}

std::optional<TimeMs> time_in(const JsonFields& fields, std::string_view name) {
  const std::optional<std::string> text = fields.peek({name});
  if (!text) return std::nullopt;
  const absl::StatusOr<TimeMs> time_ms = parse_time(*text);
  return time_ms.ok() ? std::optional(*time_ms) : std::nullopt;
}

std::optional<MessageKind> kind_in(const JsonFields& fields) {
  static constexpr std::array<std::pair<std::string_view, MessageKind>, 6> k_kinds = {
      {{"track", MessageKind::track},
       {"identify", MessageKind::identify},
       {"page", MessageKind::page},
       {"screen", MessageKind::screen},
       {"group", MessageKind::group},
       {"alias", MessageKind::alias}}};
  const std::string type = fields.peek({"type"}).value_or("");
  for (const auto& [name, kind] : k_kinds) {
    if (name == type) return kind;
  }
  return std::nullopt;
}

// What a batch says of all its messages.
struct Envelope {
  std::optional<TimeMs> sent_ms;
  const json::object* context = nullptr;
};

// One message, turned into events.
class MessageReader {
 public:
  MessageReader(const json::object& message, const Envelope& envelope,
                const TrackingArrival& arrival, TrackedMessage& out)
      : message_(message), fields_(&message), envelope_(envelope), arrival_(arrival), out_(out) {}

  void read(std::optional<MessageKind> kind) {
    const std::size_t first = out_.out.size();
    read_as(kind);
    const std::string token = user_token();
    const bool is_bot = is_bots();
    for (std::size_t i = first; i < out_.out.size(); ++i) {
      out_.out[i].user_token = token;
      out_.out[i].event.is_bot = is_bot;
    }
  }

 private:
  void read_as(std::optional<MessageKind> kind) {
    fill_base();
    if (!kind) kind = kind_in(fields_);
    if (!kind) {
      return append_refused({"unknown_type", "type",
                             fmt::format("type must be one of track, identify, page, screen, "
                                         "group, alias, got \"{}\"",
                                         fields_.peek({"type"}).value_or("").substr(0, 64))},
                            out_);
    }
    gather_around();
    switch (*kind) {
      case MessageKind::track:
        return track();
      case MessageKind::identify:
        return append_plain_event(EventType::identify, with_traits({}), out_);
      case MessageKind::page:
      case MessageKind::screen:
        return page(*kind);
      case MessageKind::group:
        return append_plain_event(EventType::group, with_traits(named("groupId", "group_id")),
                                  out_);
      case MessageKind::alias:
        return append_plain_event(EventType::alias, named("previousId", "previous_id"), out_);
    }
  }

  void fill_base();
  TimeMs time() const;
  std::string user_token() const;
  bool is_bots() const;
  void gather_around();
  json::object context() const;
  void track();
  void page(MessageKind kind);
  json::object with_traits(json::object properties) const;
  json::object named(std::string_view from, std::string_view to) const;

  const json::object& message_;
  const JsonFields fields_;
  const Envelope& envelope_;
  const TrackingArrival& arrival_;
  TrackedMessage& out_;
};

// A sender whose clock is wrong is as wrong about when it sent.
TimeMs MessageReader::time() const {
  std::optional<TimeMs> happened = time_in(fields_, "originalTimestamp");
  if (!happened) happened = time_in(fields_, "timestamp");
  if (!happened) return arrival_.received_ms;
  std::optional<TimeMs> sent = time_in(fields_, "sentAt");
  if (!sent) sent = envelope_.sent_ms;
  if (!sent || arrival_.is_import) return *happened;
  return arrival_.received_ms - (*sent - *happened);
}

void MessageReader::fill_base() {
  Event& event = out_.base;
  // Lines of one order must know that they are.
  event.event_id = fields_.peek({"messageId"}).value_or("");
  if (event.event_id.empty()) event.event_id = make_ulid(arrival_.received_ms);
  event.user_id = fields_.peek({"userId"}).value_or("");
  event.visitor_id = fields_.peek({"anonymousId"}).value_or("");
  event.channel = fields_.peek({"channel"}).value_or("");
  event.received_ms = arrival_.received_ms;
  event.time_ms = time();
}

// Clients let a shop put what it likes into the context.
std::string MessageReader::user_token() const {
  for (const json::object* const each : {object_in(message_, "context"), envelope_.context}) {
    const std::optional<std::string> token = JsonFields(each).peek({"user_token"});
    if (token && token->size() <= k_user_token_bytes_max) return *token;
  }
  return {};
}

bool MessageReader::is_bots() const {
  for (const json::object* const each : {object_in(message_, "context"), envelope_.context}) {
    const std::optional<std::string> agent = JsonFields(each).peek({"userAgent"});
    if (agent) return is_bot_agent(*agent);
  }
  return false;
}

// The message's own context over that of its batch.
json::object MessageReader::context() const {
  json::object merged;
  for (const json::object* const each : {envelope_.context, object_in(message_, "context")}) {
    if (each == nullptr) continue;
    for (const auto& [name, value] : *each) {
      if (!is_in(k_context_left_out, view(name))) merged.insert_or_assign(name, value);
    }
  }
  return merged;
}

void MessageReader::gather_around() {
  if (json::object merged = context(); !merged.empty()) out_.around["context"] = std::move(merged);
  for (const auto& [name, value] : message_) {
    if (!value.is_null() && !is_in(k_known, view(name))) out_.around.emplace(name, value);
  }
}

void MessageReader::track() {
  const std::optional<std::string> event = fields_.peek({"event"});
  if (!event) {
    return append_refused({"missing_event", "event", "event is required: what happened"}, out_);
  }
  append_named_event(*event, object_in(message_, "properties"), out_);
}

void MessageReader::page(MessageKind kind) {
  const json::object* const given = object_in(message_, "properties");
  json::object properties = given == nullptr ? json::object() : *given;
  for (const std::string_view name : {"name", "category"}) {
    const std::optional<std::string> text = fields_.peek({name});
    if (text) properties[json::string_view(name.data(), name.size())] = *text;
  }
  if (kind == MessageKind::screen) properties["kind"] = "screen";
  append_plain_event(EventType::page, std::move(properties), out_);
}

// RudderStack's browser client has them in the context.
json::object MessageReader::with_traits(json::object properties) const {
  const json::object* traits = object_in(message_, "traits");
  const json::object* const context = object_in(message_, "context");
  if (traits == nullptr && context != nullptr) traits = object_in(*context, "traits");
  if (traits != nullptr && !traits->empty()) properties["traits"] = *traits;
  return properties;
}

json::object MessageReader::named(std::string_view from, std::string_view to) const {
  json::object properties;
  const std::optional<std::string> text = fields_.peek({from});
  if (text) properties[json::string_view(to.data(), to.size())] = *text;
  return properties;
}

class ParsedBody final : public TrackingBody {
 public:
  explicit ParsedBody(std::string body)
      : body_(std::move(body)), memory_(body_.size() * 4 + 1024) {}

  absl::Status parse() {
    json::parse_options options;
    options.max_depth = k_depth_max;
    options.allow_invalid_utf8 = true;  // the message with it is refused, not its neighbours
    json::error_code error;
    document_.emplace(json::parse({body_.data(), body_.size()}, error, &memory_, options));
    if (error) return invalid_argument("the body must be JSON: {}", error.message());
    if (!document_->is_object()) return invalid_argument("the body must be a JSON object");
    return absl::OkStatus();
  }

  std::string write_key() const override {
    return JsonFields(&root()).peek({"writeKey"}).value_or("");
  }

  absl::StatusOr<TrackedBatch> events(std::optional<MessageKind> kind,
                                      const TrackingArrival& arrival,
                                      const TrackingOptions& options) const override;

  absl::StatusOr<TrackedBatch> ga4_events(const TrackingArrival& arrival,
                                          const TrackingOptions& options) const override {
    return events_of_ga4(root(), body_, arrival, options);
  }

 private:
  const json::object& root() const { return document_->get_object(); }
  // A message as it came, without its key.
  std::string keyless_body() const {
    if (!root().contains("writeKey")) return body_;
    json::object shown = root();
    shown.erase("writeKey");
    return json::serialize(shown);
  }

  const std::string body_;
  json::monotonic_resource memory_;  // freed as a whole, never piece by piece
  std::optional<json::value> document_;
};

// Reads one message into the batch; what is too large is not looked at.
void append_message(const json::value& value, std::string_view raw, const Envelope& envelope,
                    std::optional<MessageKind> kind, const TrackingArrival& arrival,
                    const TrackingOptions& options, TrackedBatch& batch) {
  TrackedMessage message{arrival, options, raw, {}, {}, batch.events};
  if (raw.size() > options.message_bytes_max) {
    append_refused({"too_large", "batch",
                    fmt::format("a message must have at most {} bytes, got {}",
                                options.message_bytes_max, raw.size())},
                   message);
  } else if (!value.is_object()) {
    append_refused(wrong_type("batch", "a list of objects", value), message);
  } else {
    MessageReader(value.get_object(), envelope, arrival, message).read(kind);
  }
  batch.message_of.resize(batch.events.size(), batch.messages);
  ++batch.messages;
}

absl::StatusOr<TrackedBatch> ParsedBody::events(std::optional<MessageKind> kind,
                                                const TrackingArrival& arrival,
                                                const TrackingOptions& options) const {
  TrackedBatch batch;
  if (kind) {
    append_message(*document_, keyless_body(), {}, kind, arrival, options, batch);
    return batch;
  }
  const json::value* const list = root().if_contains("batch");
  if (list == nullptr || !list->is_array()) {
    return invalid_argument("the body must be {{\"batch\": [...]}}: batch must be a list");
  }
  const std::vector<std::string_view> raw = raw_events(body_, "batch");
  const json::array& messages = list->get_array();
  if (raw.size() != messages.size()) {
    return invalid_argument("the body must be {{\"batch\": [...]}}: batch is there more than once");
  }
  const Envelope envelope{.sent_ms = time_in(JsonFields(&root()), "sentAt"),
                          .context = object_in(root(), "context")};
  if (envelope.context != nullptr &&
      json::serialize(*envelope.context).size() > options.message_bytes_max) {
    return invalid_argument("context must have at most {} bytes", options.message_bytes_max);
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    append_message(messages[i], raw[i], envelope, std::nullopt, arrival, options, batch);
    VITRINE_RETURN_IF_ERROR(check_size(batch, options));
  }
  return batch;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrackingBody>> TrackingBody::parse(std::string body) {
  auto parsed = std::make_unique<ParsedBody>(std::move(body));
  VITRINE_RETURN_IF_ERROR(parsed->parse());
  return std::unique_ptr<TrackingBody>(std::move(parsed));
}

}  // namespace vitrine::collect
