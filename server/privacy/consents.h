// What people agreed to and refused, purpose by purpose: who, when, to what, in which words and
// where they said so. Entries never change, and go when their person is erased.
//
// Thread-safe; changes are staged in the committer's batches.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::privacy {

struct Consent {
  std::string purpose;
  bool is_granted = false;
  TimeMs time_ms = 0;
  std::string source;        // where it was said: "checkout"
  std::string text_version;  // of the words it was said to; may be empty
  friend bool operator==(const Consent&, const Consent&) = default;
};

class Consents final : public events::PersonalData {
 public:
  static constexpr std::string_view k_personalization = "personalization";  // what answers obey
  static constexpr std::array<std::string_view, 5> k_purposes = {
      "analytics", "cross_border", "marketing", k_personalization, "sharing"};
  static constexpr std::size_t k_entries_max = 200;  // of a person: the newest

  // `database` outlives it.
  explicit Consents(const store::Database& database) : database_(database) {}

  static absl::Status add(events::Batch& batch, UserNumber user, const Consent& consent);
  // In the order in which they were said.
  absl::StatusOr<std::vector<Consent>> of(UserNumber user) const;

  std::string_view name() const override { return "consents"; }
  std::vector<store::Family> families() const override { return {}; }  // its keys in meta only
  // [{"purpose", "granted", "time", "source", "text_version"}].
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  const store::Database& database_;
};

}  // namespace vitrine::privacy
