#include "server/privacy/consents.h"

#include <boost/json.hpp>
#include <utility>

#include "base/status.h"
#include "server/events/replacements.h"
#include "server/store/key.h"

namespace vitrine::privacy {
namespace {

using store::Family;
namespace json = boost::json;

std::string key_of(UserNumber user) { return "consent/" + store::key_of(user.value()); }

json::object json_of(const Consent& consent) {
  return {{"purpose", consent.purpose},
          {"granted", consent.is_granted},
          {"time", format_time(consent.time_ms)},
          {"source", consent.source},
          {"text_version", consent.text_version}};
}

// As it is stored: an array for each, so that names are not kept a thousand times.
json::array record_of(const Consent& consent) {
  return {consent.purpose, consent.is_granted, consent.time_ms, consent.source,
          consent.text_version};
}

absl::StatusOr<std::vector<Consent>> decode(std::string_view bytes) {
  std::vector<Consent> consents;
  try {
    const json::value stored = json::parse(bytes);
    for (const json::value& entry : stored.as_array()) {
      const json::array& fields = entry.as_array();
      consents.push_back({.purpose = std::string(fields.at(0).as_string()),
                          .is_granted = fields.at(1).as_bool(),
                          .time_ms = fields.at(2).to_number<TimeMs>(),
                          .source = std::string(fields.at(3).as_string()),
                          .text_version = std::string(fields.at(4).as_string())});
    }
  } catch (const std::exception& fault) {
    return data_loss("a record of consents cannot be read: {}", fault.what());
  }
  return consents;
}

std::string encode(const std::vector<Consent>& consents) {
  json::array out;
  for (const Consent& consent : consents) out.push_back(record_of(consent));
  return json::serialize(out);
}

}  // namespace

absl::Status Consents::add(events::Batch& batch, UserNumber user, const Consent& consent) {
  const std::string key = key_of(user);
  VITRINE_ASSIGN_OR_RETURN(const auto stored, batch.get(Family::meta, key));
  std::vector<Consent> consents;
  if (stored) {
    VITRINE_ASSIGN_OR_RETURN(consents, decode(*stored));
  }
  if (consents.size() >= k_entries_max) consents.erase(consents.begin());
  consents.push_back(consent);
  batch.put(Family::meta, key, encode(consents));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Consent>> Consents::of(UserNumber user) const {
  VITRINE_ASSIGN_OR_RETURN(const auto stored, database_.get(Family::meta, key_of(user)));
  if (!stored) return std::vector<Consent>();
  return decode(*stored);
}

absl::StatusOr<std::string> Consents::export_person(const events::DataSubject& subject) const {
  json::array out;
  for (const UserNumber user : subject.everybody()) {
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Consent> consents, of(user));
    for (const Consent& consent : consents) out.push_back(json_of(consent));
  }
  return json::serialize(out);
}

absl::StatusOr<events::Erased> Consents::erase_person(const events::DataSubject& subject,
                                                      events::Committer& committer) {
  events::Erased erased;
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    erased = {};
    for (const UserNumber user : subject.everybody()) {
      const std::string key = key_of(user);
      VITRINE_ASSIGN_OR_RETURN(const auto stored, batch.get(Family::meta, key));
      if (!stored) continue;
      VITRINE_ASSIGN_OR_RETURN(const std::vector<Consent> consents, decode(*stored));
      erased.dropped += consents.size();
      batch.erase(Family::meta, key);
    }
    return absl::OkStatus();
  }));
  return erased;
}

}  // namespace vitrine::privacy
