#include "server/segments/person.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "base/random.h"
#include "model/money.h"
#include "server/profiles/fixed_hash.h"

namespace vitrine::segments {
namespace {

using expressions::Counted;
using expressions::EventTypes;
using expressions::Field;
using expressions::k_never_ms;
using expressions::of_type;
using expressions::Schema;
using expressions::Type;
using profiles::OrderSum;

enum class Slot : std::uint8_t {
  is_known,
  orders_count,
  net_spend,
  average_order,
  currency,
  first_order_at,
  last_order_at,
  first_seen_at,
  last_seen_at,
  events_count,
  products_bought,
  lifetime_days,
  stage,
  top_categories,
  top_brands,
  last_brand,
  country,
  traits,
  rfm_recency,
  rfm_frequency,
  rfm_monetary,
  rfm_group,
  rfm_cell,
  level,
  price_from,
  price_to,
  channel
};

// In the order of the slots.
constexpr std::array<Field, 27> k_fields = {{
    {"user.is_known", Type::boolean, "Has a user id; a visitor has none"},
    {"user.orders_count", Type::number, "Orders that were not taken back as a whole"},
    {"user.net_spend", Type::number, "What they paid and did not get back, in user.currency"},
    {"user.average_order", Type::number, "Net spend by orders"},
    {"user.currency", Type::text, "Of the latest order; other currencies are not added"},
    {"user.first_order_at", Type::time, "The oldest order that was not taken back"},
    {"user.last_order_at", Type::time, "The latest"},
    {"user.first_seen_at", Type::time, "The first event"},
    {"user.last_seen_at", Type::time, "The latest event"},
    {"user.events_count", Type::number, "Events of all kinds"},
    {"user.products_bought", Type::number, "Different products, those that came back too"},
    {"user.lifetime_days", Type::number, "Whole days since the first event", true},
    {"user.stage", Type::text,
     "prospect, new (first order within 30 days), active (an order within 90), at_risk (180), "
     "churned",
     true},
    {"user.top_categories", Type::paths, "The three they care most about, lately counting more"},
    {"user.top_brands", Type::texts, "Likewise"},
    {"user.last_brand", Type::text, "Of the product they had to do with last"},
    {"user.country", Type::text, "The trait \"country\""},
    {"user.traits", Type::map, "What the shop says of them: user.traits.plan"},
    {"user.rfm.recency", Type::number, "1 to 5 among buyers, 5: the latest order is newest", true},
    {"user.rfm.frequency", Type::number, "1 to 5, 5: most orders in 365 days", true},
    {"user.rfm.monetary", Type::number, "1 to 5, 5: most net spend in 365 days", true},
    {"user.rfm.group", Type::text,
     "champions, loyal, new, promising, at_risk, almost_lost, dormant, prospects", true},
    {"user.rfm.cell", Type::text,
     "key_value, key_develop, key_keep, key_win_back, value, develop, keep, win_back", true},
    {"user.level", Type::text, "By the net spend of twelve months, see --levels", true},
    {"user.price_from", Type::number,
     "A quarter of what they had to do with lately is cheaper, in the currency of the newest"},
    {"user.price_to", Type::number, "A quarter is more expensive"},
    {"user.channel", Type::text, "The channel that most of their events named"},
}};

std::optional<double> time_of(TimeMs time_ms) { return static_cast<double>(time_ms); }

double age_of(const OrderSum& order) { return static_cast<double>(order.time_ms); }

// The next moment at which whole days since `from_ms` are one more.
TimeMs next_day_ms(TimeMs from_ms, TimeMs now_ms) {
  const TimeMs days = now_ms < from_ms ? -1 : (now_ms - from_ms) / k_day_ms;
  return from_ms + (days + 1) * k_day_ms;
}

// A JSON value as text: what quotes hold, or the number or truth value as it is written.
std::optional<std::string_view> text_in(std::string_view json) {
  if (json == "null" || json.empty()) return std::nullopt;  // empty: removed by the person
  if (json.size() >= 2 && json.front() == '"') return json.substr(1, json.size() - 2);
  return json;
}

}  // namespace

const Schema& person_schema() {
  static const Schema schema("a person", {k_fields.begin(), k_fields.end()},
                             expressions::About::people);
  return schema;
}

// Orders change with what is bought and comes back, and with whose word on an order holds; traits
// when they are told; the first event when it turns out to be an earlier one. What else there is
// follows from every event.
EventTypes event_types_of_slot(std::size_t slot) {
  constexpr EventTypes k_orders = of_type(EventType::purchase) | of_type(EventType::refund) |
                                  of_type(EventType::cancel) | of_type(EventType::order_update);
  switch (static_cast<Slot>(slot)) {
    case Slot::orders_count:
    case Slot::net_spend:
    case Slot::average_order:
    case Slot::currency:
    case Slot::first_order_at:
    case Slot::last_order_at:
    case Slot::products_bought:
    case Slot::stage:
    case Slot::rfm_recency:
    case Slot::rfm_frequency:
    case Slot::rfm_monetary:
    case Slot::rfm_group:
    case Slot::rfm_cell:
    case Slot::level:
      return k_orders;
    case Slot::country:
    case Slot::traits:
      return of_type(EventType::identify);
    case Slot::first_seen_at:
    case Slot::lifetime_days:
      return k_first_seen_moved;
    case Slot::is_known:
      return 0;  // a visitor who becomes known is looked at in every way
    default:
      return expressions::k_all_event_types;
  }
}

EventTypes event_types_of(const expressions::Program& program) {
  EventTypes types = program.event_types();
  for (const std::size_t slot : program.slots()) types |= event_types_of_slot(slot);
  // Orders come and go with more than purchases.
  if ((types & of_type(EventType::purchase)) != 0) {
    types |= event_types_of_slot(static_cast<std::size_t>(Slot::orders_count));
  }
  return types;
}

double bucket_of(std::string_view seed, UserNumber user) {
  constexpr double k_share_of_one = 0x1.0p-53;
  return static_cast<double>(mix64(profiles::fixed_hash(seed) ^ mix64(user.value())) >> 11) *
         k_share_of_one;
}

PersonSubject::PersonSubject(UserNumber user, bool is_visitor, const profiles::Profile& profile,
                             TimeMs now_ms, const Surroundings& around)
    : user_(user), is_visitor_(is_visitor), profile_(profile), now_ms_(now_ms), around_(around) {}

const std::vector<OrderSum>& PersonSubject::orders() const {
  if (!orders_) orders_ = profiles::orders_of(profile_);
  return *orders_;
}

const PersonSubject::Money& PersonSubject::money() const {
  if (money_) return *money_;
  money_.emplace(Money{.code = 0, .currency = {}, .unit = 1});
  for (const OrderSum& order : orders()) {
    if (order.net.currency != 0) money_->code = order.net.currency;
  }
  money_->currency = profiles::currency_of(money_->code);
  money_->unit = std::pow(10.0, currency_digits(money_->currency));
  return *money_;
}

double PersonSubject::net_of(const OrderSum& order) const {
  if (order.net.currency != money().code) return 0;
  return static_cast<double>(order.net.minor);
}

// Minor units are added as whole numbers, so that the sum is exact.
double PersonSubject::net_spend() const {
  double minor = 0;
  for (const OrderSum& order : orders()) minor += net_of(order);
  return minor / money().unit;
}

std::string_view PersonSubject::currency() const { return money().currency; }

std::optional<RfmFigures> PersonSubject::rfm_figures() const {
  return segments::rfm_figures(orders(), now_ms_);
}

std::optional<RfmScores> PersonSubject::rfm() const {
  if (!scores_) {
    const std::optional<RfmFigures> figures = rfm_figures();
    scores_.emplace(figures ? rfm_scores(*figures, around_.rfm) : std::nullopt);
  }
  return *scores_;
}

std::string_view PersonSubject::rfm_group() const {
  if (orders().empty()) return k_prospects;
  const std::optional<RfmScores> scores = rfm();
  return scores ? rfm_group_of(*scores, orders().size()) : std::string_view();
}

std::string_view PersonSubject::stage() const {
  if (orders().empty()) return "prospect";
  const TimeMs since_last_ms = now_ms_ - orders().back().time_ms;
  if (now_ms_ - orders().front().time_ms < k_new_days * k_day_ms) return "new";
  if (since_last_ms < k_active_days * k_day_ms) return "active";
  return since_last_ms < k_at_risk_days * k_day_ms ? "at_risk" : "churned";
}

TimeMs PersonSubject::stage_ends_ms() const {
  if (orders().empty()) return k_never_ms;
  const TimeMs first_ms = orders().front().time_ms;
  const TimeMs last_ms = orders().back().time_ms;
  for (const TimeMs end_ms : {first_ms + k_new_days * k_day_ms, last_ms + k_active_days * k_day_ms,
                              last_ms + k_at_risk_days * k_day_ms}) {
    if (end_ms > now_ms_) return end_ms;
  }
  return k_never_ms;
}

TimeMs PersonSubject::rfm_changes_ms() const {
  if (orders().empty()) return k_never_ms;
  if (scores_change_ms_ != 0) return scores_change_ms_;
  TimeMs changes_ms = next_day_ms(orders().back().time_ms, now_ms_);
  for (const OrderSum& order : orders()) {
    const TimeMs leaves_ms = order.time_ms + k_rfm_window_ms;
    if (leaves_ms > now_ms_) changes_ms = std::min(changes_ms, leaves_ms);
  }
  return scores_change_ms_ = changes_ms;
}

const std::vector<std::string>& PersonSubject::top_categories() const {
  find_tops();
  return *top_categories_;
}
const std::vector<std::string>& PersonSubject::top_brands() const {
  find_tops();
  return top_brands_;
}

const Level& PersonSubject::level() const {
  static const LevelRules k_none;
  if (!level_) {
    level_ = level_of(orders(), money().code, money().unit,
                      around_.levels != nullptr ? *around_.levels : k_none, now_ms_);
  }
  return *level_;
}

std::optional<bool> PersonSubject::boolean(std::size_t) const { return !is_visitor_; }

std::optional<double> PersonSubject::rfm_number(int RfmScores::* score) const {
  const std::optional<RfmScores> scores = rfm();
  return scores ? std::optional<double>((*scores).*score) : std::nullopt;
}

std::optional<double> PersonSubject::number(std::size_t slot) const {
  const bool bought = !orders().empty();
  const auto count = [](std::size_t size) { return static_cast<double>(size); };
  switch (static_cast<Slot>(slot)) {
    case Slot::orders_count: {
      double orders_count = 0;
      for (const OrderSum& order : orders()) orders_count += order.count;
      return orders_count;
    }
    case Slot::net_spend:
      return net_spend();
    case Slot::average_order:
      if (!bought) return std::nullopt;
      return net_spend() / *number(static_cast<std::size_t>(Slot::orders_count));
    case Slot::first_order_at:
      return bought ? std::optional<double>(age_of(orders().front())) : std::nullopt;
    case Slot::last_order_at:
      return bought ? std::optional<double>(age_of(orders().back())) : std::nullopt;
    case Slot::first_seen_at:
      return profile_.events > 0 ? time_of(profile_.first_seen_ms) : std::nullopt;
    case Slot::last_seen_at:
      return profile_.events > 0 ? time_of(profile_.last_seen_ms) : std::nullopt;
    case Slot::events_count:
      return profile_.events;
    case Slot::products_bought:
      return count(profile_.bought.size());
    case Slot::lifetime_days:
      if (profile_.events == 0) return std::nullopt;
      return std::floor(static_cast<double>(now_ms_ - profile_.first_seen_ms) / k_day_ms);
    case Slot::rfm_recency:
      return rfm_number(&RfmScores::recency);
    case Slot::rfm_frequency:
      return rfm_number(&RfmScores::frequency);
    case Slot::rfm_monetary:
      return rfm_number(&RfmScores::monetary);
    case Slot::price_from:
      return prices().from;
    case Slot::price_to:
      return prices().to;
    default:
      return std::nullopt;
  }
}

std::optional<std::string_view> PersonSubject::text(std::size_t slot) const {
  const auto unless_empty = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  switch (static_cast<Slot>(slot)) {
    case Slot::currency:
      return unless_empty(currency());
    case Slot::stage:
      return stage();
    case Slot::last_brand: {
      if (around_.catalog == nullptr || profile_.recent.empty()) return std::nullopt;
      const Product* const product = around_.catalog->find(profile_.recent.front().product);
      return product == nullptr ? std::nullopt : unless_empty(product->brand);
    }
    case Slot::country:
      return entry(slot, "country");
    case Slot::channel: {
      const profiles::ChannelUse* const most = profiles::main_channel(profile_);
      return most == nullptr ? std::nullopt : std::optional<std::string_view>(most->name);
    }
    case Slot::rfm_group:
      return unless_empty(rfm_group());
    case Slot::level:
      return unless_empty(level().name);
    case Slot::rfm_cell: {
      const std::optional<RfmScores> scores = rfm();
      return scores ? std::optional<std::string_view>(rfm_cell_of(*scores).name) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::span<const std::string> PersonSubject::texts(std::size_t slot) const {
  return static_cast<Slot>(slot) == Slot::top_categories ? top_categories() : top_brands();
}

std::optional<std::string_view> PersonSubject::entry(std::size_t, std::string_view key) const {
  const auto place = std::ranges::lower_bound(profile_.traits, key, {}, &profiles::Trait::name);
  if (place == profile_.traits.end() || place->name != key) return std::nullopt;
  return text_in(place->value);
}

std::size_t PersonSubject::entry_count(std::size_t) const { return profile_.traits.size(); }

TimeMs PersonSubject::changes_at_ms(std::size_t slot) const {
  switch (static_cast<Slot>(slot)) {
    case Slot::lifetime_days:
      return next_day_ms(profile_.first_seen_ms, now_ms_);
    case Slot::stage:
      return stage_ends_ms();
    case Slot::level:
      return level().changes_at_ms;
    default:
      return rfm_changes_ms();
  }
}

Counted PersonSubject::count_deeds(EventType type, TimeMs since_ms) const {
  Counted counted;
  for (const profiles::DeedsOfMinute& deeds :
       std::ranges::equal_range(profile_.deeds, type, {}, &profiles::DeedsOfMinute::type)) {
    const TimeMs time_ms = deeds.minute * k_minute_ms;
    if (time_ms <= since_ms) continue;
    counted.value += deeds.count;
    counted.oldest_ms = std::min(counted.oldest_ms, time_ms);
  }
  return counted;
}

Counted PersonSubject::count_recent(EventType type, std::string_view category,
                                    TimeMs since_ms) const {
  Counted counted;
  if (around_.catalog == nullptr) return counted;
  for (const profiles::ProfileEvent& event : profile_.recent) {
    if (event.time_ms <= since_ms) break;  // newest first
    if (event.type != type) continue;
    const Product* const product = around_.catalog->find(event.product);
    if (product == nullptr) continue;
    const bool is_there = std::ranges::any_of(product->categories, [&](const std::string& path) {
      return is_in_category(path, category);
    });
    if (!is_there) continue;
    counted.value += 1;
    counted.oldest_ms = event.time_ms;
  }
  return counted;
}

// Purchases are orders, less those that were taken back.
std::optional<Counted> PersonSubject::event_count(EventType type, std::string_view category,
                                                  TimeMs since_ms) const {
  if (!category.empty()) return count_recent(type, category, since_ms);
  if (type != EventType::purchase) return count_deeds(type, since_ms);
  Counted counted;
  for (const OrderSum& order : orders()) {
    if (order.time_ms <= since_ms) continue;
    counted.value += order.count;
    counted.oldest_ms = std::min(counted.oldest_ms, order.time_ms);
  }
  return counted;
}

std::optional<Counted> PersonSubject::spend(TimeMs since_ms) const {
  Counted counted;
  for (const OrderSum& order : orders()) {
    if (order.time_ms <= since_ms) continue;
    counted.value += net_of(order);
    counted.oldest_ms = std::min(counted.oldest_ms, order.time_ms);
  }
  counted.value /= money().unit;
  return counted;
}

std::optional<double> PersonSubject::last_event_ms(EventType type) const {
  if (type == EventType::purchase) {
    return orders().empty() ? std::nullopt : std::optional<double>(age_of(orders().back()));
  }
  const auto deeds =
      std::ranges::equal_range(profile_.deeds, type, {}, &profiles::DeedsOfMinute::type);
  if (deeds.empty()) return std::nullopt;
  return time_of(deeds.back().minute * k_minute_ms);
}

std::optional<bool> PersonSubject::is_in_segment(std::string_view key,
                                                 TimeMs& changes_at_ms) const {
  if (around_.segments == nullptr) return std::nullopt;
  return around_.segments->is_in(key, *this, changes_at_ms);
}

const PersonSubject::Found* PersonSubject::found(std::size_t at) const {
  return at < found_.size() && found_[at] ? &*found_[at] : nullptr;
}

void PersonSubject::remember(std::size_t at, const Found& found) const {
  constexpr std::size_t k_at_once = 64;
  if (at >= found_.size()) found_.resize(at + k_at_once);
  found_[at] = found;
}

std::optional<double> PersonSubject::bucket(std::string_view seed) const {
  if (user_ == k_nobody) return std::nullopt;
  return bucket_of(seed, user_);
}

}  // namespace vitrine::segments
