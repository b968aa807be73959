#include "server/webhooks/webhook_records.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "base/status.h"
#include "server/events/replacements.h"

namespace vitrine::webhooks {
namespace {

std::vector<UserNumber> everybody_in(const events::DataSubject& subject) {
  std::vector<UserNumber> people;
  std::ranges::set_union(subject.people, subject.histories, std::back_inserter(people));
  return people;
}

}  // namespace

absl::StatusOr<std::string> WebhookRecords::export_person(
    const events::DataSubject& subject) const {
  boost::json::array all;
  for (const Delivery& delivery : deliveries_.of_people(everybody_in(subject))) {
    all.push_back(boost::json::object{{"type", delivery.type},
                                      {"segment", delivery.segment},
                                      {"time", format_time(delivery.time_ms)}});
  }
  return boost::json::serialize(all);
}

absl::StatusOr<events::Erased> WebhookRecords::erase_person(const events::DataSubject& subject,
                                                            events::Committer& committer) {
  const std::vector<UserNumber> people = everybody_in(subject);
  events::Erased erased;
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    erased.dropped = deliveries_.forget(batch, people) + told_.forget(batch, people);
    return absl::OkStatus();
  }));
  return erased;
}

}  // namespace vitrine::webhooks
