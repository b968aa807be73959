#include "model/log_entry.h"

#include <algorithm>

#include "base/status.h"
#include "model/proto/log_entry.pb.h"

namespace vitrine {
namespace {

void fill(const Event& event, const std::string& source, proto::Event& out) {
  out.set_event_id(event.event_id);
  out.set_type(static_cast<std::uint32_t>(event.type));
  out.set_time_ms(event.time_ms);
  out.set_received_ms(event.received_ms);
  out.set_session_id(event.session_id);
  out.set_order_id(event.order_id);
  out.set_product_id(event.product_id);
  out.set_category(event.category);
  out.set_quantity(event.quantity);
  if (event.price) out.set_price_minor(event.price->minor);
  out.set_currency(event.currency);
  out.set_coupon_code(event.coupon_code);
  out.set_recommendation_id(event.recommendation_id);
  out.set_channel(event.channel);
  out.set_market(event.market);
  out.set_query(event.query);
  out.set_properties_json(event.properties_json);
  out.set_time_clamped(event.time_clamped);
  out.set_source(source);
  out.set_is_unverified(event.is_unverified);
  out.set_is_bot(event.is_bot);
  out.set_telling(static_cast<std::uint32_t>(event.telling));
}

Event event_from(proto::Event& in) {
  Event event;
  event.event_id = std::move(*in.mutable_event_id());
  event.type = static_cast<EventType>(in.type());
  event.time_ms = in.time_ms();
  event.received_ms = in.received_ms();
  event.session_id = std::move(*in.mutable_session_id());
  event.order_id = std::move(*in.mutable_order_id());
  event.product_id = std::move(*in.mutable_product_id());
  event.category = std::move(*in.mutable_category());
  event.quantity = in.quantity();
  if (in.has_price_minor()) event.price = Money{in.price_minor()};
  event.currency = std::move(*in.mutable_currency());
  event.coupon_code = std::move(*in.mutable_coupon_code());
  event.recommendation_id = std::move(*in.mutable_recommendation_id());
  event.channel = std::move(*in.mutable_channel());
  event.market = std::move(*in.mutable_market());
  event.query = std::move(*in.mutable_query());
  event.properties_json = std::move(*in.mutable_properties_json());
  event.time_clamped = in.time_clamped();
  event.is_unverified = in.is_unverified();
  event.is_bot = in.is_bot();
  event.telling = static_cast<OrderTelling>(std::min(in.telling(), 2U));
  return event;
}

}  // namespace

std::string encode(const LogEntry& entry) {
  proto::LogEntry out;
  out.set_user(entry.user.value());
  out.set_visitor(entry.visitor.value());
  out.set_committed_ms(entry.committed_ms);
  if (const Event* event = entry.event()) {
    fill(*event, entry.source, *out.mutable_event());
  } else if (const VisitorLink* link = entry.link()) {
    out.mutable_link()->set_visitor(link->visitor.value());
    out.mutable_link()->set_from_user(link->from_user.value());
    out.mutable_link()->set_to_user(link->to_user.value());
  } else if (const OrderTakeover* takeover = entry.takeover()) {
    out.mutable_takeover()->set_order_id(takeover->order_id);
  } else if (const BotFlag* flag = entry.bot_flag()) {
    out.mutable_bot_flag()->set_since_ms(flag->since_ms);
    out.mutable_bot_flag()->set_until_ms(flag->until_ms);
  } else {
    proto::Erasure& erasure = *out.mutable_erasure();
    for (const UserNumber person : entry.erasure()->people) erasure.add_people(person.value());
    for (const std::uint64_t session : entry.erasure()->sessions) erasure.add_sessions(session);
  }
  return out.SerializeAsString();
}

absl::StatusOr<LogEntry> decode_log_entry(Position position, std::string_view bytes) {
  proto::LogEntry in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      in.what_case() == proto::LogEntry::WHAT_NOT_SET ||
      (in.has_event() && (in.event().type() == 0 || in.event().type() >= k_event_type_count))) {
    return data_loss("the log entry at position {} cannot be read ({} bytes)", position,
                     bytes.size());
  }
  LogEntry entry;
  entry.position = position;
  entry.user = UserNumber(in.user());
  entry.visitor = UserNumber(in.visitor());
  entry.committed_ms = in.committed_ms();
  if (in.has_event()) {
    entry.source = std::move(*in.mutable_event()->mutable_source());
    entry.what = event_from(*in.mutable_event());
  } else if (in.has_takeover()) {
    entry.what = OrderTakeover{std::move(*in.mutable_takeover()->mutable_order_id())};
  } else if (in.has_bot_flag()) {
    entry.what =
        BotFlag{.since_ms = in.bot_flag().since_ms(), .until_ms = in.bot_flag().until_ms()};
  } else if (in.has_erasure()) {
    Erasure erasure;
    for (const std::uint32_t person : in.erasure().people()) {
      erasure.people.emplace_back(person);
    }
    erasure.sessions.assign(in.erasure().sessions().begin(), in.erasure().sessions().end());
    entry.what = std::move(erasure);
  } else {
    entry.what = VisitorLink{UserNumber(in.link().visitor()), UserNumber(in.link().from_user()),
                             UserNumber(in.link().to_user())};
  }
  return entry;
}

}  // namespace vitrine
