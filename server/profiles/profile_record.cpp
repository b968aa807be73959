// The stored form of a profile: numbers of as few bytes as they need, times as differences, each
// order's key once. `bought` and `orders` are summed up again when it is read.
#include <algorithm>
#include <cstring>

#include "base/status.h"
#include "server/profiles/profile.h"

namespace vitrine::profiles {
namespace {

// Damaged bytes make any time: a difference wraps where it would overflow.
TimeMs minus(TimeMs time_ms, TimeMs by_ms) {
  return static_cast<TimeMs>(static_cast<std::uint64_t>(time_ms) -
                             static_cast<std::uint64_t>(by_ms));
}

class Writer {
 public:
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  // Either sign, small numbers short.
  void difference(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    number((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
  }
  void key(std::uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) bytes_.push_back(static_cast<char>(value & 0xFF));
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After the first thing that is missing everything is 0 and is_whole() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = take();
      value |= (byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    is_broken_ = true;
    return 0;
  }
  std::int64_t difference() {
    const std::uint64_t bits = number();
    return static_cast<std::int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
  }
  std::uint64_t key() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= take() << (8 * i);
    return value;
  }
  // A count of things that take at least a byte each.
  std::size_t count() {
    const std::uint64_t value = number();
    if (value > bytes_.size()) is_broken_ = true;
    return is_broken_ ? 0 : static_cast<std::size_t>(value);
  }
  std::string text() {
    const std::size_t size = count();
    if (size > bytes_.size() - at_) is_broken_ = true;
    if (is_broken_) return {};
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }
  bool is_whole() const { return !is_broken_ && at_ == bytes_.size(); }
  bool is_at_end() const { return at_ == bytes_.size(); }

 private:
  std::uint64_t take() {
    if (at_ == bytes_.size()) is_broken_ = true;
    return is_broken_ ? 0 : static_cast<unsigned char>(bytes_[at_++]);
  }
  const std::string_view bytes_;
  std::size_t at_ = 0;
  bool is_broken_ = false;
};

void write_recent(const Profile& profile, Writer& out) {
  out.number(profile.recent.size());
  TimeMs time_ms = profile.last_seen_ms;
  std::uint64_t session_key = 0;
  std::uint32_t visitor_tag = 0;
  for (const ProfileEvent& event : profile.recent) {
    // Neighbours mostly are of one session.
    const bool is_same_session = event.session_key == session_key;
    const bool is_same_visitor = event.visitor_tag == visitor_tag;
    out.number(static_cast<std::uint64_t>(event.type) * 4 + (is_same_visitor ? 2 : 0) +
               (is_same_session ? 1 : 0));
    if (!is_same_visitor) out.number(event.visitor_tag);
    if (!is_same_session) out.key(event.session_key);
    out.difference(minus(time_ms, event.time_ms));
    out.key(event.event_key);
    out.number(event.product.value());
    time_ms = event.time_ms;
    session_key = event.session_key;
    visitor_tag = event.visitor_tag;
  }
}

void read_recent(Reader& in, Profile& profile) {
  profile.recent.resize(in.count());
  TimeMs time_ms = profile.last_seen_ms;
  std::uint64_t session_key = 0;
  std::uint32_t visitor_tag = 0;
  for (ProfileEvent& event : profile.recent) {
    const std::uint64_t kind = in.number();
    event.type = static_cast<EventType>(kind / 4);
    event.visitor_tag =
        ((kind / 2) % 2 == 1 ? visitor_tag : static_cast<std::uint32_t>(in.number())) &
        k_visitor_tags;
    event.session_key = kind % 2 == 1 ? session_key : in.key();
    event.time_ms = minus(time_ms, in.difference());
    event.event_key = in.key();
    event.product = ProductNumber(static_cast<std::uint32_t>(in.number()));
    time_ms = event.time_ms;
    session_key = event.session_key;
    visitor_tag = event.visitor_tag;
  }
}

void write_seen(const Profile& profile, Writer& out) {
  out.number(profile.seen.size());
  TimeMs time_ms = profile.last_seen_ms;
  for (const Seen& seen : profile.seen) {
    out.difference(minus(time_ms, seen.time_ms));
    out.number(seen.product.value());
    time_ms = seen.time_ms;
  }
}

void read_seen(Reader& in, Profile& profile) {
  profile.seen.resize(in.count());
  TimeMs time_ms = profile.last_seen_ms;
  for (Seen& seen : profile.seen) {
    seen.time_ms = minus(time_ms, in.difference());
    seen.product = ProductNumber(static_cast<std::uint32_t>(in.number()));
    time_ms = seen.time_ms;
  }
}

void write_paid(const Paid& paid, Writer& out) {
  out.number(paid.currency);
  if (paid.currency != 0) out.number(static_cast<std::uint64_t>(paid.minor));
}

void read_paid(Reader& in, Paid& paid) {
  paid.currency = static_cast<std::uint32_t>(in.number());
  if (paid.currency == 0) return;
  paid.minor = static_cast<std::int64_t>(
      std::min<std::uint64_t>(in.number(), static_cast<std::uint64_t>(Paid::k_minor_max)));
}

// By differences to the deed before; what was done once in a minute needs no count.
void write_deeds(const Profile& profile, Writer& out) {
  out.number(profile.deeds.size());
  std::int64_t minute = profile.last_seen_ms / k_minute_ms;
  for (const DeedsOfMinute& deeds : profile.deeds) {
    out.number(static_cast<std::uint64_t>(deeds.type) * 2 + (deeds.count == 1 ? 1 : 0));
    if (deeds.count != 1) out.number(deeds.count);
    out.difference(minus(minute, deeds.minute));
    minute = deeds.minute;
  }
}

void read_deeds(Reader& in, Profile& profile) {
  profile.deeds.resize(in.count());
  std::int64_t minute = profile.last_seen_ms / k_minute_ms;
  for (DeedsOfMinute& deeds : profile.deeds) {
    const std::uint64_t kind = in.number();
    deeds.type = static_cast<EventType>(kind / 2);
    deeds.count = kind % 2 == 1 ? 1 : static_cast<std::uint32_t>(in.number());
    minute = minus(minute, in.difference());
    deeds.minute = static_cast<std::uint32_t>(minute);
  }
}

// Of all orders that a line names.
std::vector<std::uint64_t> order_keys_of(const std::vector<PurchaseLine>& lines) {
  std::vector<std::uint64_t> keys;
  keys.reserve(lines.size());
  for (const PurchaseLine& line : lines) {
    if (line.order_key != 0) keys.push_back(line.order_key);
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

void write_lines(const Profile& profile, Writer& out) {
  const std::vector<std::uint64_t> keys = order_keys_of(profile.lines);
  out.number(keys.size());
  for (const std::uint64_t key : keys) out.key(key);
  out.number(profile.lines.size());
  std::uint32_t product = 0;
  for (const PurchaseLine& line : profile.lines) {
    const auto place = std::ranges::lower_bound(keys, line.order_key);
    out.number(line.product.value() - product);
    out.number(line.order_key == 0 ? 0 : 1 + static_cast<std::uint64_t>(place - keys.begin()));
    out.number(line.purchases * std::uint64_t{2} + (line.is_cancelled ? 1 : 0));
    out.number(line.pieces);
    out.number(line.returned);
    if (line.purchases > 0) out.difference(minus(profile.last_seen_ms, line.last_ms));
    if (line.purchases > 0) write_paid(line.paid, out);
    product = line.product.value();
  }
}

void read_lines(Reader& in, Profile& profile) {
  std::vector<std::uint64_t> keys(in.count());
  for (std::uint64_t& key : keys) key = in.key();
  profile.lines.resize(in.count());
  std::uint32_t product = 0;
  for (PurchaseLine& line : profile.lines) {
    product += static_cast<std::uint32_t>(in.number());
    line.product = ProductNumber(product);
    const std::uint64_t order = in.number();
    line.order_key = order == 0 || order > keys.size() ? 0 : keys[order - 1];
    const std::uint64_t purchases = in.number();
    line.purchases = static_cast<std::uint32_t>(purchases / 2);
    line.is_cancelled = purchases % 2 == 1;
    line.pieces = in.number();
    line.returned = in.number();
    if (line.purchases > 0) line.last_ms = minus(profile.last_seen_ms, in.difference());
    if (line.purchases > 0) read_paid(in, line.paid);
  }
}

void write_traits(const Profile& profile, Writer& out) {
  out.number(profile.traits.size());
  for (const Trait& trait : profile.traits) {
    out.text(trait.name);
    out.text(trait.value);
    out.difference(minus(profile.last_seen_ms, trait.time_ms));
    out.key(trait.event_key);
  }
}

void read_traits(Reader& in, Profile& profile) {
  profile.traits.resize(in.count());
  for (Trait& trait : profile.traits) {
    trait.name = in.text();
    trait.value = in.text();
    trait.time_ms = minus(profile.last_seen_ms, in.difference());
    trait.event_key = in.key();
  }
}

// Last, and only where there are any: records from before channels were kept end without.
void write_channels(const Profile& profile, Writer& out) {
  if (profile.channels.empty()) return;
  out.number(profile.channels.size());
  for (const ChannelUse& use : profile.channels) {
    out.text(use.name);
    out.number(use.events);
    out.difference(minus(profile.last_seen_ms, use.last_ms));
  }
}

void read_channels(Reader& in, Profile& profile) {
  if (in.is_at_end()) return;
  profile.channels.resize(in.count());
  for (ChannelUse& use : profile.channels) {
    use.name = in.text();
    use.events = static_cast<std::uint32_t>(in.number());
    use.last_ms = minus(profile.last_seen_ms, in.difference());
  }
}

}  // namespace

std::string encode(const Profile& profile) {
  Writer out;
  out.number(profile.events);
  out.difference(profile.last_seen_ms);
  out.difference(minus(profile.last_seen_ms, profile.first_seen_ms));
  write_recent(profile, out);
  write_seen(profile, out);
  write_lines(profile, out);
  out.number(profile.cancelled_orders.size());
  for (const std::uint64_t key : profile.cancelled_orders) out.key(key);
  write_traits(profile, out);
  write_deeds(profile, out);
  write_channels(profile, out);
  return out.take();
}

absl::StatusOr<Profile> decode_profile(std::string_view bytes) {
  Reader in(bytes);
  Profile profile;
  profile.events = static_cast<std::uint32_t>(in.number());
  profile.last_seen_ms = in.difference();
  profile.first_seen_ms = minus(profile.last_seen_ms, in.difference());
  read_recent(in, profile);
  read_seen(in, profile);
  read_lines(in, profile);
  profile.cancelled_orders.resize(in.count());
  for (std::uint64_t& key : profile.cancelled_orders) key = in.key();
  read_traits(in, profile);
  read_deeds(in, profile);
  read_channels(in, profile);
  if (!in.is_whole()) return data_loss("a profile of {} bytes cannot be read", bytes.size());
  sum_up_all(profile);
  return profile;
}

}  // namespace vitrine::profiles
