#include "server/events/replacements.h"

#include <chrono>
#include <thread>
#include <utility>

#include "base/status.h"

namespace vitrine::events {

absl::Status submit_patiently(Committer& committer,
                              const std::function<absl::Status(Batch&)>& stage) {
  constexpr auto k_rest = std::chrono::milliseconds(50);
  constexpr int k_rests_max = 1200;
  for (int rest = 0; rest < k_rests_max; ++rest) {
    if (!committer.is_half_full()) {
      const absl::Status done = committer.submit_and_wait(stage).status();
      if (!absl::IsResourceExhausted(done)) return done;
    }
    std::this_thread::sleep_for(k_rest);
  }
  return overloaded("the queue of writes was full for a minute");
}

absl::StatusOr<std::size_t> replace(Committer& committer, std::vector<Replacement>& replacements,
                                    const std::function<void(Batch&)>& beside) {
  std::size_t replaced = 0;
  const auto stage = [&](Batch& batch) -> absl::Status {
    replaced = 0;
    std::vector<bool> is_same;
    for (const Replacement& replacement : replacements) {
      VITRINE_ASSIGN_OR_RETURN(const auto now, batch.get(replacement.family, replacement.key));
      is_same.push_back(now == replacement.before);
    }
    for (std::size_t i = 0; i < replacements.size(); ++i) {
      if (!is_same[i]) continue;
      const Replacement& replacement = replacements[i];
      ++replaced;
      if (replacement.after) {
        batch.put(replacement.family, replacement.key, *replacement.after);
      } else {
        batch.erase(replacement.family, replacement.key);
      }
    }
    if (beside) beside(batch);
    return absl::OkStatus();
  };
  VITRINE_RETURN_IF_ERROR(submit_patiently(committer, stage));
  replacements.clear();
  return replaced;
}

absl::Status Replacer::add(Replacement replacement) {
  gathered_.push_back(std::move(replacement));
  return gathered_.size() < k_replacements_at_once ? absl::OkStatus() : carry_out();
}

absl::StatusOr<std::size_t> Replacer::finish() {
  if (!gathered_.empty()) VITRINE_RETURN_IF_ERROR(carry_out());
  return replaced_;
}

absl::Status Replacer::carry_out() {
  VITRINE_ASSIGN_OR_RETURN(const std::size_t replaced, replace(committer_, gathered_));
  replaced_ += replaced;
  return absl::OkStatus();
}

}  // namespace vitrine::events
