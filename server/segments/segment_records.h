// Segments as a keeper of personal data: whom somebody put into one by hand, or into a snapshot.
//
// Dynamic memberships keep nothing: they follow the profiles. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/events/personal_data.h"
#include "server/segments/segment_store.h"

namespace vitrine::segments {

class SegmentRecords final : public events::PersonalData {
 public:
  explicit SegmentRecords(SegmentStore& store) : store_(store) {}  // outlives it

  std::string_view name() const override { return "segments"; }
  std::vector<store::Family> families() const override { return {store::Family::segments}; }
  // [key, ...] of the segments that list the person.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  SegmentStore& store_;
};

}  // namespace vitrine::segments
