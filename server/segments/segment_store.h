// The segments of a data folder: who is meant, and the members that were put in by hand.
//
// A change is durable, and in what current() gives, before it is acknowledged. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/published.h"
#include "server/events/committer.h"
#include "server/segments/membership.h"
#include "server/segments/segment.h"
#include "server/segments/segment_programs.h"
#include "server/store/database.h"

namespace vitrine::segments {

class SegmentStore final : public FixedMembers {
 public:
  // Loads all segments. DataLoss when one cannot be read.
  static absl::StatusOr<std::unique_ptr<SegmentStore>> open(const store::Database& database);

  std::shared_ptr<const SegmentPrograms> current() const { return programs_.current(); }
  bool has(std::string_view key, UserNumber user) const override;
  // Of a snapshot or a static one; null for others.
  std::shared_ptr<const Membership> members(std::string_view key) const;

  // Told of every change on the committer thread, before it is acknowledged, with the people whose
  // membership was changed by hand. To be set before the first change.
  using Listener = std::function<void(const std::vector<UserNumber>&)>;
  void on_change(Listener listener) { listener_ = std::move(listener); }

  // Who else asks for a segment, in words: "placement home (filter)". Asked on the committer
  // thread; to be added before the first change.
  using OtherUsers = std::function<std::vector<std::string>(std::string_view key)>;
  void add_users(OtherUsers users) { other_users_.push_back(std::move(users)); }

  // The version a change was made from; a conflict when it is another one by now. 0: there is none.
  using Expected = std::optional<std::uint64_t>;
  struct Put {
    Segment segment;
    bool is_new = false;
  };
  // `done` is called once, on the committer thread, unless the call itself fails (queue full). The
  // version is decided here. `members` are those of a snapshot. What does not fit the other
  // segments is refused. Precondition: the segment passes validate().
  absl::Status put(events::Committer& committer, Segment segment, Expected expected,
                   std::optional<Membership> members,
                   std::function<void(absl::StatusOr<Put>)> done);
  // FailedPrecondition while another segment, or anybody else, asks for it.
  absl::Status remove(events::Committer& committer, std::string key, Expected expected,
                      std::function<void(absl::Status)> done);
  // Into and out of a static segment; `done` is given how many changed.
  struct Change {
    std::vector<UserNumber> added;
    std::vector<UserNumber> removed;
  };
  absl::Status change(events::Committer& committer, std::string key, Change change,
                      std::function<void(absl::StatusOr<std::size_t>)> done);

  // Takes people out of every static segment and snapshot, within a batch: no version changes. How
  // many memberships there were.
  std::size_t forget(events::Batch& batch, const std::vector<UserNumber>& people);

  // What a change would be: the other segments with this one, or why not.
  absl::Status check(const Segment& segment) const;

 private:
  using Members = std::map<std::string, std::shared_ptr<const Membership>, std::less<>>;
  struct Staged;

  SegmentStore(const SegmentList& list, Members members);
  absl::Status check_unused(const SegmentList& list, std::string_view key) const;
  Staged& staged_in(events::Batch& batch);
  absl::Status stage_put(events::Batch& batch, Put& put, Expected expected,
                         const std::optional<Membership>& members);

  Published<Members> members_;
  Published<SegmentPrograms> programs_;
  Listener listener_;
  std::vector<OtherUsers> other_users_;
};

// Whether a change made from version `expected` fits `current`, which may be null.
absl::Status check_version(SegmentStore::Expected expected, const Segment* current);

// The stored form, which is JSON.
std::string encode(const Segment& segment);
absl::StatusOr<Segment> decode_segment(std::string_view key, std::string_view bytes);  // DataLoss

}  // namespace vitrine::segments
