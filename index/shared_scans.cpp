#include "index/shared_scans.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <utility>

namespace vitrine::index {

struct SharedScans::Waiting {
  const ProductIndex* index;
  SearchRequest request;
  std::optional<absl::StatusOr<std::vector<Neighbor>>> answer = std::nullopt;
  bool has_lane = false;
  std::condition_variable wake = {};
};

absl::StatusOr<std::vector<Neighbor>> SharedScans::search(const ProductIndex& index,
                                                          std::span<const float> query,
                                                          std::size_t k, const RowFilter& allowed,
                                                          std::int64_t patience_us) {
  Waiting mine{.index = &index, .request = {query, k, &allowed}};
  std::unique_lock lock(mutex_);
  if (free_lanes_ > 0) {
    --free_lanes_;
    mine.has_lane = true;
  } else {
    queue_.push_back(&mine);
    const auto patience = std::chrono::microseconds(std::min(patience_us, k_patience_us_max));
    const auto is_begun = [&] { return mine.answer || mine.has_lane; };
    if (!mine.wake.wait_for(lock, patience, is_begun)) {
      if (std::erase(queue_, &mine) > 0) {
        return absl::DeadlineExceededError("no pass over the index began in time");
      }
      mine.wake.wait(lock, is_begun);  // somebody took it along
    }
  }
  if (!mine.answer) lead(mine, lock);
  return *std::move(mine.answer);
}

void SharedScans::lead(Waiting& leader, std::unique_lock<std::mutex>& lock) {
  std::vector<Waiting*> together = {&leader};
  for (auto next = queue_.begin(); next != queue_.end() && together.size() < k_together_max;) {
    const bool fits = (*next)->index == leader.index;
    if (fits) together.push_back(*next);
    next = fits ? queue_.erase(next) : next + 1;
  }
  lock.unlock();

  std::vector<SearchRequest> requests;
  requests.reserve(together.size());
  for (const Waiting* waiting : together) requests.push_back(waiting->request);
  passes_.fetch_add(1, std::memory_order_relaxed);
  auto answers = leader.index->search_batch(requests);

  lock.lock();
  for (std::size_t i = 0; i < together.size(); ++i) {
    together[i]->answer = std::move(answers[i]);
    if (together[i] != &leader) together[i]->wake.notify_one();
  }
  if (queue_.empty()) {
    ++free_lanes_;
    return;
  }
  Waiting& next = *queue_.front();
  queue_.pop_front();
  next.has_lane = true;
  next.wake.notify_one();
}

std::size_t SharedScans::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace vitrine::index
