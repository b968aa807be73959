#include "server/collect/tracked_names.h"

#include <algorithm>
#include <array>
#include <string>

namespace vitrine::collect {
namespace {

struct Named {
  std::string_view name;  // lower case, words parted by one space
  TrackedName meaning;
};

constexpr TrackedName k_checkout{EventType::checkout, Shape::products, true};
constexpr TrackedName k_share{EventType::share, Shape::plain, true};
constexpr TrackedName k_sign_up{EventType::sign_up, Shape::plain, false};
constexpr TrackedName k_login{EventType::login, Shape::plain, false};

// Of one specification each: Segment's version 2, its version 1, GA4.
constexpr Named k_names[] = {
    {"product viewed", {EventType::view, Shape::product, false}},
    {"product clicked", {EventType::click, Shape::product, false}},
    {"product list viewed", {EventType::list_view, Shape::products, false}},
    {"product list filtered", {EventType::list_view, Shape::products, true}},
    {"product added", {EventType::cart_add, Shape::product, false}},
    {"product removed", {EventType::cart_remove, Shape::product, false}},
    {"cart viewed", {EventType::cart_view, Shape::products, false}},
    {"checkout started", {EventType::checkout, Shape::products, false}},
    {"checkout step viewed", k_checkout},
    {"checkout step completed", k_checkout},
    {"payment info entered", k_checkout},
    {"order completed", {EventType::purchase, Shape::order, false}},
    {"order updated", {EventType::order_update, Shape::products, false}},
    {"order refunded", {EventType::refund, Shape::takeback, false}},
    {"order cancelled", {EventType::cancel, Shape::cancel, false}},
    {"order canceled", {EventType::cancel, Shape::cancel, false}},
    {"products searched", {EventType::search, Shape::plain, false}},
    {"product added to wishlist", {EventType::wish_add, Shape::product, false}},
    {"product removed from wishlist", {EventType::wish_remove, Shape::product, false}},
    {"wishlist product added to cart", {EventType::cart_add, Shape::product, true}},
    {"promotion viewed", {EventType::promo_view, Shape::plain, false}},
    {"promotion clicked", {EventType::promo_click, Shape::plain, false}},
    {"coupon entered", {EventType::coupon_enter, Shape::plain, false}},
    {"coupon applied", {EventType::coupon_apply, Shape::plain, false}},
    {"coupon denied", {EventType::coupon_deny, Shape::plain, false}},
    {"coupon removed", {EventType::coupon_remove, Shape::plain, false}},
    {"product shared", k_share},
    {"cart shared", k_share},
    {"product reviewed", {EventType::review, Shape::plain, false}},
    {"signed up", k_sign_up},
    {"account created", k_sign_up},
    {"signed in", k_login},

    {"viewed product", {EventType::view, Shape::product, false}},
    {"clicked product", {EventType::click, Shape::product, false}},
    {"viewed product category", {EventType::list_view, Shape::products, false}},
    {"added product", {EventType::cart_add, Shape::product, false}},
    {"removed product", {EventType::cart_remove, Shape::product, false}},
    {"viewed cart", {EventType::cart_view, Shape::products, false}},
    {"started checkout", {EventType::checkout, Shape::products, false}},
    {"viewed checkout step", k_checkout},
    {"completed checkout step", k_checkout},
    {"completed order", {EventType::purchase, Shape::order, false}},
    {"viewed promotion", {EventType::promo_view, Shape::plain, false}},
    {"clicked promotion", {EventType::promo_click, Shape::plain, false}},

    {"view item", {EventType::view, Shape::product, false}},
    {"select item", {EventType::click, Shape::product, false}},
    {"view item list", {EventType::list_view, Shape::products, false}},
    {"add to cart", {EventType::cart_add, Shape::product, false}},
    {"remove from cart", {EventType::cart_remove, Shape::product, false}},
    {"view cart", {EventType::cart_view, Shape::products, false}},
    {"begin checkout", {EventType::checkout, Shape::products, false}},
    {"add shipping info", k_checkout},
    {"add payment info", k_checkout},
    {"purchase", {EventType::purchase, Shape::order, false}},
    {"refund", {EventType::refund, Shape::takeback, false}},
    {"search", {EventType::search, Shape::plain, false}},
    {"view search results", {EventType::search, Shape::plain, false}},
    {"add to wishlist", {EventType::wish_add, Shape::product, false}},
    {"view promotion", {EventType::promo_view, Shape::plain, false}},
    {"select promotion", {EventType::promo_click, Shape::plain, false}},
    {"share", k_share},
    {"sign up", k_sign_up},
    {"login", k_login},
    {"page view", {EventType::page, Shape::plain, false}},
    {"screen view", {EventType::page, Shape::plain, true}},
};

bool parts_words(char c) { return c == ' ' || c == '_' || c == '-' || c == '.' || c == '\t'; }

std::string plain_form(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (!parts_words(c)) {
      plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!plain.empty() && plain.back() != ' ') {
      plain += ' ';
    }
  }
  if (plain.ends_with(' ')) plain.pop_back();
  return plain;
}

// Ours are about a product, or about nothing more.
TrackedName own_name(EventType type) {
  const bool lists = type == EventType::list_view || type == EventType::cart_view ||
                     type == EventType::checkout || type == EventType::order_update;
  return {type,
          needs_product(type) ? Shape::product
          : lists             ? Shape::products
                              : Shape::plain,
          false};
}

}  // namespace

std::optional<TrackedName> tracked_name(std::string_view name) {
  std::string plain = plain_form(name);
  const auto found = std::ranges::find(k_names, plain, &Named::name);
  if (found != std::end(k_names)) return found->meaning;
  std::ranges::replace(plain, ' ', '_');
  const std::optional<EventType> own = event_type_of(plain);
  return own ? std::optional(own_name(*own)) : std::nullopt;
}

}  // namespace vitrine::collect
