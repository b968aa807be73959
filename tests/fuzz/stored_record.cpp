// What the store gives back, should it ever be damaged: the first byte says which record. What can
// be read is written and read again.
#include <google/protobuf/stubs/logging.h>

#include "model/log_entry.h"
#include "server/catalog/catalog.h"
#include "server/decisions/decision.h"
#include "server/profiles/daily_deeds.h"
#include "server/profiles/profile.h"
#include "server/profiles/session_record.h"
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

void take(std::string_view bytes) {
  switch (fuzz::take_choice(bytes) % k_records) {
    case k_profile:
      return check_twin(bytes, profiles::decode_profile);
    case k_session:
      return take_session(bytes);
    case k_log_entry: {
      const auto decode = [](std::string_view entry) { return decode_log_entry(7, entry); };
      return check_twin(bytes, decode);
    }
    case k_product:
      return check_twin(bytes, catalog::decode_product);
    case k_decision: {
      const auto decode = [](std::string_view decision) {
        return decisions::decode_decision("01J00000000000000000000000", decision);
      };
      return check_twin(bytes, decode);
    }
    default:
      return take_deeds(bytes);
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
