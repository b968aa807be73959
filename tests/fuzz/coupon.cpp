// Campaigns, offers and carts as shops write them; the first byte says which. What is taken is
// written and read again, and a cart is priced under an offer to the cent.
#include <algorithm>
#include <span>

#include "server/coupons/pricing.h"
#include "server/http/campaign_json.h"
#include "server/http/handlers/checkout_json.h"
#include "server/http/offer_json.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_depth_max = 32;
constexpr TimeMs k_now_ms = 1'790'000'000'000;

enum Way : unsigned { k_campaign, k_offer, k_priced, k_ways };

std::string written(const coupons::Campaign& campaign) {
  std::string text;
  JsonWriter json(text);
  append_campaign(json, campaign, k_now_ms);
  return text;
}

std::string written(const coupons::Offer& offer) {
  std::string text;
  JsonWriter json(text);
  append_offer(json, offer);
  return text;
}

template <class Read>
void check_twin(std::string_view text, const Read& read) {
  const auto value = read(text, "spring", k_depth_max);
  if (!value.ok()) return;
  const std::string first = written(*value);
  const auto again = read(first, "spring", k_depth_max);
  CHECK(again.ok() && written(*again) == first, "what is read is read as it is written");
}

absl::StatusOr<coupons::Cart> read_cart(std::string_view text) {
  JsonDocument document;
  if (const absl::Status parsed = document.parse(text, k_depth_max); !parsed.ok()) return parsed;
  ObjectReader reader(document.root(), "");
  absl::StatusOr<coupons::Checkout> checkout = read_checkout(reader, "order_ref", false, text);
  if (!checkout.ok()) return checkout.status();
  if (const absl::Status whole = reader.finish(); !whole.ok()) return whole;
  return std::move(checkout->cart);
}

// An offer, a line feed, a cart.
void price_cart(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const auto offer = offer_from_json(text.substr(0, end), "five", k_depth_max);
  const auto cart = read_cart(text.substr(std::min(end + 1, text.size())));
  if (!offer.ok() || !cart.ok()) return;
  const coupons::Amounts* const amounts = offer->amounts_in(cart->market, cart->currency);
  if (amounts == nullptr) return;
  const coupons::Applied applied{.id = offer->id,
                                 .priority = offer->priority,
                                 .effect = &offer->effect,
                                 .amounts = amounts,
                                 .covers = std::vector<bool>(cart->lines.size(), true),
                                 .min_quantity = offer->conditions.min_quantity};
  const coupons::Priced priced = price(*cart, std::span(&applied, 1));
  std::int64_t taken = priced.shipping_discount.minor;
  for (std::size_t i = 0; i < cart->lines.size(); ++i) {
    const std::int64_t off = priced.by_line[i].minor;
    CHECK(off >= 0 && off <= cart->lines[i].amount().minor, "no line falls below zero");
    taken += off;
  }
  CHECK(taken == priced.discount.minor, "the lines' discounts come to that of the cart");
  CHECK(priced.payable.minor >= 0, "nobody is paid for buying");
}

void take(std::string_view text) {
  switch (fuzz::take_choice(text) % k_ways) {
    case k_campaign:
      return check_twin(text, campaign_from_json);
    case k_offer:
      return check_twin(text, offer_from_json);
    default:
      return price_cart(text);
  }
}

}  // namespace
}  // namespace vitrine::http

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::http::take(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
