#include "server/http/handlers/shopper.h"

#include "base/status.h"
#include "server/http/coupon_store.h"
#include "server/http/handlers/person.h"
#include "server/segments/person.h"

namespace vitrine::http {
namespace {

// Traits are kept as JSON: a text has quotes.
std::string level_of(const profiles::Profile& profile) {
  for (const profiles::Trait& trait : profile.traits) {
    if (trait.name != "level") continue;
    const std::string& value = trait.value;
    const bool is_text = value.size() >= 2 && value.front() == '"';
    return is_text ? value.substr(1, value.size() - 2) : value;
  }
  return "";
}

}  // namespace

coupons::Shopper shopper_of(const Services& services, std::string_view user_id) {
  coupons::Shopper shopper;
  if (!user_id.empty()) shopper.user = services.identities.find(user_id, "").user;
  const auto known = shopper.user == k_nobody ? nullptr : services.profiles.find(shopper.user);
  static const profiles::Profile nobody;
  const profiles::Profile& profile = known ? *known : nobody;
  shopper.orders = profile.orders;
  if (shopper.orders > 0) {
    const auto orders = profiles::orders_of(profile);
    if (!orders.empty()) shopper.first_order_ms = orders.front().time_ms;
  }
  shopper.level = level_of(profile);
  const auto book = services.campaigns.current();
  const TimeMs now_ms = services.clock.now_ms();
  std::optional<segments::Surroundings> around;
  std::optional<segments::PersonSubject> person;
  for (const auto& [id, campaign] : book->campaigns()) {
    if (!campaign->is_meant) continue;
    if (!person) {
      around = services.segment_engine.surroundings();
      person.emplace(shopper.user, user_id.empty(), profile, now_ms, *around);
    }
    if (!campaign->is_meant->holds(*person, now_ms)) shopper.not_meant.insert(id);
  }
  return shopper;
}

absl::Status check_shopper(const Services& services, const Request& request,
                           std::string_view user_id, std::string_view user_token) {
  const auto state = check_person(services, request, user_id, user_token);
  if (!state || *state == UserTokenState::valid) return absl::OkStatus();
  return make_status(absl::StatusCode::kPermissionDenied,
                     "user_token is {}: under a public key the coupons of a user need a valid one",
                     name_of(*state));
}

}  // namespace vitrine::http
