// The members of all dynamic segments, as of now: written by the one who follows people, read by
// everybody.
//
// Thread-safe: a lock of its own, held for one person's bits or one question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/segments/member_rows.h"
#include "server/segments/membership.h"
#include "server/segments/segment.h"

namespace vitrine::segments {

class LiveMembers {
 public:
  struct Facts {
    std::uint64_t version = 0;  // of the segment whose members these are
    std::size_t size = 0;
    std::size_t bytes = 0;
    TimeMs as_of_ms = 0;
  };

  // Of segments that are not dynamic, or gone, nothing stays.
  void keep_only(const SegmentList& list);
  // In place of the version before.
  void replace(const Segment& segment, Membership members, TimeMs as_of_ms);
  // What was found out about a person and a segment.
  enum class Verdict : std::uint8_t { unasked, out, in };
  // `verdicts` has a place for each segment of the list; those that have no members yet are passed
  // over. `is_somebody`: whether anything is known about the person.
  void set(const SegmentList& list, UserNumber user, std::span<const Verdict> verdicts,
           bool is_somebody);
  // Everybody about whom anything is known, and who is that one.
  void know(const Membership& people);
  bool is_known(UserNumber user) const;
  void are_as_of(TimeMs time_ms);

  std::optional<Facts> facts(std::string_view key) const;
  std::size_t bytes() const;
  std::vector<UserNumber> list(std::string_view key, UserNumber after, std::size_t count_max) const;
  // `fixed` stands for the members of a segment that is not dynamic; may be null.
  std::vector<bool> contain(std::string_view key, const Membership* fixed,
                            std::span<const UserNumber> people) const;
  // `fixed_a` and `fixed_b` stand for the members of segments that are not dynamic; may be null.
  std::size_t size_of_both(std::string_view a, const Membership* fixed_a, std::string_view b,
                           const Membership* fixed_b) const;

 private:
  struct Live {
    std::uint64_t version = 0;
    Membership members;
    std::size_t column = 0;  // of rows_
  };
  void find_places(const SegmentList& list);                                  // likewise
  const Membership& of(std::string_view key, const Membership* fixed) const;  // under the lock

  mutable std::shared_mutex mutex_;  // guards all below
  std::map<std::string, Live, std::less<>> lives_;
  const SegmentList* places_of_ = nullptr;  // whose places are these; null: find them
  std::vector<Live*> places_;
  MemberRows rows_;
  const std::size_t known_ = rows_.add();
  const Membership nobody_;
  TimeMs as_of_ms_ = 0;
};

}  // namespace vitrine::segments
