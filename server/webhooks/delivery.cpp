#include "server/webhooks/delivery.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/status.h"

namespace vitrine::webhooks {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

std::string text_at(const json::object& stored, std::string_view name) {
  const json::string& text = stored.at(view(name)).as_string();
  return {text.data(), text.size()};
}

json::object envelope(std::string_view id, std::string_view source, std::string_view type,
                      TimeMs time_ms) {
  return {{"specversion", "1.0"},         {"id", view(id)},
          {"source", view(source)},       {"type", view(type)},
          {"time", format_time(time_ms)}, {"datacontenttype", "application/json"}};
}

}  // namespace

std::string encode(const Delivery& delivery) {
  return json::serialize(json::object{{"id", view(delivery.id)},
                                      {"type", view(delivery.type)},
                                      {"segment", view(delivery.segment)},
                                      {"user", delivery.user.value()},
                                      {"time_ms", delivery.time_ms},
                                      {"since_ms", delivery.since_ms},
                                      {"attempts", delivery.attempts},
                                      {"due_ms", delivery.due_ms},
                                      {"http_status", delivery.http_status},
                                      {"error", view(delivery.error)}});
}

absl::StatusOr<Delivery> decode_delivery(std::uint64_t number, std::string_view bytes) {
  try {
    const json::value parsed = json::parse(view(bytes));
    const json::object& stored = parsed.as_object();
    return Delivery{.number = number,
                    .id = text_at(stored, "id"),
                    .type = text_at(stored, "type"),
                    .segment = text_at(stored, "segment"),
                    .user = UserNumber(stored.at("user").to_number<std::uint32_t>()),
                    .time_ms = stored.at("time_ms").as_int64(),
                    .since_ms = stored.at("since_ms").as_int64(),
                    .attempts = stored.at("attempts").to_number<std::uint32_t>(),
                    .due_ms = stored.at("due_ms").as_int64(),
                    .http_status = stored.at("http_status").to_number<int>(),
                    .error = text_at(stored, "error")};
  } catch (const std::exception&) {
    return data_loss("the webhook delivery {} cannot be read", number);
  }
}

std::string cloud_event(const Delivery& delivery, const identity::Person& person) {
  json::object event =
      envelope(delivery.id, "/segments/" + delivery.segment, delivery.type, delivery.time_ms);
  event["sequence"] = fmt::format("{:020}", delivery.number);
  json::object data{{"segment", view(delivery.segment)}};
  if (!person.user_id.empty()) {
    data["user_id"] = view(person.user_id);
  } else {
    data["visitor_id"] = view(person.visitor_id);
  }
  event["data"] = std::move(data);
  return json::serialize(event);
}

std::string ping_event(std::string_view id, std::string_view webhook, TimeMs time_ms) {
  json::object event = envelope(id, fmt::format("/webhooks/{}", webhook), "webhook.ping", time_ms);
  event["data"] = json::object{{"webhook", view(webhook)}};
  return json::serialize(event);
}

}  // namespace vitrine::webhooks
