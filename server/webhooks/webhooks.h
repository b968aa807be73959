// Tells other systems who came into a segment and who left it: the whole of it, put together.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/webhooks/courier.h"
#include "server/webhooks/delivery_book.h"
#include "server/webhooks/outgoing_client.h"
#include "server/webhooks/teller.h"
#include "server/webhooks/told_members.h"
#include "server/webhooks/webhook_records.h"
#include "server/webhooks/webhook_store.h"

namespace vitrine::webhooks {

class Webhooks {
 public:
  struct Options {
    OutgoingClient::Options client;
    DeliveryBook::Options deliveries;
  };

  // What it keeps, as it is in the store. `database` and `metrics` outlive it.
  static absl::StatusOr<std::unique_ptr<Webhooks>> open(const store::Database& database,
                                                        Metrics& metrics, const Options& options);
  ~Webhooks();  // stop()

  // All outlive it. The engine is not started yet.
  struct Parts {
    const segments::SegmentStore& segments;
    segments::SegmentEngine& engine;
    const identity::IdentityBook& identities;
    events::Committer& committer;
    const Clock& clock;
    Log& log;
  };
  void connect(const Parts& parts);
  // From here on changes are looked for and sent. Without it nothing is missed: the next one finds
  // it.
  void start();
  void stop();

  WebhookStore& store() { return *store_; }
  DeliveryBook& deliveries() { return *deliveries_; }
  WebhookRecords& records() { return records_; }
  const OutgoingClient::Options& client_options() const { return options_.client; }

  // Whether everybody who was in its segments when it was made is noted: from then on whoever comes
  // or goes is told.
  bool is_following(const Webhook& webhook, const segments::SegmentList& segments) const;

  struct Ping {
    std::string id;
    PostOutcome outcome;
  };
  // Sends a test and waits for its end. NotFound.
  absl::StatusOr<Ping> ping(const std::string& key);

 private:
  Webhooks(const store::Database& database, Metrics& metrics, const Options& options,
           std::unique_ptr<WebhookStore> store, std::unique_ptr<DeliveryBook> deliveries,
           std::unique_ptr<ToldMembers> told);

  const store::Database& database_;
  Metrics& metrics_;
  const Options options_;
  const std::unique_ptr<WebhookStore> store_;
  const std::unique_ptr<DeliveryBook> deliveries_;
  const std::unique_ptr<ToldMembers> told_;
  WebhookRecords records_;
  const Clock* clock_ = nullptr;  // null before connect()
  std::optional<Courier> courier_;
  std::optional<Teller> teller_;
};

}  // namespace vitrine::webhooks
