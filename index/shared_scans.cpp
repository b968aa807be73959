#include "index/shared_scans.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace vitrine::index {

struct SharedScans::Waiting {
  const ProductIndex* index;
  std::span<const SearchRequest> requests;
  std::vector<Answer> answers = {};  // one a request, once known
  bool has_lane = false;
  std::condition_variable wake = {};
};

SharedScans::Answer SharedScans::search(const ProductIndex& index, std::span<const float> query,
                                        std::size_t k, const RowFilter& allowed,
                                        std::int64_t patience_us) {
  const SearchRequest request{query, k, &allowed};
  return std::move(search_batch(index, {&request, 1}, patience_us).front());
}

std::vector<SharedScans::Answer> SharedScans::search_batch(const ProductIndex& index,
                                                           std::span<const SearchRequest> requests,
                                                           std::int64_t patience_us) {
  CHECK(!requests.empty() && requests.size() <= k_together_max, "so many share a pass");
  Waiting mine{.index = &index, .requests = requests};
  std::unique_lock lock(mutex_);
  if (free_lanes_ > 0) {
    --free_lanes_;
    mine.has_lane = true;
  } else {
    queue_.push_back(&mine);
    const auto patience = std::chrono::microseconds(std::min(patience_us, k_patience_us_max));
    const auto is_begun = [&] { return !mine.answers.empty() || mine.has_lane; };
    if (!mine.wake.wait_for(lock, patience, is_begun)) {
      if (std::erase(queue_, &mine) > 0) {
        const auto late = absl::DeadlineExceededError("no pass over the index began in time");
        return std::vector<Answer>(requests.size(), late);
      }
      mine.wake.wait(lock, is_begun);  // somebody took it along
    }
  }
  if (mine.answers.empty()) lead(mine, lock);
  return std::move(mine.answers);
}

void SharedScans::lead(Waiting& leader, std::unique_lock<std::mutex>& lock) {
  std::vector<Waiting*> together = {&leader};
  std::vector<SearchRequest> requests(leader.requests.begin(), leader.requests.end());
  for (auto next = queue_.begin(); next != queue_.end() && requests.size() < k_together_max;) {
    const Waiting& waiting = **next;
    const bool fits = waiting.index == leader.index &&
                      requests.size() + waiting.requests.size() <= k_together_max;
    if (fits) {
      together.push_back(*next);
      requests.insert(requests.end(), waiting.requests.begin(), waiting.requests.end());
    }
    next = fits ? queue_.erase(next) : next + 1;
  }
  lock.unlock();

  passes_.fetch_add(1, std::memory_order_relaxed);
  std::vector<Answer> answers = leader.index->search_batch(requests);

  lock.lock();
  auto answer = std::make_move_iterator(answers.begin());
  for (Waiting* const waiting : together) {
    const auto end = answer + static_cast<std::ptrdiff_t>(waiting->requests.size());
    waiting->answers.assign(answer, end);
    answer = end;
    if (waiting != &leader) waiting->wake.notify_one();
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
