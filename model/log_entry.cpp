#include "model/log_entry.h"

#include <absl/utility/utility.h>
#include <google/protobuf/arena.h>

#include <algorithm>
#include <array>
#include <cstddef>

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

// `value`, moved out of the message; of a field that is empty none is made to be moved.
template <typename Message>
std::string taken(const std::string& value, Message& in, std::string* (Message::*mutable_value)()) {
  return value.empty() ? std::string() : std::move(*(in.*mutable_value)());
}

void move_into(proto::Event& in, Event& event) {
  event.event_id = taken(in.event_id(), in, &proto::Event::mutable_event_id);
  event.type = static_cast<EventType>(in.type());
  event.time_ms = in.time_ms();
  event.received_ms = in.received_ms();
  event.session_id = taken(in.session_id(), in, &proto::Event::mutable_session_id);
  event.order_id = taken(in.order_id(), in, &proto::Event::mutable_order_id);
  event.product_id = taken(in.product_id(), in, &proto::Event::mutable_product_id);
  event.category = taken(in.category(), in, &proto::Event::mutable_category);
  event.quantity = in.quantity();
  if (in.has_price_minor()) event.price = Money{in.price_minor()};
  event.currency = taken(in.currency(), in, &proto::Event::mutable_currency);
  event.coupon_code = taken(in.coupon_code(), in, &proto::Event::mutable_coupon_code);
  event.recommendation_id =
      taken(in.recommendation_id(), in, &proto::Event::mutable_recommendation_id);
  event.channel = taken(in.channel(), in, &proto::Event::mutable_channel);
  event.market = taken(in.market(), in, &proto::Event::mutable_market);
  event.query = taken(in.query(), in, &proto::Event::mutable_query);
  event.properties_json = taken(in.properties_json(), in, &proto::Event::mutable_properties_json);
  event.time_clamped = in.time_clamped();
  event.is_unverified = in.is_unverified();
  event.is_bot = in.is_bot();
  event.telling = static_cast<OrderTelling>(std::min(in.telling(), 2U));
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
  // Most entries are parsed into this much of the stack, their texts of up to 15 bytes with them.
  constexpr std::size_t k_first_block_bytes = 2048;
  alignas(std::max_align_t) std::array<char, k_first_block_bytes> first_block;
  google::protobuf::Arena arena(first_block.data(), first_block.size());
  auto& in = *google::protobuf::Arena::CreateMessage<proto::LogEntry>(&arena);
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      in.what_case() == proto::LogEntry::WHAT_NOT_SET ||
      (in.has_event() && (in.event().type() == 0 || in.event().type() >= k_event_type_count))) {
    return data_loss("the log entry at position {} cannot be read ({} bytes)", position,
                     bytes.size());
  }
  // Made where the caller has it: an entry is half a kilobyte of texts, and a log has millions.
  absl::StatusOr<LogEntry> decoded{absl::in_place_t()};
  LogEntry& entry = *decoded;
  entry.position = position;
  entry.user = UserNumber(in.user());
  entry.visitor = UserNumber(in.visitor());
  entry.committed_ms = in.committed_ms();
  if (in.has_event()) {
    proto::Event& event = *in.mutable_event();
    entry.source = taken(event.source(), event, &proto::Event::mutable_source);
    move_into(event, entry.what.emplace<Event>());
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
  return decoded;
}

}  // namespace vitrine
