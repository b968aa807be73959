#include "server/profiles/profile.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include "base/random.h"
#include "server/profiles/fixed_hash.h"
#include "server/profiles/removed_traits.h"

namespace vitrine::profiles {
namespace {

// Newest first; the total order that makes late events end in the same state.
bool is_newer(const ProfileEvent& a, const ProfileEvent& b) {
  return std::tie(a.time_ms, a.event_key, a.product) > std::tie(b.time_ms, b.event_key, b.product);
}

// Likewise; equal ones cannot be told apart.
bool was_seen_later(const Seen& a, const Seen& b) {
  return std::tie(a.time_ms, a.product) > std::tie(b.time_ms, b.product);
}

// Into its place of the order, if it is among the first `count_max`.
template <class T>
void keep_sorted(const T& value, std::size_t count_max, bool (*is_before)(const T&, const T&),
                 std::vector<T>& values) {
  const auto place = std::lower_bound(values.begin(), values.end(), value, is_before);
  if (values.size() < count_max) {
    values.insert(place, value);
  } else if (place != values.end()) {
    std::move_backward(place, values.end() - 1, values.end());
    *place = value;
  }
}

void keep_key(std::uint64_t key, std::vector<std::uint64_t>& keys) {
  const auto place = std::ranges::lower_bound(keys, key);
  if (place == keys.end() || *place != key) keys.insert(place, key);
}

bool has_key(std::uint64_t key, const std::vector<std::uint64_t>& keys) {
  return std::ranges::binary_search(keys, key);
}

auto place_of(const PurchaseLine& line) { return std::pair(line.product, line.order_key); }

PurchaseLine& line_of(ProductNumber product, std::uint64_t order_key, Profile& profile) {
  const PurchaseLine wanted{.product = product, .order_key = order_key};
  const auto place = std::ranges::lower_bound(profile.lines, place_of(wanted), {}, place_of);
  if (place != profile.lines.end() && place_of(*place) == place_of(wanted)) return *place;
  return *profile.lines.insert(place, wanted);
}

auto word_on(const Trait& trait) {
  return std::tuple<bool, TimeMs, std::uint64_t, const std::string&>(
      is_removed(trait), trait.time_ms, trait.event_key, trait.name);
}

// How many of the line's purchases `returned` pieces take back; several lines of one order with the
// same product share their pieces evenly.
std::uint32_t taken_back(const PurchaseLine& line, std::uint64_t returned) {
  if (line.pieces == 0) return 0;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(line.purchases, returned * line.purchases / line.pieces));
}

// A line, and how many of its purchases were not taken back.
struct Kept {
  const PurchaseLine* line;
  std::uint32_t purchases;
  std::uint64_t pieces;  // that did not come back: of these more may
};

// Takes pieces that came back without their purchase off the latest purchases.
void take_off(std::uint64_t pieces, std::vector<Kept>& kept) {
  std::ranges::sort(kept, std::greater{}, [](const Kept& one) {
    return std::pair(one.line->last_ms, one.line->order_key);
  });
  for (Kept& one : kept) {
    if (one.pieces == 0) continue;
    const PurchaseLine& line = *one.line;
    const std::uint64_t used = std::min(pieces, one.pieces);
    one.purchases -= taken_back(line, line.returned + used) - taken_back(line, line.returned);
    one.pieces -= used;
    pieces -= used;
  }
}

float weight_of(const PurchaseLine& line, TimeMs last_ms, float half_life_days) {
  const float days = static_cast<float>(last_ms - line.last_ms) / static_cast<float>(k_day_ms);
  return std::exp2(-days / half_life_days);
}

void add_orders(const Kept& kept, Bought& sum) {
  if (kept.purchases == 0) return;
  const std::uint32_t orders = kept.line->order_key == 0 ? kept.purchases : 1;
  const auto count = static_cast<float>(orders);
  sum.orders += orders;
  sum.recent += count * weight_of(*kept.line, sum.last_ms, Bought::k_recent_days);
  sum.lately += count * weight_of(*kept.line, sum.last_ms, Bought::k_lately_days);
}

// What was not taken back of all lines with one product.
std::vector<Kept> kept_of(std::span<const PurchaseLine> lines, const Profile& profile) {
  std::uint64_t homeless = 0;  // pieces that came back without their purchase
  std::vector<Kept> kept;
  for (const PurchaseLine& line : lines) {
    if (line.purchases == 0) {
      homeless += line.returned;
    } else if (!line.is_cancelled && !has_key(line.order_key, profile.cancelled_orders)) {
      if (line.order_key == 0 && line.returned > line.pieces)
        homeless += line.returned - line.pieces;
      kept.push_back({.line = &line,
                      .purchases = line.purchases - taken_back(line, line.returned),
                      .pieces = line.pieces - std::min(line.pieces, line.returned)});
    }
  }
  if (homeless > 0) take_off(homeless, kept);
  return kept;
}

// What all lines with one product come to.
Bought sum_of(std::span<const PurchaseLine> lines, const Profile& profile) {
  Bought sum{.product = lines.front().product};
  for (const PurchaseLine& line : lines) {
    sum.purchases += line.purchases;
    sum.last_ms = std::max(sum.last_ms, line.last_ms);
  }
  const std::vector<Kept> kept = kept_of(lines, profile);
  sum.refunds = sum.purchases;
  for (const Kept& one : kept) {
    sum.refunds -= one.purchases;
    add_orders(one, sum);
  }
  return sum;
}

OrderSum order_of(const Kept& kept) {
  const PurchaseLine& line = *kept.line;
  // Less than 10^15 pieces: a share of the money, by whole minor units.
  const double share =
      line.pieces == 0 ? 1 : static_cast<double>(kept.pieces) / static_cast<double>(line.pieces);
  return {.time_ms = line.last_ms,
          .order_key = line.order_key,
          .count = line.order_key == 0 ? kept.purchases : 1,
          .net = {.minor = std::llround(static_cast<double>(line.paid.minor) * share),
                  .currency = line.paid.currency}};
}

// Of the newest minutes of its type; which those are does not depend on the order of arrival.
void keep_deeds(const DeedsOfMinute& deeds, Profile& profile) {
  const auto place_in_order = [](const DeedsOfMinute& one) {
    return std::pair(one.type, one.minute);
  };
  std::vector<DeedsOfMinute>& all = profile.deeds;
  const auto place = std::ranges::lower_bound(all, place_in_order(deeds), {}, place_in_order);
  if (place != all.end() && place_in_order(*place) == place_in_order(deeds)) {
    place->count += deeds.count;
    return;
  }
  all.insert(place, deeds);
  const auto same_type = std::ranges::equal_range(all, deeds.type, {}, &DeedsOfMinute::type);
  if (same_type.size() > Profile::k_minutes_per_type_max) all.erase(same_type.begin());
}

void sum_up(ProductNumber product, Profile& profile) {
  const auto lines = std::ranges::equal_range(profile.lines, product, {}, &PurchaseLine::product);
  const Bought sum = sum_of(std::span(lines.begin(), lines.end()), profile);
  const auto place = std::ranges::lower_bound(profile.bought, product, {}, &Bought::product);
  const bool is_there = place != profile.bought.end() && place->product == product;
  if (is_there && sum.purchases > 0) {
    *place = sum;
  } else if (sum.purchases > 0) {
    profile.bought.insert(place, sum);
  }
}

}  // namespace

std::uint32_t currency_code_of(std::string_view currency) {
  if (!is_currency(currency)) return 0;
  std::uint32_t code = 0;
  for (const char letter : currency) code = code * 256 + static_cast<unsigned char>(letter);
  return code;
}

std::string currency_of(std::uint32_t code) {
  if (code == 0) return {};
  return {static_cast<char>(code >> 16), static_cast<char>((code >> 8) & 0xFF),
          static_cast<char>(code & 0xFF)};
}

Paid together(Paid a, Paid b) {
  if (a.currency != b.currency) return a.currency > b.currency ? a : b;
  return {.minor = std::min(a.minor + b.minor, Paid::k_minor_max), .currency = a.currency};
}

std::uint64_t session_key_of(std::string_view session_id) {
  return session_id.empty() ? 0 : std::max<std::uint64_t>(1, fixed_hash(session_id));
}

std::uint32_t visitor_tag_of(UserNumber visitor) {
  return visitor == k_nobody
             ? 0
             : static_cast<std::uint32_t>(1 + mix64(visitor.value()) % k_visitor_tags);
}

Profile own_part(const Profile& profile, std::uint32_t visitor_tag) {
  Profile own;
  for (const ProfileEvent& event : profile.recent) {
    if (event.visitor_tag != visitor_tag) continue;
    own.recent.push_back(event);
    see(event.time_ms, event.time_ms, 1, own);
    // How many pieces is not known here: what came back at all is taken as come back.
    if (event.type == EventType::purchase) add_purchase(event.product, 0, 1, event.time_ms, own);
    if (event.type == EventType::refund) add_refund(event.product, 0, 1, own);
    keep_deed(event.type, event.time_ms, own);
  }
  return own;
}

std::size_t bytes_of(const Profile& profile) {
  std::size_t traits = profile.traits.capacity() * sizeof(Trait);
  for (const Trait& trait : profile.traits) traits += trait.name.size() + trait.value.size();
  return sizeof profile + traits + profile.recent.capacity() * sizeof(ProfileEvent) +
         profile.seen.capacity() * sizeof(Seen) + profile.bought.capacity() * sizeof(Bought) +
         profile.lines.capacity() * sizeof(PurchaseLine) +
         profile.deeds.capacity() * sizeof(DeedsOfMinute) +
         profile.channels.capacity() * sizeof(ChannelUse) +
         (profile.order_keys.capacity() + profile.cancelled_orders.capacity()) *
             sizeof(std::uint64_t);
}

void keep_recent(const ProfileEvent& event, Profile& profile) {
  keep_sorted(event, Profile::k_recent_max, is_newer, profile.recent);
}

void keep_seen(const Seen& seen, Profile& profile) {
  keep_sorted(seen, Profile::k_seen_max, was_seen_later, profile.seen);
}

// Whatever the order of arrival, the latest word on each name stays, and of those the latest. What
// was removed stays removed.
void keep_trait(Trait trait, Profile& profile) {
  if (trait.name.empty() || trait.name.size() > Trait::k_name_bytes_max ||
      trait.value.size() > Trait::k_value_bytes_max) {
    return;
  }
  std::vector<Trait>& traits = profile.traits;
  const auto place = std::ranges::lower_bound(traits, trait.name, {}, &Trait::name);
  if (place != traits.end() && place->name == trait.name) {
    if (word_on(*place) < word_on(trait)) *place = std::move(trait);
    return;
  }
  traits.insert(place, std::move(trait));
  if (traits.size() > Profile::k_traits_max) {
    const auto oldest = std::ranges::min_element(
        traits, [](const Trait& a, const Trait& b) { return word_on(a) < word_on(b); });
    if (!is_removed(*oldest)) traits.erase(oldest);
  }
}

void see(TimeMs first_ms, TimeMs last_ms, std::uint32_t events, Profile& profile) {
  profile.first_seen_ms =
      profile.events == 0 ? first_ms : std::min(profile.first_seen_ms, first_ms);
  profile.last_seen_ms = profile.events == 0 ? last_ms : std::max(profile.last_seen_ms, last_ms);
  profile.events += events;
}

void add_purchase(ProductNumber product, std::uint64_t order_key, std::uint64_t pieces,
                  TimeMs time_ms, Profile& profile, Paid paid) {
  PurchaseLine& line = line_of(product, order_key, profile);
  line.last_ms = line.purchases == 0 ? time_ms : std::max(line.last_ms, time_ms);
  ++line.purchases;
  line.pieces += pieces;
  line.paid = together(line.paid, paid);
  if (order_key != 0) keep_key(order_key, profile.order_keys);
  profile.orders = static_cast<std::uint32_t>(profile.order_keys.size());
  sum_up(product, profile);
}

void add_refund(ProductNumber product, std::uint64_t order_key, std::uint64_t pieces,
                Profile& profile) {
  line_of(product, order_key, profile).returned += pieces;
  sum_up(product, profile);
}

void cancel_order(std::uint64_t order_key, Profile& profile) {
  keep_key(order_key, profile.cancelled_orders);
  for (const PurchaseLine& line : profile.lines) {
    if (line.order_key == order_key) sum_up(line.product, profile);
  }
}

void forget_order(std::uint64_t order_key, Profile& profile) {
  for (PurchaseLine& line : profile.lines) {
    if (line.order_key != order_key) continue;
    line.purchases = 0;
    line.pieces = 0;
    line.last_ms = 0;
    line.paid = {};
  }
  std::erase_if(profile.lines, [&](const PurchaseLine& line) {
    return line.order_key == order_key && line.returned == 0 && !line.is_cancelled;
  });
  sum_up_all(profile);
}

void cancel_line(ProductNumber product, std::uint64_t order_key, Profile& profile) {
  line_of(product, order_key, profile).is_cancelled = true;
  sum_up(product, profile);
}

void keep_deed(EventType type, TimeMs time_ms, Profile& profile) {
  const auto minute = static_cast<std::uint32_t>(std::max<TimeMs>(0, time_ms) / k_minute_ms);
  keep_deeds({.minute = minute, .type = type, .count = 1}, profile);
}

// One that gives way to another never comes back, so that what is counted of the rest is whole.
void keep_channel(const ChannelUse& use, Profile& profile) {
  if (use.name.empty() || use.name.size() > ChannelUse::k_name_bytes_max) return;
  std::vector<ChannelUse>& all = profile.channels;
  const auto place = std::ranges::lower_bound(all, use.name, {}, &ChannelUse::name);
  if (place != all.end() && place->name == use.name) {
    place->events += use.events;
    place->last_ms = std::max(place->last_ms, use.last_ms);
    return;
  }
  all.insert(place, use);
  if (all.size() > Profile::k_channels_max) all.pop_back();
}

const ChannelUse* main_channel(const Profile& profile) {
  const auto most = std::ranges::max_element(profile.channels, {}, [](const ChannelUse& use) {
    return std::pair(use.events, use.last_ms);
  });
  return most == profile.channels.end() ? nullptr : &*most;
}

std::vector<OrderSum> orders_of(const Profile& profile) {
  std::vector<OrderSum> orders;
  for (auto at = profile.lines.begin(); at != profile.lines.end();) {
    const auto end =
        std::ranges::upper_bound(at, profile.lines.end(), at->product, {}, &PurchaseLine::product);
    for (const Kept& kept : kept_of(std::span(at, end), profile)) {
      if (kept.purchases > 0) orders.push_back(order_of(kept));
    }
    at = end;
  }
  std::ranges::sort(orders, {}, &OrderSum::order_key);
  std::vector<OrderSum> sums;
  for (const OrderSum& order : orders) {
    if (order.order_key == 0 || sums.empty() || sums.back().order_key != order.order_key) {
      sums.push_back(order);
      continue;
    }
    sums.back().time_ms = std::max(sums.back().time_ms, order.time_ms);
    sums.back().net = together(sums.back().net, order.net);
  }
  std::ranges::sort(sums, {}, [](const OrderSum& order) {
    return std::tuple(order.time_ms, order.order_key, order.net.minor);
  });
  return sums;
}

void sum_up_all(Profile& profile) {
  profile.bought.clear();
  profile.order_keys.clear();
  for (auto at = profile.lines.begin(); at != profile.lines.end();) {
    const auto end =
        std::ranges::upper_bound(at, profile.lines.end(), at->product, {}, &PurchaseLine::product);
    const Bought sum = sum_of(std::span(at, end), profile);
    if (sum.purchases > 0) profile.bought.push_back(sum);
    for (; at != end; ++at) {
      if (at->purchases > 0 && at->order_key != 0) profile.order_keys.push_back(at->order_key);
    }
  }
  std::ranges::sort(profile.order_keys);
  profile.order_keys.erase(std::ranges::unique(profile.order_keys).begin(),
                           profile.order_keys.end());
  profile.orders = static_cast<std::uint32_t>(profile.order_keys.size());
}

void merge(const Profile& visitor, Profile& user) {
  see(visitor.first_seen_ms, visitor.last_seen_ms, visitor.events, user);
  for (const ProfileEvent& event : visitor.recent) keep_recent(event, user);
  for (const Seen& seen : visitor.seen) keep_seen(seen, user);
  for (const std::uint64_t key : visitor.cancelled_orders) keep_key(key, user.cancelled_orders);
  for (const PurchaseLine& line : visitor.lines) {
    PurchaseLine& own = line_of(line.product, line.order_key, user);
    own.last_ms = own.purchases == 0 ? line.last_ms : std::max(own.last_ms, line.last_ms);
    own.purchases += line.purchases;
    own.pieces += line.pieces;
    own.returned += line.returned;
    own.is_cancelled = own.is_cancelled || line.is_cancelled;
    own.paid = together(own.paid, line.paid);
  }
  for (const DeedsOfMinute& deeds : visitor.deeds) keep_deeds(deeds, user);
  for (const Trait& trait : visitor.traits) keep_trait(trait, user);
  for (const ChannelUse& use : visitor.channels) keep_channel(use, user);
  sum_up_all(user);
}

}  // namespace vitrine::profiles
