// The log as a keeper of personal data: what people did, and what their events carried along.
//
// Behaviour goes: in its place stands an entry that names nobody, so that positions stay dense.
// Orders stay for as long as the law asks for them, without the person, the session and whatever
// else was sent with them. Events of other people lose what they say of this one. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/events/event_log.h"
#include "server/events/personal_data.h"
#include "server/store/database.h"

namespace vitrine::events {

class LogRecords final : public PersonalData {
 public:
  // The fixed hash by which readers know a session; see session_key_of() in server/profiles.
  using SessionKey = std::uint64_t (*)(std::string_view session_id);

  // `database` outlives it.
  LogRecords(const store::Database& database, SessionKey session_key)
      : database_(database), session_key_(session_key) {}

  std::string_view name() const override { return "log"; }
  std::vector<store::Family> families() const override {
    return {store::Family::log, store::Family::dedupe};
  }
  // [{"position", "time", "type", ...}]. Walks the whole log.
  absl::StatusOr<std::string> export_person(const DataSubject& subject) const override;
  absl::StatusOr<Erased> erase_person(const DataSubject& subject, Committer& committer) override;

 private:
  const store::Database& database_;
  const SessionKey session_key_;
};

}  // namespace vitrine::events
