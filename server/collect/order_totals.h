// What an order was worth, although senders mean different things by the same word. For this
// folder's files only.
//
// Thread-safe.
#pragma once

#include <boost/json.hpp>

#include <string_view>

#include "server/collect/json_fields.h"

namespace vitrine::collect {

// Uses the amounts among the order's fields and gives them back as decimals, with `net`, what was
// paid for the products, and `net_rule`, how it was found. "Revenue" is before the discount in
// Segment's own example and after it elsewhere, so it is asked next to last:
//   subtotal                      as it is
//   total_less_shipping_and_tax   total - shipping - tax
//   revenue_less_discount         revenue - discount
//   value                         GA4's, as it is
// A rule that gives less than nothing is passed over; without any there is no `net`.
boost::json::object order_totals(JsonFields& order, std::string_view currency);

}  // namespace vitrine::collect
