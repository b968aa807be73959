// What is kept of one person: what they did lately and bought ever. A value, and its stored form.
//
// Whatever order events arrive in, the same events make the same profile. Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/event.h"
#include "model/ids.h"

namespace vitrine::profiles {

// The session_key of a session id: a fixed hash, never 0; 0 for an empty id.
std::uint64_t session_key_of(std::string_view session_id);

// Tells the few visitors of one person apart, in 24 bits; 0 for nobody.
std::uint32_t visitor_tag_of(UserNumber visitor);
inline constexpr std::uint32_t k_visitor_tags = 0xFFFFFF;

struct ProfileEvent {
  TimeMs time_ms = 0;
  std::uint64_t event_key = 0;    // fixed hash of source and event id: breaks ties of time
  std::uint64_t session_key = 0;  // fixed hash of the session id, 0 when it had none
  ProductNumber product;
  std::uint32_t visitor_tag : 24 = 0;  // visitor_tag_of() of the visitor it came from
  EventType type = EventType::view;
  friend bool operator==(const ProfileEvent&, const ProfileEvent&) = default;
};

// A product that was in front of the person's eyes: an impression.
struct Seen {
  TimeMs time_ms = 0;
  ProductNumber product;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Bought {
  // In which the weight of an order halves in `recent` and `lately`.
  static constexpr float k_recent_days = 60;
  static constexpr float k_lately_days = 14;

  ProductNumber product;
  std::uint32_t purchases = 0;  // order lines, not pieces
  std::uint32_t refunds = 0;    // of those, how many were taken back as a whole
  std::uint32_t orders = 0;     // with the product, not taken back; a line without one is one
  float recent = 0;             // the same orders with time counting, as of `last_ms`
  float lately = 0;             // likewise
  TimeMs last_ms = 0;           // the latest purchase

  bool is_kept() const { return purchases > refunds; }
  friend bool operator==(const Bought&, const Bought&) = default;
};

// What was paid, in minor units of a currency (currency_code_of; 0: it was not told).
struct Paid {
  static constexpr std::int64_t k_minor_max = 1'000'000'000'000'000;  // more counts as this
  std::int64_t minor = 0;
  std::uint32_t currency = 0;
  friend bool operator==(const Paid&, const Paid&) = default;
};

// Three letters in a number: ascending as the letters are.
std::uint32_t currency_code_of(std::string_view currency);  // 0 for what is none
std::string currency_of(std::uint32_t code);                // "" for 0

// Both together; of two currencies the one of the larger code stays.
Paid together(Paid a, Paid b);

// How often the person did something within a minute.
struct DeedsOfMinute {
  std::uint32_t minute = 0;  // since 1970
  EventType type = EventType::view;
  std::uint32_t count = 0;
  friend bool operator==(const DeedsOfMinute&, const DeedsOfMinute&) = default;
};

// One product of one order, or what was bought or came back without naming an order.
struct PurchaseLine {
  ProductNumber product;
  std::uint64_t order_key = 0;  // fixed hash of the order id; 0: none
  std::uint32_t purchases = 0;  // 0: a refund or a cancel whose purchase is not known
  std::uint64_t pieces = 0;
  std::uint64_t returned = 0;  // pieces
  bool is_cancelled = false;
  TimeMs last_ms = 0;
  Paid paid = {};  // for all pieces, those that came back too
  friend bool operator==(const PurchaseLine&, const PurchaseLine&) = default;
};

// What the shop says of a person. The latest word counts, by time and then by event.
struct Trait {
  static constexpr std::size_t k_name_bytes_max = 100;
  static constexpr std::size_t k_value_bytes_max = 512;
  std::string name;
  std::string value;  // JSON; "null" when it was taken back
  TimeMs time_ms = 0;
  std::uint64_t event_key = 0;
  friend bool operator==(const Trait&, const Trait&) = default;
};

// How often the person came by a channel ("web", "app"), as the events say.
struct ChannelUse {
  static constexpr std::size_t k_name_bytes_max = 64;  // longer ones are not kept
  std::string name;
  std::uint32_t events = 0;
  TimeMs last_ms = 0;
  friend bool operator==(const ChannelUse&, const ChannelUse&) = default;
};

struct Profile {
  static constexpr std::size_t k_recent_max = 100;
  static constexpr std::size_t k_traits_max = 64;  // those that were named last
  std::vector<ProfileEvent> recent;  // newest first; events that name a product, impressions not
  static constexpr std::size_t k_seen_max = 120;
  std::vector<Seen> seen;      // newest first
  std::vector<Bought> bought;  // by product number; what `lines` come to
  std::uint32_t events = 0;
  std::uint32_t orders = 0;  // distinct order ids among purchases
  TimeMs first_seen_ms = 0;
  TimeMs last_seen_ms = 0;
  std::vector<std::uint64_t> order_keys;        // sorted fixed hashes of those order ids
  std::vector<PurchaseLine> lines;              // by product number, then order key
  std::vector<std::uint64_t> cancelled_orders;  // sorted; orders taken back as a whole
  std::vector<Trait> traits;                    // by name
  static constexpr std::size_t k_minutes_per_type_max = 256;  // the newest
  std::vector<DeedsOfMinute> deeds;  // by type, then minute; purchases are in `lines`
  static constexpr std::size_t k_channels_max = 8;  // the first by name, whatever came when
  std::vector<ChannelUse> channels;                 // by name
  friend bool operator==(const Profile&, const Profile&) = default;
};

// About what it takes in memory.
std::size_t bytes_of(const Profile& profile);

// What one visitor did of it, as far as `recent` reaches back; no traits.
Profile own_part(const Profile& profile, std::uint32_t visitor_tag);

// What a visitor did becomes part of the user it turned out to be.
void merge(const Profile& visitor, Profile& user);

void keep_recent(const ProfileEvent& event, Profile& profile);
void keep_seen(const Seen& seen, Profile& profile);
void see(TimeMs first_ms, TimeMs last_ms, std::uint32_t events, Profile& profile);

// Longer ones than a Trait allows are not kept; of too many, those named longest ago go.
void keep_trait(Trait trait, Profile& profile);

// A purchase stays until all its pieces came back or it is cancelled. What comes back under an
// order that did not have the product, or under none, is taken off the latest purchases. An order
// key of 0 is no order.
void add_purchase(ProductNumber product, std::uint64_t order_key, std::uint64_t pieces,
                  TimeMs time_ms, Profile& profile, Paid paid = {});
void add_refund(ProductNumber product, std::uint64_t order_key, std::uint64_t pieces,
                Profile& profile);
void cancel_order(std::uint64_t order_key, Profile& profile);
// What was bought under the order is void: another message tells of it anew. What came back stays.
void forget_order(std::uint64_t order_key, Profile& profile);
void cancel_line(ProductNumber product, std::uint64_t order_key, Profile& profile);

void keep_deed(EventType type, TimeMs time_ms, Profile& profile);
void keep_channel(const ChannelUse& use, Profile& profile);
// The one of most events, then the one used last; null when none was told.
const ChannelUse* main_channel(const Profile& profile);

// What was bought at one time and not taken back as a whole.
struct OrderSum {
  TimeMs time_ms = 0;
  std::uint64_t order_key = 0;  // 0: purchases of one product without an order
  std::uint32_t count = 1;      // of such purchases
  Paid net = {};                // less what came back
  friend bool operator==(const OrderSum&, const OrderSum&) = default;
};
std::vector<OrderSum> orders_of(const Profile& profile);  // oldest first

// `bought`, `orders` and `order_keys` anew from the lines.
void sum_up_all(Profile& profile);

// The stored form: the same bytes for the same profile. Product numbers make it one for checkpoints
// only.
std::string encode(const Profile& profile);
absl::StatusOr<Profile> decode_profile(std::string_view bytes);  // DataLoss

}  // namespace vitrine::profiles
