#include "server/webhooks/webhook.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/status.h"
#include "model/event.h"
#include "server/webhooks/outgoing_client.h"

namespace vitrine::webhooks {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= Webhook::k_key_bytes_max &&
         std::ranges::all_of(text, [](char letter) {
           return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
                  letter == '-' || letter == '_';
         });
}

absl::Status check_subscription(const Webhook& webhook) {
  for (const std::string& type : webhook.types) {
    if (std::ranges::find(k_event_types, type) == std::end(k_event_types)) {
      return invalid_argument("types must name some of segment.entered, segment.left, got '{}'",
                              type);
    }
  }
  if (webhook.segments.size() > Webhook::k_segments_max) {
    return invalid_argument("segments may name at most {}, got {}", Webhook::k_segments_max,
                            webhook.segments.size());
  }
  for (const std::string& segment : webhook.segments) {
    if (!is_key(segment)) {
      return invalid_argument("segments must be keys of segments, got '{}'", segment);
    }
  }
  return absl::OkStatus();
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(view(text));
  return array;
}

// What was stored by encode(), or throws.
Webhook decoded(std::string_view key, const json::object& stored) {
  const auto text = [](const json::value& value) {
    return std::string(value.as_string().data(), value.as_string().size());
  };
  Webhook webhook{.key = std::string(key),
                  .url = text(stored.at("url")),
                  .description = text(stored.at("description")),
                  .is_active = stored.at("is_active").as_bool(),
                  .version = stored.at("version").to_number<std::uint64_t>(),
                  .changed_ms = stored.at("changed_ms").as_int64()};
  if (const json::value* const why = stored.if_contains("stopped_because")) {
    webhook.stopped_because = text(*why);
  }
  for (const json::value& type : stored.at("types").as_array()) webhook.types.push_back(text(type));
  for (const json::value& segment : stored.at("segments").as_array()) {
    webhook.segments.push_back(text(segment));
  }
  for (const json::value& secret : stored.at("secrets").as_array()) {
    webhook.secrets.push_back({text(secret.at("text")), secret.at("valid_until_ms").as_int64()});
  }
  return webhook;
}

}  // namespace

bool Webhook::wants_type(std::string_view type) const {
  return types.empty() || std::ranges::find(types, type) != types.end();
}

bool Webhook::wants_segment(std::string_view segment) const {
  return segments.empty() || std::ranges::find(segments, segment) != segments.end();
}

std::vector<std::string> Webhook::secrets_at(TimeMs now_ms) const {
  std::vector<std::string> valid;
  for (const Secret& secret : secrets) {
    if (secret.valid_until_ms == 0 || now_ms < secret.valid_until_ms) valid.push_back(secret.text);
  }
  return valid;
}

absl::Status validate(const Webhook& webhook, bool allow_private) {
  if (!is_key(webhook.key)) {
    return invalid_argument("webhook must be 1 to {} of a-z, 0-9, - and _, got '{}'",
                            Webhook::k_key_bytes_max, webhook.key);
  }
  if (webhook.url.empty()) return invalid_argument("url must say where to");
  if (webhook.url.size() > Webhook::k_url_bytes_max) {
    return invalid_argument("url may have at most {} bytes, got {}", Webhook::k_url_bytes_max,
                            webhook.url.size());
  }
  VITRINE_RETURN_IF_ERROR(check_url(webhook.url, allow_private));
  if (!is_valid_utf8(webhook.description)) return invalid_argument("description must be UTF-8");
  if (webhook.description.size() > Webhook::k_text_bytes_max) {
    return invalid_argument("description may have at most {} bytes, got {}",
                            Webhook::k_text_bytes_max, webhook.description.size());
  }
  return check_subscription(webhook);
}

std::string encode(const Webhook& webhook) {
  json::array secrets;
  for (const Secret& secret : webhook.secrets) {
    secrets.push_back(
        json::object{{"text", view(secret.text)}, {"valid_until_ms", secret.valid_until_ms}});
  }
  return json::serialize(json::object{{"url", view(webhook.url)},
                                      {"description", view(webhook.description)},
                                      {"types", array_of(webhook.types)},
                                      {"segments", array_of(webhook.segments)},
                                      {"is_active", webhook.is_active},
                                      {"stopped_because", view(webhook.stopped_because)},
                                      {"version", webhook.version},
                                      {"changed_ms", webhook.changed_ms},
                                      {"secrets", std::move(secrets)}});
}

absl::StatusOr<Webhook> decode_webhook(std::string_view key, std::string_view bytes) {
  try {
    const json::value stored = json::parse(view(bytes));
    return decoded(key, stored.as_object());
  } catch (const std::exception&) {
    return data_loss("the webhook {} cannot be read", key);
  }
}

}  // namespace vitrine::webhooks
