#include "server/webhooks/webhook_store.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/events/function_command.h"
#include "server/webhooks/signature.h"

namespace vitrine::webhooks {
namespace {

using store::Family;

constexpr std::string_view k_last_version_key = "#last_version";  // no prefix of the others

std::string store_key(std::string_view key) { return k_webhook_prefix + std::string(key); }

// Versions are never given twice, not even after a webhook is removed and made anew.
absl::StatusOr<std::uint64_t> next_version(const events::Batch& batch) {
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                           batch.get(Family::webhooks, k_last_version_key));
  std::uint64_t last = 0;
  if (stored) std::from_chars(stored->data(), stored->data() + stored->size(), last);
  return last + 1;
}

void put_in(WebhookList& list, const Webhook& webhook) {
  const auto place = std::ranges::lower_bound(list.all, webhook.key, {}, &Webhook::key);
  if (place != list.all.end() && place->key == webhook.key) {
    *place = webhook;
  } else {
    list.all.insert(place, webhook);
  }
}

}  // namespace

const Webhook* WebhookList::find(std::string_view key) const {
  const auto place = std::ranges::lower_bound(all, key, {}, &Webhook::key);
  return place != all.end() && place->key == key ? &*place : nullptr;
}

absl::Status check_version(WebhookStore::Expected expected, const Webhook* current) {
  const std::uint64_t actual = current != nullptr ? current->version : 0;
  if (!expected || *expected == actual) return absl::OkStatus();
  return conflict("If-Match expects version {}, the webhook has version {}", *expected, actual);
}

WebhookStore::WebhookStore(WebhookList list)
    : list_(std::make_shared<const WebhookList>(std::move(list))) {}

absl::StatusOr<std::unique_ptr<WebhookStore>> WebhookStore::open(const store::Database& database) {
  WebhookList list;
  const auto cursor = database.walk(Family::webhooks, std::string(1, k_webhook_prefix), false);
  for (; cursor->valid() && cursor->key().front() == k_webhook_prefix; cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(Webhook webhook,
                             decode_webhook(cursor->key().substr(1), cursor->value()));
    list.all.push_back(std::move(webhook));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return std::unique_ptr<WebhookStore>(new WebhookStore(std::move(list)));
}

WebhookList& WebhookStore::staged_in(events::Batch& batch) {
  return batch.staged_by<WebhookList>(this, [&] {
    auto staged = std::make_shared<WebhookList>(*current());
    batch.after_sync([this, staged] {
      list_.publish(std::make_shared<const WebhookList>(*staged));
      if (listener_) listener_();
    });
    return staged;
  });
}

absl::Status WebhookStore::put(events::Committer& committer, Webhook webhook, Expected expected,
                               std::function<void(absl::StatusOr<Put>)> done) {
  const auto outcome = std::make_shared<Put>(Put{.webhook = std::move(webhook)});
  const auto stage = [this, outcome, expected](events::Batch& batch) -> absl::Status {
    WebhookList& list = staged_in(batch);
    Webhook& wanted = outcome->webhook;
    const Webhook* const current = list.find(wanted.key);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current));
    outcome->is_new = current == nullptr;
    if (outcome->is_new && list.all.size() >= k_webhooks_max) {
      return failed_precondition("there are {} webhooks, at most {} may be", list.all.size(),
                                 k_webhooks_max);
    }
    VITRINE_ASSIGN_OR_RETURN(wanted.version, next_version(batch));
    wanted.changed_ms = batch.time_ms();
    wanted.secrets =
        outcome->is_new ? std::vector<Secret>{{.text = make_secret()}} : current->secrets;
    batch.put(Family::webhooks, store_key(wanted.key), encode(wanted));
    batch.put(Family::webhooks, k_last_version_key, std::to_string(wanted.version));
    put_in(list, wanted);
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

absl::Status WebhookStore::remove(events::Committer& committer, std::string key, Expected expected,
                                  std::function<void(absl::Status)> done) {
  const auto stage = [this, key = std::move(key), expected](events::Batch& batch) -> absl::Status {
    WebhookList& list = staged_in(batch);
    const Webhook* const current = list.find(key);
    if (current == nullptr) return not_found("there is no webhook {}", key);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current));
    batch.erase(Family::webhooks, store_key(key));
    std::erase_if(list.all, [&](const Webhook& webhook) { return webhook.key == key; });
    return absl::OkStatus();
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, std::move(done)));
}

void WebhookStore::deactivate(events::Committer& committer, std::string key, std::uint64_t version,
                              std::string why) {
  const auto stage = [this, key = std::move(key), version,
                      why = std::move(why)](events::Batch& batch) -> absl::Status {
    WebhookList& list = staged_in(batch);
    const Webhook* const current = list.find(key);
    if (current == nullptr || current->version != version || !current->is_active) {
      return absl::OkStatus();
    }
    Webhook stopped = *current;
    stopped.is_active = false;
    stopped.stopped_because = why;
    VITRINE_ASSIGN_OR_RETURN(stopped.version, next_version(batch));
    stopped.changed_ms = batch.time_ms();
    batch.put(Family::webhooks, store_key(key), encode(stopped));
    batch.put(Family::webhooks, k_last_version_key, std::to_string(stopped.version));
    put_in(list, stopped);
    return absl::OkStatus();
  };
  // A full queue: the next attempt is answered alike.
  committer
      .submit(
          std::make_unique<events::FunctionCommand>(stage, [](const absl::Status& /*ignored*/) {}))
      .IgnoreError();
}

absl::Status WebhookStore::renew_secret(events::Committer& committer, std::string key,
                                        std::function<void(absl::StatusOr<Webhook>)> done) {
  const auto renewed = std::make_shared<Webhook>();
  const auto stage = [this, key = std::move(key), renewed](events::Batch& batch) -> absl::Status {
    WebhookList& list = staged_in(batch);
    const Webhook* const current = list.find(key);
    if (current == nullptr) return not_found("there is no webhook {}", key);
    *renewed = *current;
    Secret former = current->secrets.front();
    former.valid_until_ms = batch.time_ms() + Webhook::k_old_secret_ms;
    renewed->secrets = {{.text = make_secret()}, std::move(former)};
    batch.put(Family::webhooks, store_key(key), encode(*renewed));
    put_in(list, *renewed);
    return absl::OkStatus();
  };
  const auto answer = [renewed, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*renewed)) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

void erase_all(events::Batch& batch, const store::Database& database, std::string_view prefix) {
  const auto cursor = database.walk(Family::webhooks, prefix, false);
  for (; cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    batch.erase(Family::webhooks, cursor->key());
  }
}

}  // namespace vitrine::webhooks
