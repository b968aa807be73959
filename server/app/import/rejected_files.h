// The side files of imports as a keeper of personal data: lines that were not taken, as they came.
//
// Thread-safe, beside imports that write other files.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/events/personal_data.h"

namespace vitrine::app {

class RejectedFiles final : public events::PersonalData {
 public:
  explicit RejectedFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::string_view name() const override { return "rejected_imports"; }
  std::vector<store::Family> families() const override { return {}; }
  // [{"file", "line"}] of the lines that name one of the person's ids.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  absl::StatusOr<std::vector<std::filesystem::path>> files() const;
  const std::filesystem::path folder_;
};

}  // namespace vitrine::app
