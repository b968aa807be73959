// What the conditions of coupons ask about a person, from what is known about them.
//
// Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <string_view>

#include "server/coupons/evaluation.h"
#include "server/http/handlers/routes.h"
#include "server/http/request.h"

namespace vitrine::http {

// Whoever is not known has no orders and no level. Looks at the audiences of all campaigns.
coupons::Shopper shopper_of(const Services& services, std::string_view user_id);

// PermissionDenied: under a public key a user id needs a valid user_token.
absl::Status check_shopper(const Services& services, const Request& request,
                           std::string_view user_id, std::string_view user_token);

}  // namespace vitrine::http
