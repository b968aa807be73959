// Bodies of the tracking API of Segment and RudderStack, and of GA4: the first byte says which
// route they came by.
#include "server/collect/tracking.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

using collect::MessageKind;

constexpr TimeMs k_now_ms = 1'790'000'000'000;
constexpr MessageKind k_kinds[] = {MessageKind::track,  MessageKind::identify, MessageKind::page,
                                   MessageKind::screen, MessageKind::group,    MessageKind::alias};
constexpr unsigned k_batch = 6;
constexpr unsigned k_ga4 = 7;
constexpr unsigned k_import = 8;  // a bit

void check(absl::StatusOr<collect::TrackedBatch> batch, const collect::TrackingOptions& options,
           bool is_import) {
  if (!batch.ok()) return;
  CHECK(batch->message_of.size() == batch->events.size(), "every event has its message");
  CHECK(batch->events.size() <= options.events_max, "a call makes no more events than it may");
  const EventLimits limits;
  for (std::size_t i = 0; i < batch->events.size(); ++i) {
    CHECK(batch->message_of[i] < batch->messages, "a message is one of the body's");
    if (batch->events[i].refusal) continue;
    if (validate(batch->events[i].event, limits, k_now_ms, is_import)) continue;
    CHECK(is_valid_utf8(batch->events[i].event.properties_json),
          "what is taken can be written as JSON");
  }
}

void take_body(std::string_view input) {
  const unsigned choice = fuzz::take_choice(input);
  auto body = collect::TrackingBody::parse(std::string(input));
  if (!body.ok()) return;
  (*body)->write_key();
  const collect::TrackingArrival arrival{
      .received_ms = k_now_ms,
      .is_import = (choice & k_import) != 0,
      .knows_product = [](std::string_view id) { return id.size() % 2 == 0; }};
  const collect::TrackingOptions options{.currency = "EUR", .products_max = 20, .events_max = 50};
  const unsigned route = choice % 8;
  if (route == k_ga4)
    return check((*body)->ga4_events(arrival, options), options, arrival.is_import);
  std::optional<MessageKind> kind;
  if (route != k_batch) kind = k_kinds[route];
  check((*body)->events(kind, arrival, options), options, arrival.is_import);
}

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::take_body(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
