#include "server/http/wrong_codes.h"

#include <utility>

namespace vitrine::http {
namespace {

std::string address(std::uint64_t peer) { return "a" + std::to_string(peer); }
std::string user(std::string_view user_id) { return "u" + std::string(user_id); }

}  // namespace

bool WrongCodes::is_over(const std::string& who, TimeMs now_ms) const {
  const auto found = counts_.find(who);
  return found != counts_.end() && found->second.wrong >= k_wrong_max &&
         now_ms < found->second.begun_ms + k_window_ms;
}

void WrongCodes::add(std::string who, std::size_t wrong, TimeMs now_ms) {
  if (counts_.size() >= k_known_max) counts_.clear();
  Count& count = counts_[std::move(who)];
  if (count.wrong == 0 || now_ms >= count.begun_ms + k_window_ms) count = {.begun_ms = now_ms};
  count.wrong += static_cast<std::uint32_t>(wrong);
}

bool WrongCodes::may_try(std::uint64_t peer, std::string_view user_id, TimeMs now_ms) const {
  const std::lock_guard lock(mutex_);
  if (peer != 0 && is_over(address(peer), now_ms)) return false;
  return user_id.empty() || !is_over(user(user_id), now_ms);
}

void WrongCodes::note(std::uint64_t peer, std::string_view user_id, std::size_t wrong,
                      TimeMs now_ms) {
  if (wrong == 0) return;
  const std::lock_guard lock(mutex_);
  if (peer != 0) add(address(peer), wrong, now_ms);
  if (!user_id.empty()) add(user(user_id), wrong, now_ms);
}

}  // namespace vitrine::http
