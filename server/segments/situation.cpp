#include "server/segments/situation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace vitrine::segments {
namespace {

using expressions::Field;
using expressions::k_never_ms;
using expressions::Schema;
using expressions::Type;

enum class Slot : std::uint8_t {
  session_views,
  session_products,
  session_categories,
  session_brands,
  cart_subtotal,
  cart_currency,
  cart_quantity,
  cart_products,
  cart_categories,
  cart_brands,
  placement,
  product_id,
  category,
  channel,
  device,
  market,
  country,
  query,
  hour,
  weekday
};

// In the order of the slots.
constexpr std::array<Field, 20> k_fields = {{
    {"session.views", Type::number, "Products looked at in this session, each time counting"},
    {"session.products", Type::texts, "Their ids"},
    {"session.categories", Type::paths, "What they are in"},
    {"session.brands", Type::texts, "Their brands"},
    {"cart.subtotal", Type::number, "Price by quantity of what is in the cart, in cart.currency"},
    {"cart.currency", Type::text, "Of the first price; other currencies are not added"},
    {"cart.quantity", Type::number, "Pieces in the cart"},
    {"cart.products", Type::texts, "Ids of what is in the cart"},
    {"cart.categories", Type::paths, "What that is in"},
    {"cart.brands", Type::texts, "Its brands"},
    {"context.placement", Type::text, "Where the answer will be shown"},
    {"context.product_id", Type::text, "The product of the page"},
    {"context.category", Type::text, "The category of the page"},
    {"context.channel", Type::text, "web, app, email: as the shop says"},
    {"context.device", Type::text, "phone, tablet, desktop: as the shop says"},
    {"context.market", Type::text, "As in a product's markets"},
    {"context.country", Type::text, "Where the person is, as the shop says"},
    {"context.query", Type::text, "What is searched for"},
    {"context.hour", Type::number, "0 to 23, by context.utc_offset_minutes of the request", true},
    {"context.weekday", Type::number, "1 (Monday) to 7, likewise", true},
}};

std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

void keep_each_once(std::vector<std::string>& texts) {
  std::ranges::sort(texts);
  texts.erase(std::ranges::unique(texts).begin(), texts.end());
}

// The price of one piece with its currency.
std::optional<std::pair<Money, std::string_view>> price_of(const Situation::Line& line) {
  if (line.price) return std::pair(*line.price, line.currency);
  if (line.product == nullptr || !line.product->price) return std::nullopt;
  return std::pair(*line.product->price, std::string_view(line.product->currency));
}

template <class Lists, class Lines>
Lists lists_of(const Lines& lines) {
  Lists lists;
  for (const auto& line : lines) {
    lists.products.emplace_back(line.product_id);
    if (line.product == nullptr) continue;
    lists.categories.insert(lists.categories.end(), line.product->categories.begin(),
                            line.product->categories.end());
    if (!line.product->brand.empty()) lists.brands.push_back(line.product->brand);
  }
  for (auto* const list : {&lists.products, &lists.categories, &lists.brands}) {
    keep_each_once(*list);
  }
  return lists;
}

}  // namespace

const Schema& situation_schema() {
  static const Schema schema("what somebody is doing", {k_fields.begin(), k_fields.end()});
  return schema;
}

const SituationSubject::Lists& SituationSubject::session() const {
  if (!session_) session_ = lists_of<Lists>(situation_.session);
  return *session_;
}

const SituationSubject::Lists& SituationSubject::cart() const {
  if (!cart_) cart_ = lists_of<Lists>(situation_.cart);
  return *cart_;
}

std::string_view SituationSubject::cart_currency() const {
  for (const Situation::Line& line : situation_.cart) {
    if (const auto price = price_of(line)) return price->second;
  }
  return {};
}

// 0 for an empty cart; nothing where no price is known.
std::optional<double> SituationSubject::subtotal() const {
  if (situation_.cart.empty()) return 0;
  const std::string_view currency = cart_currency();
  bool is_known = false;
  double minor = 0;
  for (const Situation::Line& line : situation_.cart) {
    const auto price = price_of(line);
    if (!price || price->second != currency) continue;
    is_known = true;
    minor += static_cast<double>(price->first.minor) * line.quantity;
  }
  if (!is_known) return std::nullopt;
  return minor / std::pow(10.0, currency_digits(currency));
}

TimeMs SituationSubject::local_ms() const {
  return situation_.now_ms + situation_.utc_offset_minutes * k_minute_ms;
}

std::optional<bool> SituationSubject::boolean(std::size_t) const { return std::nullopt; }

std::optional<double> SituationSubject::number(std::size_t slot) const {
  constexpr TimeMs k_first_monday_days = 4;  // 1970-01-05
  switch (static_cast<Slot>(slot)) {
    case Slot::session_views:
      return static_cast<double>(situation_.session.size());
    case Slot::cart_subtotal:
      return subtotal();
    case Slot::cart_quantity: {
      double quantity = 0;
      for (const Situation::Line& line : situation_.cart) quantity += line.quantity;
      return quantity;
    }
    case Slot::hour:
      return static_cast<double>(local_ms() % k_day_ms / k_hour_ms);
    case Slot::weekday:
      return static_cast<double>((local_ms() / k_day_ms + 7 - k_first_monday_days) % 7 + 1);
    default:
      return std::nullopt;
  }
}

std::optional<std::string_view> SituationSubject::text(std::size_t slot) const {
  switch (static_cast<Slot>(slot)) {
    case Slot::cart_currency:
      return unless_empty(cart_currency());
    case Slot::placement:
      return unless_empty(situation_.placement);
    case Slot::product_id:
      return unless_empty(situation_.product_id);
    case Slot::category:
      return unless_empty(situation_.category);
    case Slot::channel:
      return unless_empty(situation_.channel);
    case Slot::device:
      return unless_empty(situation_.device);
    case Slot::market:
      return unless_empty(situation_.market);
    case Slot::country:
      return unless_empty(situation_.country);
    case Slot::query:
      return unless_empty(situation_.query);
    default:
      return std::nullopt;
  }
}

std::span<const std::string> SituationSubject::texts(std::size_t slot) const {
  switch (static_cast<Slot>(slot)) {
    case Slot::session_products:
      return session().products;
    case Slot::session_categories:
      return session().categories;
    case Slot::session_brands:
      return session().brands;
    case Slot::cart_products:
      return cart().products;
    case Slot::cart_categories:
      return cart().categories;
    default:
      return cart().brands;
  }
}

std::optional<std::string_view> SituationSubject::entry(std::size_t, std::string_view) const {
  return std::nullopt;
}

std::size_t SituationSubject::entry_count(std::size_t) const { return 0; }

// Of the two that move.
TimeMs SituationSubject::changes_at_ms(std::size_t slot) const {
  const TimeMs step_ms = static_cast<Slot>(slot) == Slot::hour ? k_hour_ms : k_day_ms;
  return situation_.now_ms + step_ms - local_ms() % step_ms;
}

}  // namespace vitrine::segments
