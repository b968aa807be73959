#include "server/webhooks/webhooks.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crypto.h"
#include "base/status.h"

namespace vitrine::webhooks {

Webhooks::Webhooks(const store::Database& database, Metrics& metrics, const Options& options,
                   std::unique_ptr<WebhookStore> store, std::unique_ptr<DeliveryBook> deliveries,
                   std::unique_ptr<ToldMembers> told)
    : database_(database),
      metrics_(metrics),
      options_(options),
      store_(std::move(store)),
      deliveries_(std::move(deliveries)),
      told_(std::move(told)),
      records_(*deliveries_, *told_) {}

Webhooks::~Webhooks() { stop(); }

absl::StatusOr<std::unique_ptr<Webhooks>> Webhooks::open(const store::Database& database,
                                                         Metrics& metrics, const Options& options) {
  VITRINE_ASSIGN_OR_RETURN(auto store, WebhookStore::open(database));
  VITRINE_ASSIGN_OR_RETURN(auto deliveries,
                           DeliveryBook::open(database, metrics, options.deliveries));
  VITRINE_ASSIGN_OR_RETURN(auto told, ToldMembers::open(database));
  return std::unique_ptr<Webhooks>(new Webhooks(database, metrics, options, std::move(store),
                                                std::move(deliveries), std::move(told)));
}

void Webhooks::connect(const Parts& parts) {
  clock_ = &parts.clock;
  courier_.emplace(Courier::Parts{.webhooks = *store_,
                                  .deliveries = *deliveries_,
                                  .identities = parts.identities,
                                  .committer = parts.committer,
                                  .clock = parts.clock},
                   options_.client);
  teller_.emplace(Teller::Parts{.webhooks = *store_,
                                .deliveries = *deliveries_,
                                .told = *told_,
                                .segments = parts.segments,
                                .engine = parts.engine,
                                .identities = parts.identities,
                                .database = database_,
                                .committer = parts.committer,
                                .clock = parts.clock,
                                .metrics = metrics_,
                                .log = parts.log});
  deliveries_->on_new([this] { courier_->wake(); });
  store_->on_change([this] {
    teller_->wake();
    courier_->wake();
  });
  parts.engine.tell(*teller_);
}

void Webhooks::start() {
  teller_->start();
  courier_->start();
}

void Webhooks::stop() {
  if (teller_) teller_->stop();
  if (courier_) courier_->stop();
}

bool Webhooks::is_following(const Webhook& webhook, const segments::SegmentList& segments) const {
  return std::ranges::all_of(segments.all(), [&](const segments::Segment& segment) {
    return !webhook.wants_segment(segment.key) || told_->has_begun({webhook.key, segment.key});
  });
}

absl::StatusOr<Webhooks::Ping> Webhooks::ping(const std::string& key) {
  CHECK(clock_ != nullptr, "connected before it is asked");
  const std::shared_ptr<const WebhookList> list = store_->current();
  const Webhook* const webhook = list->find(key);
  if (webhook == nullptr) return not_found("there is no webhook {}", key);
  const TimeMs now_ms = clock_->now_ms();
  Ping ping{.id = make_ulid(now_ms), .outcome = {}};
  ping.outcome = OutgoingClient::post_now(
      options_.client, signed_post(*webhook, ping.id, ping_event(ping.id, key, now_ms), now_ms));
  deliveries_->note_attempt(key, {ping.id, std::string(k_ping), now_ms, ping.outcome});
  return ping;
}

}  // namespace vitrine::webhooks
