// Whether a person is who a request says: under a public key only a user token proves it.
//
// Thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "server/collect/collector.h"
#include "server/http/handlers/routes.h"
#include "server/http/request.h"
#include "server/http/user_token.h"

namespace vitrine::http {

// Nothing when the request is believed without a token, or names no user.
std::optional<UserTokenState> check_person(const Services& services, const Request& request,
                                           std::string_view user_id, std::string_view token);

// Marks what came under a public key as unverified, and its user ids as claims unless their token
// is valid.
void set_trust(const Services& services, const Request& request,
               std::vector<collect::IncomingEvent>& batch);

}  // namespace vitrine::http
