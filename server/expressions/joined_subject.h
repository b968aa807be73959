// A subject of a schema in parts: each part answers for its own names.
//
// Asked from one thread at a time.
#pragma once

#include <array>
#include <cstddef>

#include "base/check.h"
#include "server/expressions/schema.h"

namespace vitrine::expressions {

class JoinedSubject final : public Subject {
 public:
  using Parts = std::array<const Subject*, Schema::k_parts_max>;

  // One for each part of the schema, in its order; all outlive it. A part that the program asked
  // does not need may be null.
  JoinedSubject(const Schema& schema, const Parts& parts) : schema_(schema), parts_(parts) {}

  std::optional<bool> boolean(std::size_t slot) const override {
    const Place place = place_of(slot);
    return place.subject.boolean(place.slot);
  }
  std::optional<double> number(std::size_t slot) const override {
    const Place place = place_of(slot);
    return place.subject.number(place.slot);
  }
  std::optional<std::string_view> text(std::size_t slot) const override {
    const Place place = place_of(slot);
    return place.subject.text(place.slot);
  }
  std::span<const std::string> texts(std::size_t slot) const override {
    const Place place = place_of(slot);
    return place.subject.texts(place.slot);
  }
  std::optional<std::string_view> entry(std::size_t slot, std::string_view key) const override {
    const Place place = place_of(slot);
    return place.subject.entry(place.slot, key);
  }
  std::size_t entry_count(std::size_t slot) const override {
    const Place place = place_of(slot);
    return place.subject.entry_count(place.slot);
  }
  TimeMs changes_at_ms(std::size_t slot) const override {
    const Place place = place_of(slot);
    return place.subject.changes_at_ms(place.slot);
  }

  std::optional<Counted> event_count(EventType type, std::string_view category,
                                     TimeMs since_ms) const override {
    return people().event_count(type, category, since_ms);
  }
  std::optional<Counted> spend(TimeMs since_ms) const override { return people().spend(since_ms); }
  std::optional<double> last_event_ms(EventType type) const override {
    return people().last_event_ms(type);
  }
  std::optional<bool> is_in_segment(std::string_view key, TimeMs& changes_at_ms) const override {
    return people().is_in_segment(key, changes_at_ms);
  }
  std::optional<double> bucket(std::string_view seed) const override {
    return people().bucket(seed);
  }

 private:
  struct Place {
    const Subject& subject;
    std::size_t slot;
  };
  Place place_of(std::size_t slot) const {
    std::size_t part = 0;
    std::size_t begin = 0;
    for (const std::size_t next : schema_.part_begins()) {
      if (slot < next) break;
      begin = next;
      ++part;
    }
    return {part_at(part), slot - begin};
  }
  const Subject& people() const { return part_at(schema_.part_of_people()); }
  const Subject& part_at(std::size_t part) const {
    CHECK(parts_[part] != nullptr, "a program is asked with the parts it needs");
    return *parts_[part];
  }

  const Schema& schema_;
  const Parts parts_;
};

}  // namespace vitrine::expressions
