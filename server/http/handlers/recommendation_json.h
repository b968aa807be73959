// Recommendation requests and answers in their HTTP forms.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "server/http/handlers/product_fields.h"
#include "server/http/limits.h"
#include "server/http/request.h"
#include "server/recommend/recommender.h"

namespace vitrine::http {

struct RecommendationCall {
  recommend::RecommendRequest request;
  ProductFields fields = ProductFields::usual();
};

// The full form, a JSON body.
absl::StatusOr<RecommendationCall> recommendation_from_body(const Request& request,
                                                            const Limits& limits);
// The simple form: the placement in the path, the rest in the query.
absl::StatusOr<RecommendationCall> recommendation_from_query(const Request& request);

std::string recommendation_json(const RecommendationCall& call,
                                const recommend::RecommendAnswer& answer);

}  // namespace vitrine::http
