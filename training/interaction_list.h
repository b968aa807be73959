// Interactions kept in memory, to be gone through more than once: by every recipe that is compared.
//
// Texts are kept once; an interaction takes 48 bytes. Not thread-safe while it grows; const
// methods are.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "training/dataset.h"
#include "training/interaction.h"

namespace vitrine::training {

class InteractionList {
 public:
  void add(const Interaction& interaction);

  // In the order of their coming. The texts are good for as long as the list is.
  void for_each(const std::function<void(const Interaction&)>& take) const;

  std::size_t size() const { return records_.size(); }
  // Of the oldest and the newest; both 0 when empty.
  std::pair<TimeMs, TimeMs> time_span() const;
  // When `share` of the time between the two has passed.
  TimeMs time_at(double share) const;

 private:
  struct Record {
    TimeMs time_ms;
    std::optional<float> weight;
    std::uint32_t user;
    std::uint32_t product;
    std::uint32_t order;
    std::uint32_t session;
    std::uint32_t market;
    std::uint32_t quantity;
    EventType type;
  };

  TextNumbers users_;
  TextNumbers products_;
  TextNumbers orders_;
  TextNumbers sessions_;
  TextNumbers markets_;
  std::vector<Record> records_;
};

}  // namespace vitrine::training
