// The expressions of all segments, compiled together: one may ask whether somebody is in another.
//
// Thread-safe: immutable.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/expressions/program.h"
#include "server/segments/person.h"
#include "server/segments/segment.h"

namespace vitrine::segments {

// Who is in the segments whose members do not follow from what people do.
class FixedMembers {
 public:
  virtual ~FixedMembers() = default;
  virtual bool has(std::string_view key, UserNumber user) const = 0;
};

absl::StatusOr<expressions::Program> compile_for_people(std::string_view expression);

class SegmentPrograms final : public SegmentLookup {
 public:
  // InvalidArgument: an expression that is none, one that names a segment there is not, and those
  // that ask each other in a circle. `fixed` outlives it.
  static absl::StatusOr<std::shared_ptr<const SegmentPrograms>> compile(const SegmentList& list,
                                                                        const FixedMembers& fixed);

  const SegmentList& list() const { return list_; }
  // `at` is a place of the list; found out once a person. `changes_at_ms` is lowered as
  // Program::holds() does.
  bool holds(std::size_t at, const PersonSubject& person, TimeMs& changes_at_ms) const;
  std::optional<bool> is_in(std::string_view key, const PersonSubject& person,
                            TimeMs& changes_at_ms) const override;

  // The kinds of events that can change whether somebody is in it, by itself or through others.
  expressions::EventTypes event_types(std::size_t at) const { return event_types_[at]; }

  // Keys of the segments whose expressions ask for this one, by themselves or through others.
  std::vector<std::string> users_of(std::string_view key) const;
  // Whom an expression asks for, directly: OK when all are there.
  absl::Status check_references(std::span<const std::string> keys) const;

 private:
  SegmentPrograms(SegmentList list, const FixedMembers& fixed);
  absl::Status check_circles() const;
  bool found_out(std::size_t at, const PersonSubject& person, TimeMs& changes_at_ms) const;
  bool asks_for(std::size_t at, std::string_view key) const;
  std::size_t place_of(const Segment& segment) const {
    return static_cast<std::size_t>(&segment - list_.all().data());
  }
  void find_asked();
  expressions::EventTypes find_event_types(std::size_t at);

  SegmentList list_;
  absl::flat_hash_map<std::string_view, std::size_t> places_;  // of the list, by key
  const FixedMembers& fixed_;
  std::vector<std::optional<expressions::Program>> programs_;  // none for fixed ones
  std::vector<std::optional<std::size_t>> asked_;  // its number among those that others ask for
  std::vector<expressions::EventTypes> event_types_;
};

}  // namespace vitrine::segments
