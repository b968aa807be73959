// Checkouts as shops send them, and what coupons make of them.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/desk.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/response.h"

namespace vitrine::http {

// The fields of a cart, of whom it is and of the coupons; `order_field` names the order. The
// request's hash is that of its bytes.
absl::StatusOr<coupons::Checkout> read_checkout(ObjectReader& reader, std::string_view order_field,
                                                bool needs_order, std::string_view bytes);

void append_denied(JsonWriter& json, std::string_view name,
                   const std::vector<coupons::Denied>& denied, std::string_view currency);
void append_denial(JsonWriter& json, const coupons::Denial& denial, std::string_view currency);
// Totals, lines and the offers that were applied.
void append_priced(JsonWriter& json, const coupons::Cart& cart,
                   const std::vector<coupons::Use>& uses, Money payable);
void append_grant(JsonWriter& json, const coupons::Grant& grant, TimeMs now_ms);
// 422: the first denial as the message, all of them beside.
Response denied_response(const std::vector<coupons::Denied>& denied, std::string_view currency,
                         std::string_view request_id);

}  // namespace vitrine::http
