// The webhooks of a data folder.
//
// A change is durable, and in what current() gives, before it is acknowledged. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/published.h"
#include "server/events/committer.h"
#include "server/store/database.h"
#include "server/webhooks/webhook.h"

namespace vitrine::webhooks {

struct WebhookList {
  std::vector<Webhook> all;                         // by key
  const Webhook* find(std::string_view key) const;  // null: there is none
};

class WebhookStore {
 public:
  static constexpr std::size_t k_webhooks_max = 50;

  // Loads all. DataLoss when one cannot be read.
  static absl::StatusOr<std::unique_ptr<WebhookStore>> open(const store::Database& database);

  std::shared_ptr<const WebhookList> current() const { return list_.current(); }

  // Told of every change on the committer thread, before it is acknowledged. To be set before the
  // first change.
  void on_change(std::function<void()> listener) { listener_ = std::move(listener); }

  // The version a change was made from; a conflict when it is another one by now. 0: there is none.
  using Expected = std::optional<std::uint64_t>;
  struct Put {
    Webhook webhook;
    bool is_new = false;  // then it has a secret now
  };
  // `done` is called once, on the committer thread, unless the call itself fails (queue full). The
  // version is decided here; a webhook that is there keeps its secrets. Precondition: it passes
  // validate().
  absl::Status put(events::Committer& committer, Webhook webhook, Expected expected,
                   std::function<void(absl::StatusOr<Put>)> done);
  absl::Status remove(events::Committer& committer, std::string key, Expected expected,
                      std::function<void(absl::Status)> done);
  // Makes it inactive, unless it was changed since `version`; says why. Nobody waits for it.
  void deactivate(events::Committer& committer, std::string key, std::uint64_t version,
                  std::string why);
  // A new secret, beside which the former signs for Webhook::k_old_secret_ms. No version changes.
  absl::Status renew_secret(events::Committer& committer, std::string key,
                            std::function<void(absl::StatusOr<Webhook>)> done);

 private:
  explicit WebhookStore(WebhookList list);
  WebhookList& staged_in(events::Batch& batch);

  Published<WebhookList> list_;
  std::function<void()> listener_;
};

// Whether a change made from version `expected` fits `current`, which may be null.
absl::Status check_version(WebhookStore::Expected expected, const Webhook* current);

// Prefixes of the keys in Family::webhooks.
inline constexpr char k_webhook_prefix = 'w';  // and the webhook's key
inline constexpr char k_waiting_prefix = 'q';  // webhook, 0, number: a delivery that waits
inline constexpr char k_dead_prefix = 'd';     // likewise: one that was given up
inline constexpr char k_begun_prefix = 'b';    // webhook, 0, segment: its members are followed
inline constexpr char k_told_prefix = 't';     // webhook, 0, segment, 0, chunk: members as told

// Removes all keys that begin so, as they are on disk.
void erase_all(events::Batch& batch, const store::Database& database, std::string_view prefix);

}  // namespace vitrine::webhooks
