// The deliveries of all webhooks, those that wait and those that were given up: in memory and in
// the store.
//
// What waits is durable before anybody is told of it; that something was delivered may be forgotten
// by a crash, and it is then sent again. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "server/events/committer.h"
#include "server/store/database.h"
#include "server/webhooks/target_queue.h"

namespace vitrine::webhooks {

class DeliveryBook {
 public:
  struct Options {
    std::size_t waiting_max = 10'000;  // of one webhook; what comes to be beyond waits untold
    RetryOptions retry;
  };

  // Loads all. DataLoss when one cannot be read.
  static absl::StatusOr<std::unique_ptr<DeliveryBook>> open(const store::Database& database,
                                                            Metrics& metrics,
                                                            const Options& options);

  // How many more may wait.
  std::size_t room(std::string_view webhook) const;
  // Within a batch, on the committer thread: they wait once it is synced. Numbers are given here.
  void stage(events::Batch& batch, const std::string& webhook, std::vector<Delivery> deliveries);
  // Likewise: everything of a webhook goes.
  void stage_removal(events::Batch& batch, const store::Database& database,
                     const std::string& webhook);
  // Likewise: everything about these people goes; how many deliveries there were.
  std::size_t forget(events::Batch& batch, const std::vector<UserNumber>& people);
  // Likewise: what was given up waits again; how many.
  std::size_t stage_again(events::Batch& batch, const std::string& webhook, TimeMs now_ms);
  // Called on the committer thread when something waits that did not. To be set before the first.
  void on_new(std::function<void()> listener) { listener_ = std::move(listener); }

  std::optional<Delivery> take(std::string_view webhook, TimeMs now_ms);
  std::optional<TimeMs> next_ms(std::string_view webhook) const;
  void end(events::Committer& committer, const std::string& webhook, const Delivery& delivery,
           const PostOutcome& outcome, TimeMs now_ms);
  // Nobody is to be told of it any more.
  void drop(events::Committer& committer, const std::string& webhook, const Delivery& delivery);
  void note_attempt(std::string_view webhook, Attempt attempt);

  struct Facts {
    std::size_t waiting = 0;
    std::size_t dead = 0;
    std::uint32_t failures_in_row = 0;
    TimeMs oldest_ms = 0;  // 0: none waits
  };
  Facts facts(std::string_view webhook) const;
  enum class Kind { waiting, dead };
  // Past the number `after`, oldest first.
  std::vector<Delivery> list(std::string_view webhook, Kind kind, std::uint64_t after,
                             std::size_t count_max) const;
  std::vector<Attempt> attempts(std::string_view webhook) const;  // newest first
  std::vector<Delivery> of_people(const std::vector<UserNumber>& people) const;
  std::vector<std::string> webhooks() const;  // that have deliveries

 private:
  struct DeliveryMetrics {
    explicit DeliveryMetrics(Metrics& metrics);
    Gauge& waiting;
    Gauge& dead;
    Counter& delivered;
    Counter& failed;
    Counter& given_up;
    Counter& dropped_dead;
    Histogram& seconds;
  };
  DeliveryBook(Metrics& metrics, const Options& options) : options_(options), metrics_(metrics) {}
  absl::Status load(const store::Database& database, char prefix);
  TargetQueue& queue_of(std::string_view webhook);          // under the lock
  const TargetQueue* find(std::string_view webhook) const;  // likewise
  void tell_sizes();                                        // likewise
  void keep(events::Committer& committer, const std::string& webhook,
            const TargetQueue::Ended& ended);

  const Options options_;
  DeliveryMetrics metrics_;
  std::function<void()> listener_;
  mutable std::mutex mutex_;  // guards the one below
  std::map<std::string, TargetQueue, std::less<>> queues_;
};

}  // namespace vitrine::webhooks
