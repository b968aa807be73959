#include "server/collect/order_book.h"

#include <boost/json.hpp>
#include <string>
#include <tuple>
#include <utility>

#include "base/random.h"
#include "base/status.h"
#include "model/proto/order.pb.h"
#include "server/events/replacements.h"
#include "server/store/key.h"

namespace vitrine::collect {
namespace {

std::string key_of(const store::Database& database, const Event& event) {
  return store::hashed_key(database.secret(), "order", {}, event.order_id);
}

std::uint64_t hash_of(std::string_view text, std::uint64_t state) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return mix64(state);
}

// Lines of a tracked message have its id, '#' and their index; native lines are told by their
// source.
std::uint64_t teller_of(std::string_view source, const Event& event) {
  const std::uint64_t of_source = hash_of(source, 0xCBF29CE484222325U);
  const bool is_tracked = source.starts_with("segment") || source.starts_with("ga4");
  return is_tracked ? hash_of(std::string_view(event.event_id).substr(0, event.event_id.rfind('#')),
                              of_source)
                    : of_source;
}

}  // namespace

struct OrderBook::Known {
  UserNumber user;
  bool is_verified = false;
  std::uint64_t teller = 0;
  TimeMs time_ms = 0;
  bool is_retold = false;

  bool is_better_than(const Known& other) const {
    return std::tie(is_verified, time_ms) > std::tie(other.is_verified, other.time_ms);
  }
  std::string encode() const {
    proto::Order out;
    out.set_user(user.value());
    out.set_is_verified(is_verified);
    out.set_teller(teller);
    out.set_time_ms(time_ms);
    out.set_is_retold(is_retold);
    return out.SerializeAsString();
  }
};

bool OrderBook::is_about_order(const Event& event) {
  return !event.order_id.empty() &&
         (event.type == EventType::purchase || event.type == EventType::refund ||
          event.type == EventType::cancel);
}

absl::Status OrderBook::look_up(const events::Batch& batch, const Event& event) const {
  if (!is_about_order(event)) return absl::OkStatus();
  return batch.get(store::Family::orders, key_of(database_, event)).status();
}

std::optional<OrderBook::Known> OrderBook::find(const events::Batch& batch,
                                                std::string_view key) const {
  const auto bytes = batch.get(store::Family::orders, key);
  return bytes.ok() && *bytes ? decode(**bytes) : std::nullopt;
}

std::optional<OrderBook::Known> OrderBook::decode(std::string_view stored) {
  proto::Order in;
  if (!in.ParseFromArray(stored.data(), static_cast<int>(stored.size()))) return std::nullopt;
  return Known{.user = UserNumber(in.user()),
               .is_verified = in.is_verified(),
               .teller = in.teller(),
               .time_ms = in.time_ms(),
               .is_retold = in.is_retold()};
}

absl::Status OrderBook::for_each_of(
    const events::DataSubject& subject,
    const std::function<absl::Status(std::string_view key, std::string_view stored,
                                     const Known& known)>& visit) const {
  const auto cursor = database_.walk(store::Family::orders, {}, true);
  for (; cursor->valid(); cursor->next()) {
    const std::optional<Known> known = decode(cursor->value());
    if (!known || !subject.did(known->user)) continue;
    VITRINE_RETURN_IF_ERROR(visit(cursor->key(), cursor->value(), *known));
  }
  return cursor->status();
}

absl::StatusOr<std::string> OrderBook::export_person(const events::DataSubject& subject) const {
  boost::json::array orders;
  VITRINE_RETURN_IF_ERROR(for_each_of(subject, [&](auto, auto, const Known& known) {
    orders.push_back({{"time", format_time(known.time_ms)}, {"is_verified", known.is_verified}});
    return absl::OkStatus();
  }));
  return boost::json::serialize(orders);
}

absl::StatusOr<events::Erased> OrderBook::erase_person(const events::DataSubject& subject,
                                                       events::Committer& committer) {
  events::Replacer replacer(committer);
  VITRINE_RETURN_IF_ERROR(for_each_of(subject, [&](auto key, auto stored, const Known& known) {
    Known nobodys = known;
    nobodys.user = k_nobody;
    return replacer.add({.family = store::Family::orders,
                         .key = std::string(key),
                         .before = std::string(stored),
                         .after = nobodys.encode()});
  }));
  VITRINE_ASSIGN_OR_RETURN(const std::size_t kept, replacer.finish());
  return events::Erased{.dropped = 0, .kept_without_person = kept};
}

void OrderBook::place_purchase(events::Batch& batch, identity::IdentityBook& identities,
                               std::string_view key, const Known& mine, Event& event) const {
  const std::optional<Known> known = find(batch, key);
  Known next = mine;
  if (known && known->teller == mine.teller) {
    event.telling = known->is_retold ? OrderTelling::again : OrderTelling::first;
    if (mine.time_ms <= known->time_ms) return;
    next = *known;
    next.time_ms = mine.time_ms;
  } else if (known && !mine.is_better_than(*known)) {
    event.telling = OrderTelling::superseded;
    return;
  } else if (known) {
    event.telling = OrderTelling::again;
    next.is_retold = true;
    const UserNumber holder = identities.home_of(batch, known->user);
    batch.append({.user = holder,
                  .visitor = k_nobody,
                  .source = {},
                  .what = OrderTakeover{.order_id = event.order_id}});
  }
  batch.put(store::Family::orders, key, next.encode());
}

void OrderBook::place(events::Batch& batch, identity::IdentityBook& identities,
                      std::string_view source, identity::Who& who, Event& event) const {
  if (!is_about_order(event)) return;
  const std::string key = key_of(database_, event);
  if (event.type == EventType::purchase) {
    place_purchase(batch, identities, key,
                   {.user = who.user,
                    .is_verified = !event.is_unverified,
                    .teller = teller_of(source, event),
                    .time_ms = event.time_ms},
                   event);
    return;
  }
  // A page may take back what its visitor bought, and nobody else's.
  if (event.is_unverified) return;
  const std::optional<Known> known = find(batch, key);
  if (!known) return;
  const UserNumber holder = identities.home_of(batch, known->user);
  if (holder != k_nobody) who.user = holder;
}

}  // namespace vitrine::collect
