#include "model/event.h"

#include <algorithm>

#include "base/status.h"

namespace vitrine {
namespace {

struct TypeFacts {
  EventType type;
  std::string_view name;
  bool needs_product;
  float weight;
};

constexpr std::array<TypeFacts, 31> k_types = {{
    {EventType::view, "view", true, 1},
    {EventType::click, "click", true, 1},
    {EventType::list_view, "list_view", false, 0},
    {EventType::cart_add, "cart_add", true, 4},
    {EventType::cart_remove, "cart_remove", true, 0},
    {EventType::cart_view, "cart_view", false, 0},
    {EventType::checkout, "checkout", false, 0},
    {EventType::purchase, "purchase", true, 8},
    {EventType::refund, "refund", true, 0},
    {EventType::cancel, "cancel", false, 0},
    {EventType::search, "search", false, 0},
    {EventType::wish_add, "wish_add", true, 2},
    {EventType::wish_remove, "wish_remove", true, 0},
    {EventType::promo_view, "promo_view", false, 0},
    {EventType::promo_click, "promo_click", false, 0},
    {EventType::coupon_enter, "coupon_enter", false, 0},
    {EventType::coupon_apply, "coupon_apply", false, 0},
    {EventType::coupon_deny, "coupon_deny", false, 0},
    {EventType::coupon_remove, "coupon_remove", false, 0},
    {EventType::share, "share", false, 0},
    {EventType::review, "review", false, 0},
    {EventType::impression, "impression", true, 0},
    {EventType::not_interested, "not_interested", false, 0},
    {EventType::sign_up, "sign_up", false, 0},
    {EventType::login, "login", false, 0},
    {EventType::coupon_claim, "coupon_claim", false, 0},
    {EventType::page, "page", false, 0},
    {EventType::identify, "identify", false, 0},
    {EventType::group, "group", false, 0},
    {EventType::alias, "alias", false, 0},
    {EventType::order_update, "order_update", false, 0},
}};

constexpr std::array<EventType, 31> k_type_list = [] {
  std::array<EventType, 31> list{};
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = k_types[i].type;
  return list;
}();

const TypeFacts& facts_of(EventType type) { return k_types[static_cast<std::size_t>(type) - 1]; }

std::optional<EventRefusal> check_text(std::string_view field, std::string_view text,
                                       std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return EventRefusal{
        "too_long", std::string(field),
        fmt::format("{} must be at most {} bytes, got {}", field, bytes_max, text.size())};
  }
  if (!is_valid_utf8(text)) {
    return EventRefusal{"invalid_utf8", std::string(field),
                        fmt::format("{} must be valid UTF-8", field)};
  }
  return std::nullopt;
}

std::optional<EventRefusal> check_texts(const Event& event, const EventLimits& limits) {
  struct Named {
    std::string_view field;
    const std::string& text;
    std::size_t bytes_max;
  };
  const std::array<Named, 13> all = {{
      {"event_id", event.event_id, limits.id_bytes_max},
      {"user_id", event.user_id, limits.id_bytes_max},
      {"visitor_id", event.visitor_id, limits.id_bytes_max},
      {"session_id", event.session_id, limits.id_bytes_max},
      {"order_id", event.order_id, limits.id_bytes_max},
      {"product_id", event.product_id, limits.id_bytes_max},
      {"category", event.category, limits.text_bytes_max},
      {"coupon_code", event.coupon_code, limits.text_bytes_max},
      {"recommendation_id", event.recommendation_id, limits.text_bytes_max},
      {"channel", event.channel, limits.text_bytes_max},
      {"market", event.market, limits.text_bytes_max},
      {"query", event.query, limits.text_bytes_max},
      {"properties", event.properties_json, limits.properties_bytes_max},
  }};
  for (const Named& named : all) {
    if (auto refusal = check_text(named.field, named.text, named.bytes_max)) return refusal;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(EventType type) { return facts_of(type).name; }

std::optional<EventType> event_type_of(std::string_view name) {
  if (name == "return") return EventType::refund;
  const auto found = std::ranges::find(k_types, name, &TypeFacts::name);
  return found == k_types.end() ? std::nullopt : std::optional(found->type);
}

std::span<const EventType> all_event_types() { return k_type_list; }
bool needs_product(EventType type) { return facts_of(type).needs_product; }
float default_weight(EventType type) { return facts_of(type).weight; }

std::optional<EventRefusal> validate(Event& event, const EventLimits& limits, TimeMs now_ms,
                                     bool is_import) {
  if (auto refusal = check_texts(event, limits)) return refusal;
  if (event.user_id.empty() && event.visitor_id.empty() && event.session_id.empty() &&
      event.order_id.empty()) {
    return EventRefusal{"missing_id", "user_id",
                        "one of user_id, visitor_id, session_id or order_id is required"};
  }
  const bool is_refund_of_order = event.type == EventType::refund && !event.order_id.empty();
  if (needs_product(event.type) && event.product_id.empty() && !is_refund_of_order) {
    return EventRefusal{
        "missing_product", "product_id",
        fmt::format("product_id is required for an event of type {}", name_of(event.type))};
  }
  if (event.quantity < 0 || event.quantity > limits.quantity_max) {
    return EventRefusal{"out_of_range", "quantity",
                        fmt::format("quantity must be between 0 and {}, got {}",
                                    limits.quantity_max, event.quantity)};
  }
  if (event.price && event.price->minor < 0) {
    return EventRefusal{"out_of_range", "price", "price must not be negative"};
  }
  if (!event.currency.empty() && !is_currency(event.currency)) {
    return EventRefusal{"invalid_currency", "currency",
                        fmt::format("currency must be three capital letters (ISO 4217), got '{}'",
                                    std::string_view(event.currency).substr(0, 16))};
  }
  if (!is_import) {
    const TimeMs clamped =
        std::clamp(event.time_ms, now_ms - limits.past_ms_max, now_ms + limits.future_ms_max);
    event.time_clamped = clamped != event.time_ms;
    event.time_ms = clamped;
  }
  return std::nullopt;
}

bool is_valid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return false;
    for (std::size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0) != 0x80) return false;
    }
    // Overlong forms, surrogates and numbers past U+10FFFF show in the second byte (Unicode 15,
    // table 3-7).
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace vitrine
