// What the store gives back, should it ever be damaged: the first byte says which record. What can
// be read is written and read again.
#include <google/protobuf/stubs/logging.h>

#include "model/log_entry.h"
#include "server/catalog/catalog.h"
#include "server/coupons/grant_job.h"
#include "server/coupons/ledger.h"
#include "server/coupons/records.h"
#include "server/decisions/decision.h"
#include "server/identity/person_record.h"
#include "server/privacy/erasure_record.h"
#include "server/profiles/daily_deeds.h"
#include "server/profiles/profile.h"
#include "server/profiles/session_record.h"
#include "server/segments/membership.h"
#include "server/segments/segment_store.h"
#include "server/store/key.h"
#include "server/webhooks/delivery.h"
#include "server/webhooks/webhook.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

enum Record : unsigned {
  k_profile,
  k_session,
  k_log_entry,
  k_product,
  k_decision,
  k_deeds,
  k_grant,
  k_order,
  k_movement,
  k_segment,
  k_members,
  k_webhook,
  k_delivery,
  k_person,
  k_erasure,
  k_job,
  k_records,
};

template <class Decode>
void check_twin(std::string_view bytes, const Decode& decode) {
  using catalog::encode;
  const auto value = decode(bytes);
  if (!value.ok()) return;
  const std::string first = encode(*value);
  const auto again = decode(first);
  CHECK(again.ok() && encode(*again) == first, "a record is read as it is written");
}

void take_session(std::string_view bytes) {
  catalog::ProductNumbers numbers;
  const auto session = profiles::decode_session(bytes, numbers);
  if (!session) return;
  CHECK(!session->clicks->empty(), "a session has clicks");
  const std::string first = profiles::encode(*session, numbers);
  const auto again = profiles::decode_session(first, numbers);
  CHECK(again && profiles::encode(*again, numbers) == first, "a session is read as it is written");
}

void take_deeds(std::string_view bytes) {
  const std::size_t half = std::min<std::size_t>(bytes.size(), 16);
  profiles::DailyDeeds deeds({.days_max = 8, .deeds_max = 1000});
  deeds.load(bytes.substr(0, half), bytes.substr(half));
  deeds.take_changes(1);
}

void take_members(std::string_view bytes) {
  const auto members = segments::Membership::decode(bytes);
  if (!members) return;
  const auto again = segments::Membership::decode(members->encode());
  CHECK(again && *again == *members, "members are read as they are written");
  const std::size_t unlisted = members->contains(k_nobody) ? 1 : 0;
  CHECK(members->list(k_nobody, members->size()).size() + unlisted == members->size(),
        "each is listed");
}

// A decoder of what lies under a key, for one such key.
template <class Decode, class Key>
auto under(Decode decode, const Key& key) {
  return [decode, key](std::string_view bytes) { return decode(key, bytes); };
}

void take(std::string_view bytes) {
  switch (fuzz::take_choice(bytes) % k_records) {
    case k_profile:
      return check_twin(bytes, profiles::decode_profile);
    case k_session:
      return take_session(bytes);
    case k_log_entry:
      return check_twin(bytes, under(decode_log_entry, Position{7}));
    case k_product:
      return check_twin(bytes, catalog::decode_product);
    case k_decision:
      return check_twin(bytes, under(decisions::decode_decision, "01J00000000000000000000000"));
    case k_deeds:
      return take_deeds(bytes);
    case k_grant:
      return check_twin(bytes, coupons::decode_grant);
    case k_order:
      return check_twin(bytes, coupons::decode_order);
    case k_movement:
      return check_twin(bytes, under(coupons::decode_movement, store::key_of(std::uint64_t{7})));
    case k_segment:
      return check_twin(bytes, under(segments::decode_segment, "vips"));
    case k_members:
      return take_members(bytes);
    case k_webhook:
      return check_twin(bytes, under(webhooks::decode_webhook, "crm"));
    case k_delivery:
      return check_twin(bytes, under(webhooks::decode_delivery, std::uint64_t{7}));
    case k_person:
      return check_twin(bytes, under(identity::decode_person, UserNumber(7)));
    case k_job:
      return check_twin(bytes, coupons::decode_grant_job);
    default:
      return check_twin(bytes, under(privacy::decode_erasure, "01J00000000000000000000000"));
  }
}

// What cannot be read is what this is about: a line about each would hide what is found.
const bool is_quiet = [] {
  google::protobuf::SetLogHandler(nullptr);
  return true;
}();

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::take(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
