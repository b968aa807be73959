// Recommendation answers in their HTTP form.
//
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "server/http/handlers/recommendation_call.h"
#include "server/recommend/recommender.h"

namespace vitrine::http {

std::string recommendation_json(const RecommendationCall& call,
                                const recommend::RecommendAnswer& answer);
// `ready`, by placement: what stands there already, or nothing for the next of the answers.
std::string page_json(const PageCall& page, const std::vector<recommend::RecommendAnswer>& answers,
                      const std::vector<std::string>& ready);
std::string ranking_json(const RankingCall& call, const recommend::Ranking& ranking);
std::string why_not_json(const WhyNotCall& call, const recommend::WhyNot& why);

}  // namespace vitrine::http
