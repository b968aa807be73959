// Values by number, wiped by counting up: a thread's memory for one computation after another.
//
// As large as the largest computation so far, not as the catalog: every thread that answers has
// several of them. Open addressing; what an earlier round left counts as free. Not thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vitrine::recommend {

template <class Value>
class RoundTable {
 public:
  // Forgets all values.
  void begin() {
    used_ = 0;
    if (++round_ != 0) return;
    slots_.assign(slots_.size(), {});
    round_ = 1;
  }

  // The value, Value() at first, and whether it is a new one. Valid until the next call.
  std::pair<Value&, bool> at(std::uint32_t number) {
    if (2 * used_ >= slots_.size()) grow();
    Slot& slot = slots_[place_of(number)];
    const bool is_new = slot.round != round_;
    if (is_new) {
      slot = {.round = round_, .number = number, .value = Value()};
      ++used_;
    }
    return {slot.value, is_new};
  }

  // Null where at() was not asked since begin().
  const Value* find(std::uint32_t number) const {
    if (used_ == 0) return nullptr;
    const Slot& slot = slots_[place_of(number)];
    return slot.round == round_ ? &slot.value : nullptr;
  }

 private:
  struct Slot {
    std::uint32_t round = 0;
    std::uint32_t number = 0;
    Value value = {};
  };
  static constexpr std::size_t k_slots_min = 1024;

  // The number's slot, else the free one it would take. Precondition: one is free.
  std::size_t place_of(std::uint32_t number) const {
    constexpr std::uint32_t k_golden = 0x9E3779B1;  // spreads neighbours far
    std::size_t place = (number * k_golden) >> shift_;
    while (slots_[place].round == round_ && slots_[place].number != number) {
      place = (place + 1) & (slots_.size() - 1);
    }
    return place;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? k_slots_min : 2 * slots_.size());
    old.swap(slots_);
    shift_ = 32 - std::countr_zero(slots_.size());
    for (Slot& slot : old) {
      if (slot.round == round_) slots_[place_of(slot.number)] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, or none
  int shift_ = 32;           // leaves as many bits of a hash as name a slot
  std::size_t used_ = 0;     // in this round
  std::uint32_t round_ = 1;
};

}  // namespace vitrine::recommend
