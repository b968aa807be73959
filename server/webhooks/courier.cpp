#include "server/webhooks/courier.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/events/commit_scheduling.h"
#include "server/webhooks/signature.h"

namespace vitrine::webhooks {
namespace {

constexpr int k_gone = 410;  // the receiver wants no more, ever

}  // namespace

OutgoingPost signed_post(const Webhook& webhook, const std::string& id, std::string body,
                         TimeMs now_ms) {
  const std::int64_t timestamp = now_ms / k_second_ms;
  OutgoingPost post{.url = webhook.url, .headers = {}, .body = std::move(body)};
  post.headers = {
      {"Content-Type", std::string(k_cloud_event_type)},
      {"webhook-id", id},
      {"webhook-timestamp", std::to_string(timestamp)},
      {"webhook-signature", signature(webhook.secrets_at(now_ms), id, timestamp, post.body)}};
  return post;
}

Courier::Courier(const Parts& parts, const OutgoingClient::Options& options)
    : parts_(parts), client_(options) {}

Courier::~Courier() { stop(); }

void Courier::start() {
  thread_ = std::thread([this] { run(); });
}

void Courier::stop() {
  is_ending_ = true;
  client_.wake();
  if (thread_.joinable()) thread_.join();
}

void Courier::run() {
  constexpr TimeMs k_wait_ms_max = 1000;
  events::stay_in_the_background();
  while (!is_ending_) {
    const TimeMs now_ms = parts_.clock.now_ms();
    TimeMs wait_ms = k_wait_ms_max;
    const std::shared_ptr<const WebhookList> webhooks = parts_.webhooks.current();
    for (const Webhook& webhook : webhooks->all) {
      if (!webhook.is_active) continue;
      while (const auto delivery = parts_.deliveries.take(webhook.key, now_ms)) {
        send(webhook, *delivery);
      }
      if (const auto next_ms = parts_.deliveries.next_ms(webhook.key)) {
        wait_ms = std::clamp<TimeMs>(*next_ms - now_ms, 0, wait_ms);
      }
    }
    client_.run(static_cast<int>(wait_ms));
  }
}

void Courier::send(const Webhook& webhook, const Delivery& delivery) {
  const auto person = parts_.identities.person(delivery.user);
  if (!person.ok() || !person->has_value() || (*person)->erased_ms != 0) {
    parts_.deliveries.drop(parts_.committer, webhook.key, delivery);
    return;
  }
  client_.start(
      signed_post(webhook, delivery.id, cloud_event(delivery, **person), parts_.clock.now_ms()),
      [this, key = webhook.key, version = webhook.version, delivery](const PostOutcome& outcome) {
        const TimeMs now_ms = parts_.clock.now_ms();
        if (outcome.http_status == k_gone) {
          parts_.webhooks.deactivate(
              parts_.committer, key, version,
              fmt::format("the receiver answered 410 Gone at {}", format_time(now_ms)));
        }
        parts_.deliveries.end(parts_.committer, key, delivery, outcome, now_ms);
      });
}

}  // namespace vitrine::webhooks
