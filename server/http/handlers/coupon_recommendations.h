// Coupons to show to somebody, as an answer of its own and as a placement beside those of products.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "server/http/handlers/recommendation_call.h"
#include "server/http/handlers/routes.h"
#include "server/http/request.h"
#include "server/http/response.h"

namespace vitrine::http {

// Whether a call for products asks for the coupons of the same person instead. A placement of the
// shop's own of that name comes first.
bool asks_for_coupons(const Services& services, const RecommendationCall& call);

// An object with what to show. A user id that is not proved counts as none.
absl::StatusOr<std::string> coupon_placement_json(const Services& services,
                                                  const RecommendationCall& call);

}  // namespace vitrine::http
