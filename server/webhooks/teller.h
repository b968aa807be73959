// Finds who came into a segment and who left it, and writes down what is to be told.
//
// Compares the engine's members with what each webhook was told, on a thread of its own: nothing is
// missed by a crash, a full queue or a time without a server, and who came and went in between is
// not told. Thread-safe; step() on one thread.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/events/committer.h"
#include "server/identity/identity_book.h"
#include "server/segments/membership_listener.h"
#include "server/segments/segment_engine.h"
#include "server/webhooks/delivery_book.h"
#include "server/webhooks/told_members.h"
#include "server/webhooks/webhook_store.h"

namespace vitrine::webhooks {

class Teller final : public segments::MembershipListener {
 public:
  // Changes of one batch of the writer.
  static constexpr std::size_t k_changes_at_once = 1000;

  // All outlive it.
  struct Parts {
    const WebhookStore& webhooks;
    DeliveryBook& deliveries;
    ToldMembers& told;
    const segments::SegmentStore& segments;
    const segments::SegmentEngine& engine;
    const identity::IdentityBook& identities;
    const store::Database& database;
    events::Committer& committer;
    const Clock& clock;
    Metrics& metrics;
    Log& log;
  };
  explicit Teller(const Parts& parts);
  ~Teller() override;  // stop()

  void start();
  void stop();
  void wake();

  void looked_at(std::span<const UserNumber> people) override;
  void replaced(std::vector<std::string> keys) override;

  // Does what is to be done now.
  void step();

 private:
  using Pair = ToldMembers::Pair;
  using Change = ToldMembers::Change;
  void run();
  void forget_what_is_gone(const WebhookList& webhooks);
  void follow(const Webhook& webhook, const std::string& segment,
              std::span<const UserNumber> people);
  std::vector<Change> changes_among(const Pair& pair, std::span<const UserNumber> people) const;
  bool compare_all(const Webhook& webhook, const Pair& pair, bool is_silent);
  bool tell(const Webhook& webhook, const Pair& pair, std::span<const Change> changes,
            bool is_silent);
  std::vector<Delivery> deliveries_of(const Webhook& webhook, const Pair& pair,
                                      std::vector<Change>& changes) const;
  bool commit(const std::function<void(events::Batch&)>& stage);

  const Parts parts_;
  Counter& told_counter_;
  Counter& held_back_;

  std::set<Pair> behind_;  // the thread's own: to be compared as a whole

  std::mutex mutex_;  // guards those below
  std::condition_variable woken_;
  absl::flat_hash_set<UserNumber> people_;
  std::set<std::string> replaced_;
  bool is_woken_ = false;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace vitrine::webhooks
