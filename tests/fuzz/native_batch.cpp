// The body of POST /v1/events, checked as the collector does it.
#include "server/collect/collector.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

constexpr TimeMs k_now_ms = 1'790'000'000'000;

void take_batch(std::string_view body) {
  auto batch = collect::parse_native_batch(body, k_now_ms);
  if (!batch.ok()) return;
  const EventLimits limits;
  for (collect::IncomingEvent& incoming : *batch) {
    CHECK(body.find(incoming.raw) != std::string_view::npos, "quarantine keeps what was sent");
    if (incoming.refusal) {
      CHECK(!incoming.refusal->code.empty(), "a refusal has a reason");
      continue;
    }
    Event& event = incoming.event;
    if (validate(event, limits, k_now_ms, false)) continue;
    CHECK(is_valid_utf8(event.user_id) && is_valid_utf8(event.properties_json),
          "what is taken can be written as JSON");
    CHECK(event.time_ms >= k_now_ms - limits.past_ms_max &&
              event.time_ms <= k_now_ms + limits.future_ms_max,
          "live times are within bounds");
  }
}

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::take_batch(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
