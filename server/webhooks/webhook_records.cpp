#include "server/webhooks/webhook_records.h"

#include <boost/json.hpp>

#include "base/status.h"
#include "server/events/replacements.h"

namespace vitrine::webhooks {
absl::StatusOr<std::string> WebhookRecords::export_person(
    const events::DataSubject& subject) const {
  boost::json::array all;
  for (const Delivery& delivery : deliveries_.of_people(subject.everybody())) {
    all.push_back(boost::json::object{{"type", delivery.type},
                                      {"segment", delivery.segment},
                                      {"time", format_time(delivery.time_ms)}});
  }
  return boost::json::serialize(all);
}

absl::StatusOr<events::Erased> WebhookRecords::erase_person(const events::DataSubject& subject,
                                                            events::Committer& committer) {
  const std::vector<UserNumber> people = subject.everybody();
  events::Erased erased;
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    erased.dropped = deliveries_.forget(batch, people) + told_.forget(batch, people);
    return absl::OkStatus();
  }));
  return erased;
}

}  // namespace vitrine::webhooks
