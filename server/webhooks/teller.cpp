#include "server/webhooks/teller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status.h"
#include "server/events/commit_scheduling.h"

namespace vitrine::webhooks {
namespace {

constexpr auto k_rest = std::chrono::milliseconds(20);
// What did not fit is tried again after this.
constexpr auto k_nap = std::chrono::milliseconds(500);
constexpr std::size_t k_page = 10'000;

}  // namespace

Teller::Teller(const Parts& parts)
    : parts_(parts),
      told_counter_(parts.metrics.counter("vitrine_webhooks_events_total",
                                          "Things that were written down to be told")),
      held_back_(parts.metrics.counter(
          "vitrine_webhooks_held_back_total",
          "Times that a webhook's queue was full, so that changes wait to be compared again")) {
  // Nobody knows what happened while nobody looked.
  for (const Pair& pair : parts_.told.pairs()) behind_.insert(pair);
}

Teller::~Teller() { stop(); }

void Teller::start() {
  thread_ = std::thread([this] { run(); });
}

void Teller::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Teller::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = true;
  }
  woken_.notify_all();
}

void Teller::looked_at(std::span<const UserNumber> people) {
  if (parts_.webhooks.current()->all.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    people_.insert(people.begin(), people.end());
    is_woken_ = true;
  }
  woken_.notify_all();
}

void Teller::replaced(std::vector<std::string> keys) {
  {
    const std::lock_guard lock(mutex_);
    for (std::string& key : keys) replaced_.insert(std::move(key));
    is_woken_ = true;
  }
  woken_.notify_all();
}

void Teller::run() {
  events::stay_in_the_background();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, k_nap, [&] { return is_woken_ || is_ending_; });
      if (is_ending_) return;
      is_woken_ = false;
    }
    step();
    std::this_thread::sleep_for(k_rest);
  }
}

void Teller::step() {
  std::vector<UserNumber> people;
  std::set<std::string> replaced;
  {
    const std::lock_guard lock(mutex_);
    people.assign(people_.begin(), people_.end());
    people_.clear();
    replaced.swap(replaced_);
  }
  const std::shared_ptr<const WebhookList> webhooks = parts_.webhooks.current();
  forget_what_is_gone(*webhooks);
  const auto programs = parts_.segments.current();
  for (const Webhook& webhook : webhooks->all) {
    for (const segments::Segment& segment : programs->list().all()) {
      if (!webhook.wants_segment(segment.key)) continue;
      if (replaced.contains(segment.key)) behind_.insert({webhook.key, segment.key});
      follow(webhook, segment.key, people);
    }
  }
}

// Of webhooks and segments that are there no more, and of those that are not asked for.
void Teller::forget_what_is_gone(const WebhookList& webhooks) {
  const auto programs = parts_.segments.current();
  for (const Pair& pair : parts_.told.pairs()) {
    const Webhook* const webhook = webhooks.find(pair.webhook);
    const bool is_followed = webhook != nullptr && webhook->wants_segment(pair.segment) &&
                             programs->list().find(pair.segment) != nullptr;
    if (is_followed) continue;
    commit([&](events::Batch& batch) { parts_.told.stage_removal(batch, parts_.database, pair); });
    behind_.erase(pair);
  }
  for (const std::string& key : parts_.deliveries.webhooks()) {
    if (webhooks.find(key) != nullptr) continue;
    commit([&](events::Batch& batch) {
      parts_.deliveries.stage_removal(batch, parts_.database, key);
    });
  }
}

void Teller::follow(const Webhook& webhook, const std::string& segment,
                    std::span<const UserNumber> people) {
  const Pair pair{webhook.key, segment};
  const auto status = parts_.engine.status(segment);
  if (!status || status->size_at_ms == 0) {  // its members are not known yet
    behind_.insert(pair);
    return;
  }
  if (!webhook.is_active) {
    if (parts_.told.has_begun(pair)) behind_.insert(pair);
    return;
  }
  // Who is in already is not told: those are a list that anybody can ask for.
  if (!parts_.told.has_begun(pair)) {
    if (!compare_all(webhook, pair, true)) return;
    commit([&](events::Batch& batch) { parts_.told.stage_begun(batch, pair); });
    behind_.erase(pair);
    return;
  }
  if (behind_.contains(pair)) {
    if (compare_all(webhook, pair, false)) behind_.erase(pair);
    return;
  }
  const std::vector<Change> changes = changes_among(pair, people);
  if (!tell(webhook, pair, changes, false)) behind_.insert(pair);
}

std::vector<ToldMembers::Change> Teller::changes_among(const Pair& pair,
                                                       std::span<const UserNumber> people) const {
  const std::vector<bool> are_in = parts_.engine.are_members(pair.segment, people);
  const std::vector<bool> are_told = parts_.told.are_told(pair, people);
  std::vector<Change> changes;
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (are_in[i] != are_told[i]) changes.push_back({people[i], are_in[i]});
  }
  return changes;
}

// Both lists side by side, page by page.
bool Teller::compare_all(const Webhook& webhook, const Pair& pair, bool is_silent) {
  UserNumber after = k_nobody;
  while (true) {
    const auto members = parts_.engine.members(pair.segment, after, k_page);
    if (!members) return true;  // removed meanwhile
    const std::vector<UserNumber> told = parts_.told.list(pair, after, k_page);
    UserNumber last(UINT32_MAX);
    if (members->size() == k_page) last = std::min(last, members->back());
    if (told.size() == k_page) last = std::min(last, told.back());
    std::vector<Change> changes;
    auto in = members->begin();
    auto was = told.begin();
    while (in != members->end() || was != told.end()) {
      const bool is_new = in != members->end() && (was == told.end() || *in < *was);
      const bool is_same = in != members->end() && was != told.end() && *in == *was;
      const UserNumber user = is_new ? *in : *was;
      if (user > last) break;
      if (!is_same) changes.push_back({user, is_new});
      if (is_new || is_same) ++in;
      if (!is_new) ++was;
    }
    if (!tell(webhook, pair, changes, is_silent)) return false;
    if (last == UserNumber(UINT32_MAX)) return true;
    after = last;
  }
}

// As many as the queue has room for; the others are found again.
bool Teller::tell(const Webhook& webhook, const Pair& pair, std::span<const Change> changes,
                  bool is_silent) {
  while (!changes.empty()) {
    const std::size_t room = is_silent ? changes.size() : parts_.deliveries.room(webhook.key);
    if (room == 0) {
      held_back_.add();
      return false;
    }
    const auto part = changes.first(std::min({k_changes_at_once, room, changes.size()}));
    changes = changes.subspan(part.size());
    std::vector<Change> staged(part.begin(), part.end());
    std::vector<Delivery> deliveries;
    if (!is_silent) deliveries = deliveries_of(webhook, pair, staged);
    const bool is_written = commit([&](events::Batch& batch) {
      parts_.told.stage(batch, pair, staged);
      if (!deliveries.empty()) parts_.deliveries.stage(batch, webhook.key, deliveries);
    });
    if (!is_written) return false;
    told_counter_.add(static_cast<double>(deliveries.size()));
  }
  return true;
}

// Who was erased is told of to nobody, and does not come in any more.
std::vector<Delivery> Teller::deliveries_of(const Webhook& webhook, const Pair& pair,
                                            std::vector<Change>& changes) const {
  std::vector<Delivery> deliveries;
  for (Change& change : changes) {
    const auto person = parts_.identities.person(change.user);
    const bool is_known = person.ok() && person->has_value() && (*person)->erased_ms == 0;
    if (!is_known) {
      change.is_in = false;
      continue;
    }
    const std::string_view type = change.is_in ? k_segment_entered : k_segment_left;
    if (!webhook.wants_type(type)) continue;
    deliveries.push_back({.type = std::string(type),
                          .segment = pair.segment,
                          .user = change.user,
                          .time_ms = parts_.clock.now_ms()});
  }
  return deliveries;
}

// Memory is ahead of the store when a batch could not be written.
bool Teller::commit(const std::function<void(events::Batch&)>& stage) {
  const absl::Status done = parts_.committer
                                .submit_and_wait([&](events::Batch& batch) {
                                  stage(batch);
                                  return absl::OkStatus();
                                })
                                .status();
  if (done.ok()) return true;
  const absl::Status reloaded = parts_.told.reload(parts_.database);
  if (!reloaded.ok()) parts_.log.error("webhooks: {}", message_of(reloaded));
  for (const Pair& pair : parts_.told.pairs()) behind_.insert(pair);
  return false;
}

}  // namespace vitrine::webhooks
