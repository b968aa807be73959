#include "server/profiles/profile_book.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <utility>

#include "base/status.h"
#include "server/profiles/fixed_hash.h"
#include "server/profiles/profile_cache.h"
#include "server/profiles/removed_traits.h"

namespace vitrine::profiles {
namespace {

std::uint64_t order_key_of(const Event& event) {
  return event.order_id.empty() ? 0 : fixed_hash(event.order_id);
}

// Nothing where the price or its currency is not told.
Paid paid_for(const Event& event) {
  const std::uint32_t currency = event.price ? currency_code_of(event.currency) : 0;
  if (currency == 0 || event.price->minor <= 0) return {.minor = 0, .currency = currency};
  const std::int64_t pieces = std::max<std::int64_t>(1, event.quantity);
  return {.minor = event.price->minor > Paid::k_minor_max / pieces ? Paid::k_minor_max
                                                                   : event.price->minor * pieces,
          .currency = currency};
}

// What the event says about what the person owns. A purchase is of one piece at least, a refund of
// none takes nothing back.
void count_bought(const Event& event, ProductNumber product, Profile& profile) {
  const std::uint64_t order_key = order_key_of(event);
  const auto pieces = static_cast<std::uint64_t>(std::max<std::int64_t>(0, event.quantity));
  if (event.type == EventType::purchase) {
    add_purchase(product, order_key, std::max<std::uint64_t>(1, pieces), event.time_ms, profile,
                 paid_for(event));
  } else if (event.type == EventType::refund && pieces > 0) {
    add_refund(product, order_key, pieces, profile);
  } else if (event.type == EventType::cancel && order_key != 0) {
    cancel_line(product, order_key, profile);
  }
}

void remove_traits(const Event& event, Profile& profile) {
  for (std::string& name : removed_by(event)) {
    keep_trait({.name = std::move(name),
                .value = std::string(k_removed_value),
                .time_ms = event.time_ms,
                .event_key = fixed_hash(k_removal_source, event.event_id)},
               profile);
  }
}

// {"traits": {"name": value, ...}} among the properties.
void keep_traits(const Event& event, std::string_view source, Profile& profile) {
  namespace json = boost::json;
  json::error_code error;
  const json::value properties = json::parse(event.properties_json, error);
  const json::object* const object = error ? nullptr : properties.if_object();
  const json::value* const traits = object == nullptr ? nullptr : object->if_contains("traits");
  if (traits == nullptr || !traits->is_object()) return;
  for (const auto& [name, value] : traits->get_object()) {
    keep_trait({.name = std::string(name.data(), name.size()),
                .value = json::serialize(value),
                .time_ms = event.time_ms,
                .event_key = fixed_hash(source, event.event_id)},
               profile);
  }
}

// The person's word of it is there already when the order was told before.
bool has_recent_purchase(ProductNumber product, TimeMs time_ms, const Profile& profile) {
  return std::ranges::any_of(profile.recent, [&](const ProfileEvent& event) {
    return event.product == product && event.type == EventType::purchase &&
           event.time_ms > time_ms - k_day_ms && event.time_ms < time_ms + k_day_ms;
  });
}

// `product` is looked at when the event names one.
void add_event(const Event& event, const LogEntry& entry, ProductNumber product, Profile& profile) {
  const std::string_view source = entry.source;
  if (source == k_removal_source) return remove_traits(event, profile);
  see(event.time_ms, event.time_ms, 1, profile);
  if (event.telling == OrderTelling::superseded) return;
  if (event.type != EventType::purchase) keep_deed(event.type, event.time_ms, profile);
  keep_channel({.name = event.channel, .events = 1, .last_ms = event.time_ms}, profile);
  if (event.type == EventType::identify) keep_traits(event, source, profile);
  if (event.product_id.empty()) {
    const std::uint64_t order_key = order_key_of(event);
    if (event.type == EventType::cancel && order_key != 0) cancel_order(order_key, profile);
    return;
  }
  if (event.type == EventType::impression) {
    keep_seen({.time_ms = event.time_ms, .product = product}, profile);
    return;
  }
  if (event.telling == OrderTelling::first ||
      !has_recent_purchase(product, event.time_ms, profile)) {
    keep_recent({.time_ms = event.time_ms,
                 .event_key = fixed_hash(source, event.event_id),
                 .session_key = session_key_of(event.session_id),
                 .product = product,
                 .visitor_tag = visitor_tag_of(entry.visitor) & k_visitor_tags,
                 .type = event.type},
                profile);
  }
  count_bought(event, product, profile);
}

// What /metrics says about the cache; the gauges follow every so many entries.
struct CacheMetrics {
  explicit CacheMetrics(Metrics& metrics)
      : bytes(metrics.gauge("vitrine_profiles_cached_bytes", "Memory of profiles")),
        bytes_max(metrics.gauge("vitrine_profiles_cache_budget_bytes",
                                "Memory that profiles may take once they are durable")),
        pinned_bytes(metrics.gauge("vitrine_profiles_pinned_bytes",
                                   "Memory of profiles that waits for a checkpoint")),
        people(metrics.gauge("vitrine_profiles_people", "People with a profile")),
        misses(metrics.gauge("vitrine_profiles_cache_misses",
                             "Profiles that were asked of the store since the start")) {}
  Gauge& bytes;
  Gauge& bytes_max;
  Gauge& pinned_bytes;
  Gauge& people;
  Gauge& misses;
};

}  // namespace

struct ProfileBook::State {
  explicit State(catalog::ProductNumbers& numbers_in) : numbers(numbers_in), cache(nullptr, 0) {}
  State(catalog::ProductNumbers& numbers_in, const store::Database& database, Metrics& metrics_in,
        const Options& options)
      : numbers(numbers_in),
        durable(events::read_checkpoint_of("profiles", database)),
        cache(durable.get(), options.cache_bytes) {
    metrics.emplace(metrics_in);
    metrics->bytes_max.set(static_cast<double>(options.cache_bytes));
  }

  ProductNumber number_of(const std::string& product_id);
  void take_over(UserNumber visitor, UserNumber user);
  void tell_metrics() const;

  catalog::ProductNumbers& numbers;
  const std::unique_ptr<events::CheckpointReader> durable;  // null: there is no checkpoint
  ProfileCache cache;
  std::optional<CacheMetrics> metrics;
  std::size_t numbers_used = 0;  // records name products below this; the committer thread's own
  std::atomic<std::size_t> size{0};
  std::atomic<Position> position{0};
};

ProductNumber ProfileBook::State::number_of(const std::string& product_id) {
  const ProductNumber number = numbers.number_of(product_id);
  numbers_used = std::max<std::size_t>(numbers_used, std::size_t{number.value()} + 1);
  return number;
}

void ProfileBook::State::take_over(UserNumber visitor, UserNumber user) {
  const std::shared_ptr<const Profile> moved = cache.remove(visitor);
  if (moved == nullptr) return;
  const bool is_new = cache.change(user, [&](Profile& profile) { merge(*moved, profile); });
  if (!is_new) --size;
}

void ProfileBook::State::tell_metrics() const {
  if (!metrics) return;
  metrics->bytes.set(static_cast<double>(cache.bytes()));
  metrics->pinned_bytes.set(static_cast<double>(cache.pinned_bytes()));
  metrics->people.set(static_cast<double>(size.load()));
  metrics->misses.set(static_cast<double>(cache.misses()));
}

ProfileBook::ProfileBook(catalog::ProductNumbers& numbers)
    : state_(std::make_unique<State>(numbers)) {}
ProfileBook::ProfileBook(catalog::ProductNumbers& numbers, const store::Database& database,
                         Metrics& metrics, const Options& options)
    : state_(std::make_unique<State>(numbers, database, metrics, options)) {}
ProfileBook::~ProfileBook() = default;

std::shared_ptr<const Profile> ProfileBook::find(UserNumber user) const {
  return state_->cache.find(user);
}

absl::Status ProfileBook::walk(const std::function<bool(UserNumber, const Profile&)>& visit) const {
  return state_->cache.walk(visit);
}

std::size_t ProfileBook::size() const { return state_->size.load(); }
std::size_t ProfileBook::cached_bytes() const { return state_->cache.bytes(); }
Position ProfileBook::position() const { return state_->position.load(); }

void ProfileBook::apply(const LogEntry& entry) {
  if (entry.position <= state_->position.load()) return;
  if (const VisitorLink* const link = entry.link()) {
    if (link->from_user == link->visitor && link->to_user != link->visitor) {
      state_->take_over(link->visitor, link->to_user);
    }
  } else if (const Erasure* const erasure = entry.erasure()) {
    for (const UserNumber person : erasure->people) {
      if (state_->cache.remove(person) != nullptr) --state_->size;
    }
  } else if (const OrderTakeover* const takeover = entry.takeover()) {
    if (entry.user != k_nobody && state_->cache.find(entry.user) != nullptr) {
      state_->cache.change(entry.user, [&](Profile& profile) {
        forget_order(fixed_hash(takeover->order_id), profile);
      });
    }
  } else if (const Event* const event = entry.event(); event != nullptr && entry.user != k_nobody) {
    const ProductNumber product =
        event->product_id.empty() ? ProductNumber(0) : state_->number_of(event->product_id);
    const bool is_new = state_->cache.change(
        entry.user, [&](Profile& profile) { add_event(*event, entry, product, profile); });
    if (is_new) ++state_->size;
  }
  state_->position.store(entry.position);
  constexpr Position k_told_every = 4096;
  if (entry.position % k_told_every == 0) state_->tell_metrics();
}

// Form 5 (records with money and minutes): how many people, and how many product numbers their
// records may name. Not all numbers there are: a book that is replayed anew is checkpointed without
// them.
std::string ProfileBook::checkpoint() const {
  if (state_->durable == nullptr) return {};
  return fmt::format("5 {} {}", size(), state_->numbers_used);
}

absl::Status ProfileBook::restore(std::string_view checkpoint, Position at) {
  if (!checkpoint.starts_with("5 ")) return absl::UnimplementedError("another form of profiles");
  std::size_t size = 0;
  std::size_t numbers = 0;
  if (std::sscanf(std::string(checkpoint).c_str(), "5 %zu %zu", &size, &numbers) != 2) {
    return data_loss("the checkpoint of profiles cannot be read");
  }
  if (numbers > state_->numbers.size()) {
    return data_loss("the checkpoint of profiles names {} products, the table beside it has {}",
                     numbers, state_->numbers.size());
  }
  state_->size = size;
  state_->numbers_used = numbers;
  state_->position = at;
  state_->tell_metrics();
  return absl::OkStatus();
}

events::CheckpointPart ProfileBook::begin_checkpoint() {
  state_->cache.begin();
  return [state = state_.get()](events::CheckpointWriter& out) { state->cache.write(out); };
}

void ProfileBook::end_checkpoint(bool is_durable) {
  state_->cache.end(is_durable);
  state_->tell_metrics();
}

std::size_t ProfileBook::pinned_bytes() const {
  return state_->durable == nullptr ? 0 : state_->cache.pinned_bytes();
}

std::uint64_t ProfileBook::fingerprint() const {
  std::uint64_t sum = size();
  const absl::Status read = state_->cache.for_each([&](UserNumber user, const Profile& profile) {
    sum += mix64(fnv1a(encode(profile), mix64(user.value())));
  });
  return read.ok() ? sum : 0;
}

}  // namespace vitrine::profiles
