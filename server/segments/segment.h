// A named set of people: what it is called and who is meant, not who that is at the moment.
//
// Thread-safe (values).
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace vitrine::segments {

struct Segment {
  static constexpr std::size_t k_key_bytes_max = 64;
  static constexpr std::size_t k_text_bytes_max = 1000;

  enum class Kind : std::uint8_t {
    dynamic,   // whoever the expression holds for, at any time
    snapshot,  // whoever it held for when the version was made
    fixed      // whoever was put in: "static" for people
  };

  std::string key = {};  // a-z, 0-9, - and _
  std::string name = {};
  std::string description = {};
  Kind kind = Kind::dynamic;
  std::string expression = {};     // as it was written; empty for a fixed one
  bool includes_visitors = false;  // people without a user id
  std::uint64_t version = 0;       // given when it is stored
  TimeMs changed_ms = 0;

  bool follows_people() const { return kind == Kind::dynamic; }
};

std::string_view name_of(Segment::Kind kind);  // dynamic, snapshot, static

// Whether it can be one, by itself: InvalidArgument names the field.
absl::Status validate(const Segment& segment);

class SegmentList {
 public:
  static constexpr std::size_t k_segments_max = 1000;

  const Segment* find(std::string_view key) const;               // null: there is none
  const std::vector<Segment>& all() const { return segments_; }  // by key
  SegmentList with(Segment segment) const;  // in the place of the one of its key
  SegmentList without(std::string_view key) const;

 private:
  std::vector<Segment> segments_;
};

}  // namespace vitrine::segments
