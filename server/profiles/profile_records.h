// Profiles as a keeper of personal data: what a person did lately, bought ever, and is said to be.
//
// Erasing appends an Erasure to the log, which everything in memory that follows it obeys:
// profiles, running sessions, clicks that a purchase would be owed to. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/catalog/product_numbers.h"
#include "server/events/personal_data.h"
#include "server/profiles/profile_book.h"

namespace vitrine::profiles {

class ProfileRecords final : public events::PersonalData {
 public:
  // Both outlive it.
  ProfileRecords(const ProfileBook& book, const catalog::ProductNumbers& numbers)
      : book_(book), numbers_(numbers) {}

  std::string_view name() const override { return "profiles"; }
  std::vector<store::Family> families() const override { return {store::Family::checkpoints}; }
  // [{"traits", "recent", "seen", "bought", ...}], one for each number that has a profile.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  const ProfileBook& book_;
  const catalog::ProductNumbers& numbers_;
};

}  // namespace vitrine::profiles
