#include "training/activity.h"

#include <array>

namespace vitrine::training {

std::vector<ActivityBucket> by_activity(const Evaluation& evaluation, const Dataset& train) {
  constexpr std::array<std::uint64_t, 6> k_from{1, 5, 10, 20, 50, 100};
  std::vector<ActivityBucket> buckets;
  for (std::size_t b = 0; b < k_from.size(); ++b) {
    ActivityBucket bucket;
    bucket.from = k_from[b];
    bucket.to = b + 1 < k_from.size() ? k_from[b + 1] - 1 : UINT64_MAX;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < evaluation.user_numbers.size(); ++i) {
      const std::size_t count = train.seen_by_user.columns_of(evaluation.user_numbers[i]).size();
      if (count >= bucket.from && count <= bucket.to) places.push_back(i);
    }
    if (places.empty()) continue;
    bucket.users = places.size();
    for (const auto& [name, numbers] : evaluation.by_user) {
      double sum = 0;
      for (const std::size_t place : places) sum += numbers[place];
      bucket.metrics[name] = sum / static_cast<double>(places.size());
    }
    buckets.push_back(std::move(bucket));
  }
  return buckets;
}

}  // namespace vitrine::training
