// Conditions and rules in their JSON form: "price < 50 && in_stock", or {"brands": ["acme"],
// "price_max": "50.00", "currency": "EUR"}.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/recommend/product_condition.h"
#include "server/recommend/rule.h"

namespace vitrine::http {

// The condition in the field `name` of `reader`, found at `path`; the empty one when it is absent.
// What is wrong is refused on the reader: a text that is no expression, an unknown part, a price
// without currency.
recommend::ProductCondition read_condition(ObjectReader& reader, std::string_view name,
                                           const std::string& path);
void append_condition(JsonWriter& json, const recommend::ProductCondition& condition);

// The audience in the field `name`; the empty one when it is absent. A text that is no expression
// is refused on the reader.
segments::Audience read_audience(ObjectReader& reader, std::string_view name);

// The condition that an expression says. InvalidArgument names the column.
absl::StatusOr<recommend::ProductCondition> condition_from_text(std::string_view text);

// "boost": [{"when": {...}, "factor": 1.3}], each with an optional id.
std::vector<recommend::Rule> read_boosts(ObjectReader& reader, std::string_view name,
                                         const std::string& path);
// The rules of a placement, pins and validity windows included.
std::vector<recommend::Rule> read_rules(ObjectReader& reader, std::string_view name,
                                        const std::string& path);
void append_rule(JsonWriter& json, const recommend::Rule& rule);

}  // namespace vitrine::http
