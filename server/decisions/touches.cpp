#include "server/decisions/touches.h"

#include <algorithm>
#include <utility>

namespace vitrine::decisions {

void Touches::add(const Touch& touch) {
  if (touch.user == k_nobody) return;
  std::vector<Touch>& person = people_[touch.user];
  std::erase_if(person, [&](const Touch& known) { return known.product == touch.product; });
  if (person.size() >= k_person_max) person.erase(person.begin());
  person.push_back(touch);
  order_.push_back(touch);
  while (order_.size() > k_touches_max) {
    forget(order_.front());
    order_.pop_front();
  }
}

void Touches::forget(const Touch& touch) {
  const auto person = people_.find(touch.user);
  if (person == people_.end()) return;
  std::erase(person->second, touch);
  if (person->second.empty()) people_.erase(person);
}

void Touches::move(UserNumber from, UserNumber to) {
  const auto person = people_.find(from);
  if (person == people_.end() || from == to) return;
  const std::vector<Touch> moved = std::move(person->second);
  people_.erase(person);
  for (Touch touch : moved) {
    touch.user = to;
    add(touch);
  }
}

void Touches::erase(UserNumber user) {
  if (people_.erase(user) == 0) return;
  std::erase_if(order_, [&](const Touch& touch) { return touch.user == user; });
}

std::optional<std::uint32_t> Touches::last(UserNumber user, std::uint64_t product,
                                           TimeMs time_ms) const {
  const auto person = people_.find(user);
  if (person == people_.end()) return std::nullopt;
  const auto found = std::ranges::find(person->second, product, &Touch::product);
  if (found == person->second.end() || found->time_ms > time_ms ||
      time_ms - found->time_ms > k_window_ms) {
    return std::nullopt;
  }
  return found->slot;
}

std::vector<Touch> Touches::all() const {
  std::vector<Touch> touches;
  touches.reserve(order_.size());
  for (const Touch& touch : order_) {
    const auto person = people_.find(touch.user);
    if (person == people_.end()) continue;
    if (std::ranges::find(person->second, touch) != person->second.end()) touches.push_back(touch);
  }
  return touches;
}

}  // namespace vitrine::decisions
