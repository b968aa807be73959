// Sends what waits, to all webhooks side by side, on one thread: one that does not answer keeps
// nobody else waiting.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "server/events/committer.h"
#include "server/identity/identity_book.h"
#include "server/webhooks/delivery_book.h"
#include "server/webhooks/outgoing_client.h"
#include "server/webhooks/webhook_store.h"

namespace vitrine::webhooks {

// The signed message of an event.
OutgoingPost signed_post(const Webhook& webhook, const std::string& id, std::string body,
                         TimeMs now_ms);

class Courier {
 public:
  // All outlive it.
  struct Parts {
    WebhookStore& webhooks;
    DeliveryBook& deliveries;
    const identity::IdentityBook& identities;
    events::Committer& committer;
    const Clock& clock;
  };
  Courier(const Parts& parts, const OutgoingClient::Options& options);
  ~Courier();  // stop()

  void start();
  void stop();  // what is under way is cut, and sent again after the next start
  void wake() { client_.wake(); }

 private:
  void run();
  void send(const Webhook& webhook, const Delivery& delivery);

  const Parts parts_;
  OutgoingClient client_;
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

}  // namespace vitrine::webhooks
