#include "server/http/handlers/shopper.h"

#include "base/status.h"
#include "server/http/coupon_store.h"
#include "server/http/handlers/person.h"
#include "server/segments/person.h"

namespace vitrine::http {
coupons::Shopper shopper_of(const Services& services, std::string_view user_id) {
  coupons::Shopper shopper;
  if (!user_id.empty()) shopper.user = services.identities.find(user_id, "").user;
  const auto known = shopper.user == k_nobody ? nullptr : services.profiles.find(shopper.user);
  static const profiles::Profile nobody;
  const profiles::Profile& profile = known ? *known : nobody;
  if (profile.orders > 0) {
    const auto orders = profiles::orders_of(profile);
    for (const profiles::OrderSum& order : orders) shopper.orders += order.count;
    if (!orders.empty()) shopper.first_order_ms = orders.front().time_ms;
    shopper.cancelled_orders = profile.cancelled_orders;
  }
  const auto book = services.campaigns.current();
  const TimeMs now_ms = services.clock.now_ms();
  const segments::Surroundings around = services.segment_engine.surroundings();
  const segments::PersonSubject person(shopper.user, user_id.empty(), profile, now_ms, around);
  shopper.level = person.level().name;
  for (const auto& [id, campaign] : book->campaigns()) {
    // One that is over, or long from begun, gives nothing, whoever is meant by it.
    const bool is_near = campaign->state_at(now_ms) == coupons::CampaignState::active ||
                         campaign->state_at(now_ms + k_minute_ms) == coupons::CampaignState::active;
    if (!campaign->is_meant || !is_near) continue;
    if (!campaign->is_meant->holds(person, now_ms)) shopper.not_meant.insert(id);
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
