// Offers in their JSON form: what the API takes and gives, and what is stored.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "server/coupons/offer.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

// The whole offer `id`; as campaign_from_json().
absl::StatusOr<coupons::Offer> offer_from_json(std::string_view text, std::string_view id,
                                               std::size_t max_depth);
void append_offer(JsonWriter& json, const coupons::Offer& offer);

}  // namespace vitrine::http
