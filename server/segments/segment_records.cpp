#include "server/segments/segment_records.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/status.h"
#include "server/events/replacements.h"

namespace vitrine::segments {
absl::StatusOr<std::string> SegmentRecords::export_person(
    const events::DataSubject& subject) const {
  const std::vector<UserNumber> people = subject.everybody();
  boost::json::array keys;
  for (const Segment& segment : store_.current()->list().all()) {
    if (std::ranges::any_of(people,
                            [&](UserNumber user) { return store_.has(segment.key, user); })) {
      keys.emplace_back(segment.key);
    }
  }
  return boost::json::serialize(keys);
}

absl::StatusOr<events::Erased> SegmentRecords::erase_person(const events::DataSubject& subject,
                                                            events::Committer& committer) {
  events::Erased erased;
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    erased.dropped = store_.forget(batch, subject.everybody());
    return absl::OkStatus();
  }));
  return erased;
}

}  // namespace vitrine::segments
