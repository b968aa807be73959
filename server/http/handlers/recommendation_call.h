// Recommendation requests in their HTTP forms.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "server/http/handlers/product_fields.h"
#include "server/http/limits.h"
#include "server/http/request.h"
#include "server/http/user_token.h"
#include "server/recommend/recommender.h"

namespace vitrine::http {

struct RecommendationCall {
  recommend::RecommendRequest request;
  ProductFields fields = ProductFields::usual();
  std::string user_token = {};
  std::optional<UserTokenState> user_token_state = {};  // for requests that need one
};

// Several placements of one page, asked by one person.
struct PageCall {
  std::vector<RecommendationCall> calls;
};

struct RankingCall : RecommendationCall {
  std::vector<std::string> products;
};

struct WhyNotCall : RecommendationCall {
  std::string product_id;
};

// The full form, a JSON body.
absl::StatusOr<RecommendationCall> recommendation_from_body(const Request& request,
                                                            const Limits& limits);
// The simple form: the placement in the path, the rest in the query.
absl::StatusOr<RecommendationCall> recommendation_from_query(const Request& request);

absl::StatusOr<PageCall> page_from_body(const Request& request, const Limits& limits);
absl::StatusOr<RankingCall> ranking_from_body(const Request& request, const Limits& limits);
absl::StatusOr<WhyNotCall> why_not_from_body(const Request& request, const Limits& limits);

}  // namespace vitrine::http
