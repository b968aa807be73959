// Webhooks as keepers of personal data: what waits to be told of somebody, and what was told.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/events/personal_data.h"
#include "server/webhooks/delivery_book.h"
#include "server/webhooks/told_members.h"

namespace vitrine::webhooks {

class WebhookRecords final : public events::PersonalData {
 public:
  // Both outlive it.
  WebhookRecords(DeliveryBook& deliveries, ToldMembers& told)
      : deliveries_(deliveries), told_(told) {}

  std::string_view name() const override { return "webhooks"; }
  std::vector<store::Family> families() const override { return {store::Family::webhooks}; }
  // [{type, segment, time}, ...] of what waits or was given up.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  DeliveryBook& deliveries_;
  ToldMembers& told_;
};

}  // namespace vitrine::webhooks
