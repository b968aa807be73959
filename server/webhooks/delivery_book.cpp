#include "server/webhooks/delivery_book.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/store/key.h"
#include "server/webhooks/webhook_store.h"

namespace vitrine::webhooks {
namespace {

using store::Family;

std::string prefix_of(char kind, std::string_view webhook) {
  std::string prefix(1, kind);
  prefix.append(webhook);
  prefix += '\0';
  return prefix;
}

std::string key_of(char kind, std::string_view webhook, std::uint64_t number) {
  return prefix_of(kind, webhook) + store::key_of(number);
}

// Changes of state that a crash may forget: nobody waits for them.
class QuietCommand final : public events::Command {
 public:
  explicit QuietCommand(std::function<void(events::Batch&)> stage) : stage_(std::move(stage)) {}
  absl::Status stage(events::Batch& batch) override {
    stage_(batch);
    return absl::OkStatus();
  }
  bool is_awaited() const override { return false; }
  void answer(const absl::Status& /*status*/, Position /*visible*/) override {}

 private:
  std::function<void(events::Batch&)> stage_;
};

}  // namespace

DeliveryBook::DeliveryMetrics::DeliveryMetrics(Metrics& metrics)
    : waiting(metrics.gauge("vitrine_webhooks_waiting", "Deliveries that wait to be sent")),
      dead(metrics.gauge("vitrine_webhooks_dead", "Deliveries that were given up and are kept")),
      delivered(metrics.counter("vitrine_webhooks_attempts_total", "Attempts to deliver",
                                {{"outcome", "delivered"}})),
      failed(metrics.counter("vitrine_webhooks_attempts_total", "Attempts to deliver",
                             {{"outcome", "failed"}})),
      given_up(metrics.counter("vitrine_webhooks_given_up_total", "Deliveries that were given up")),
      dropped_dead(metrics.counter("vitrine_webhooks_dead_dropped_total",
                                   "Given up deliveries that made room for newer ones")),
      seconds(metrics.histogram("vitrine_webhooks_attempt_seconds", "How long an attempt took",
                                latency_bounds_seconds())) {}

absl::StatusOr<std::unique_ptr<DeliveryBook>> DeliveryBook::open(const store::Database& database,
                                                                 Metrics& metrics,
                                                                 const Options& options) {
  std::unique_ptr<DeliveryBook> book(new DeliveryBook(metrics, options));
  VITRINE_RETURN_IF_ERROR(book->load(database, k_waiting_prefix));
  VITRINE_RETURN_IF_ERROR(book->load(database, k_dead_prefix));
  book->tell_sizes();
  return book;
}

absl::Status DeliveryBook::load(const store::Database& database, char prefix) {
  constexpr std::size_t k_number_bytes = 8;
  const auto cursor = database.walk(Family::webhooks, std::string(1, prefix), true);
  for (; cursor->valid() && cursor->key().front() == prefix; cursor->next()) {
    const std::string_view key = cursor->key().substr(1);
    const std::size_t end = key.find('\0');
    const auto number = end != std::string_view::npos && key.size() == end + 1 + k_number_bytes
                            ? store::number_in(key.substr(end + 1))
                            : std::nullopt;
    if (!number) return data_loss("a webhook delivery has a key that cannot be read");
    VITRINE_ASSIGN_OR_RETURN(Delivery delivery, decode_delivery(*number, cursor->value()));
    TargetQueue& queue = queue_of(key.substr(0, end));
    prefix == k_dead_prefix ? queue.add_dead(std::move(delivery)) : queue.add(std::move(delivery));
  }
  return cursor->status();
}

TargetQueue& DeliveryBook::queue_of(std::string_view webhook) {
  const auto found = queues_.find(webhook);
  if (found != queues_.end()) return found->second;
  return queues_.try_emplace(std::string(webhook), options_.retry).first->second;
}

const TargetQueue* DeliveryBook::find(std::string_view webhook) const {
  const auto found = queues_.find(webhook);
  return found == queues_.end() ? nullptr : &found->second;
}

void DeliveryBook::tell_sizes() {
  std::size_t waiting = 0;
  std::size_t dead = 0;
  for (const auto& [webhook, queue] : queues_) {
    waiting += queue.waiting();
    dead += queue.dead().size();
  }
  metrics_.waiting.set(static_cast<double>(waiting));
  metrics_.dead.set(static_cast<double>(dead));
}

std::size_t DeliveryBook::room(std::string_view webhook) const {
  const std::lock_guard lock(mutex_);
  const TargetQueue* const queue = find(webhook);
  if (queue == nullptr) return options_.waiting_max;
  return options_.waiting_max - std::min(options_.waiting_max, queue->waiting());
}

void DeliveryBook::stage(events::Batch& batch, const std::string& webhook,
                         std::vector<Delivery> deliveries) {
  constexpr std::uint64_t k_us_in_ms = 1000;
  {
    const std::lock_guard lock(mutex_);
    // By the clock, so that a number does not come again after everything was delivered.
    std::uint64_t number = std::max(queue_of(webhook).last_number(),
                                    static_cast<std::uint64_t>(batch.time_ms()) * k_us_in_ms);
    for (Delivery& delivery : deliveries) {
      delivery.number = ++number;
      delivery.id = make_ulid(batch.time_ms());
      delivery.since_ms = batch.time_ms();
      delivery.due_ms = batch.time_ms();
    }
  }
  for (const Delivery& delivery : deliveries) {
    batch.put(Family::webhooks, key_of(k_waiting_prefix, webhook, delivery.number),
              encode(delivery));
  }
  batch.after_sync([this, webhook, deliveries = std::move(deliveries)] {
    {
      const std::lock_guard lock(mutex_);
      for (const Delivery& delivery : deliveries) queue_of(webhook).add(delivery);
      tell_sizes();
    }
    if (listener_) listener_();
  });
}

void DeliveryBook::stage_removal(events::Batch& batch, const store::Database& database,
                                 const std::string& webhook) {
  erase_all(batch, database, prefix_of(k_waiting_prefix, webhook));
  erase_all(batch, database, prefix_of(k_dead_prefix, webhook));
  const std::lock_guard lock(mutex_);
  queues_.erase(webhook);
  tell_sizes();
}

std::size_t DeliveryBook::forget(events::Batch& batch, const std::vector<UserNumber>& people) {
  std::size_t forgotten = 0;
  const std::lock_guard lock(mutex_);
  for (auto& [webhook, queue] : queues_) {
    const TargetQueue::Forgotten gone = queue.forget(people);
    for (const std::uint64_t number : gone.waiting) {
      batch.erase(Family::webhooks, key_of(k_waiting_prefix, webhook, number));
    }
    for (const std::uint64_t number : gone.dead) {
      batch.erase(Family::webhooks, key_of(k_dead_prefix, webhook, number));
    }
    forgotten += gone.waiting.size() + gone.dead.size();
  }
  tell_sizes();
  return forgotten;
}

std::size_t DeliveryBook::stage_again(events::Batch& batch, const std::string& webhook,
                                      TimeMs now_ms) {
  const std::lock_guard lock(mutex_);
  TargetQueue& queue = queue_of(webhook);
  const std::size_t room = options_.waiting_max - std::min(options_.waiting_max, queue.waiting());
  std::vector<Delivery> again = queue.take_dead(room);
  for (Delivery& delivery : again) {
    delivery.attempts = 0;
    delivery.since_ms = now_ms;
    delivery.due_ms = now_ms;
    batch.erase(Family::webhooks, key_of(k_dead_prefix, webhook, delivery.number));
    batch.put(Family::webhooks, key_of(k_waiting_prefix, webhook, delivery.number),
              encode(delivery));
    queue.add(delivery);
  }
  tell_sizes();
  batch.after_sync([this] {
    if (listener_) listener_();
  });
  return again.size();
}

std::optional<Delivery> DeliveryBook::take(std::string_view webhook, TimeMs now_ms) {
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(webhook);
  return found == queues_.end() ? std::nullopt : found->second.take(now_ms);
}

std::optional<TimeMs> DeliveryBook::next_ms(std::string_view webhook) const {
  const std::lock_guard lock(mutex_);
  const TargetQueue* const queue = find(webhook);
  return queue == nullptr ? std::nullopt : queue->next_ms();
}

void DeliveryBook::end(events::Committer& committer, const std::string& webhook,
                       const Delivery& delivery, const PostOutcome& outcome, TimeMs now_ms) {
  constexpr double k_ms_in_second = 1000;
  (outcome.is_delivered() ? metrics_.delivered : metrics_.failed).add();
  metrics_.seconds.observe(static_cast<double>(outcome.duration_ms) / k_ms_in_second);
  TargetQueue::Ended ended;
  {
    const std::lock_guard lock(mutex_);
    const auto found = queues_.find(webhook);
    if (found == queues_.end()) return;  // removed meanwhile
    ended = found->second.end(delivery, outcome, now_ms);
    tell_sizes();
  }
  if (ended.kind == TargetQueue::Ended::Kind::dead) metrics_.given_up.add();
  if (ended.dropped_dead) metrics_.dropped_dead.add();
  keep(committer, webhook, ended);
}

// A full queue of writes loses it: after a crash the delivery is then where it was before.
void DeliveryBook::keep(events::Committer& committer, const std::string& webhook,
                        const TargetQueue::Ended& ended) {
  if (ended.kind == TargetQueue::Ended::Kind::forgotten) return;
  const auto stage = [this, webhook, ended](events::Batch& batch) {
    const std::uint64_t number = ended.delivery.number;
    const std::lock_guard lock(mutex_);
    const TargetQueue* const queue = find(webhook);
    const bool waits = queue != nullptr && queue->all_waiting().contains(number);
    const bool is_dead = queue != nullptr && queue->dead().contains(number);
    const std::string waiting_key = key_of(k_waiting_prefix, webhook, number);
    waits ? batch.put(Family::webhooks, waiting_key, encode(queue->all_waiting().at(number)))
          : batch.erase(Family::webhooks, waiting_key);
    if (is_dead) {
      batch.put(Family::webhooks, key_of(k_dead_prefix, webhook, number), encode(ended.delivery));
    }
    if (ended.dropped_dead) {
      batch.erase(Family::webhooks, key_of(k_dead_prefix, webhook, *ended.dropped_dead));
    }
  };
  committer.submit(std::make_unique<QuietCommand>(stage)).IgnoreError();
}

void DeliveryBook::drop(events::Committer& committer, const std::string& webhook,
                        const Delivery& delivery) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = queues_.find(webhook);
    if (found == queues_.end()) return;
    found->second.drop(delivery);
    tell_sizes();
  }
  keep(committer, webhook,
       {.kind = TargetQueue::Ended::Kind::delivered, .delivery = delivery, .dropped_dead = {}});
}

void DeliveryBook::note_attempt(std::string_view webhook, Attempt attempt) {
  const std::lock_guard lock(mutex_);
  queue_of(webhook).note_attempt(std::move(attempt));
}

DeliveryBook::Facts DeliveryBook::facts(std::string_view webhook) const {
  const std::lock_guard lock(mutex_);
  const TargetQueue* const queue = find(webhook);
  if (queue == nullptr) return {};
  return {.waiting = queue->waiting(),
          .dead = queue->dead().size(),
          .failures_in_row = queue->failures_in_row(),
          .oldest_ms = queue->oldest_ms().value_or(0)};
}

std::vector<Delivery> DeliveryBook::list(std::string_view webhook, Kind kind, std::uint64_t after,
                                         std::size_t count_max) const {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> listed;
  const TargetQueue* const queue = find(webhook);
  if (queue == nullptr) return listed;
  const auto& all = kind == Kind::dead ? queue->dead() : queue->all_waiting();
  for (auto it = all.upper_bound(after); it != all.end() && listed.size() < count_max; ++it) {
    listed.push_back(it->second);
  }
  return listed;
}

std::vector<Attempt> DeliveryBook::attempts(std::string_view webhook) const {
  const std::lock_guard lock(mutex_);
  const TargetQueue* const queue = find(webhook);
  if (queue == nullptr) return {};
  return {queue->attempts().rbegin(), queue->attempts().rend()};
}

std::vector<Delivery> DeliveryBook::of_people(const std::vector<UserNumber>& people) const {
  const std::lock_guard lock(mutex_);
  std::vector<Delivery> found;
  const auto add_of = [&](const std::map<std::uint64_t, Delivery>& all) {
    for (const auto& [number, delivery] : all) {
      if (std::ranges::find(people, delivery.user) != people.end()) found.push_back(delivery);
    }
  };
  for (const auto& [webhook, queue] : queues_) {
    add_of(queue.all_waiting());
    add_of(queue.dead());
  }
  return found;
}

std::vector<std::string> DeliveryBook::webhooks() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [webhook, queue] : queues_) keys.push_back(webhook);
  return keys;
}

}  // namespace vitrine::webhooks
