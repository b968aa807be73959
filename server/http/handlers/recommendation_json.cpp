#include "server/http/handlers/recommendation_json.h"

#include "server/http/json_writer.h"

namespace vitrine::http {
namespace {

using recommend::RecommendAnswer;
using recommend::RecommendedProduct;

void append_reason(JsonWriter& json, const recommend::Reason& reason) {
  json.key("reason").begin_object().field("kind", reason.kind);
  if (!reason.product_id.empty()) json.field("product_id", reason.product_id);
  json.field("text", reason.text).end_object();
}

using SourceScores = std::vector<std::pair<std::string_view, float>>;

void append_source_scores(JsonWriter& json, const SourceScores& scores) {
  json.key("source_scores").begin_object();
  for (const auto& [source, score] : scores) json.field(source, score);
  json.end_object();
}

void append_product(JsonWriter& json, const RecommendationCall& call,
                    const RecommendedProduct& product) {
  json.begin_object().field("product_id", product.product_id);
  json.field("score", product.score).field("source", product.source);
  append_reason(json, product.reason);
  if (product.product != nullptr) call.fields.append(json, *product.product);
  if (product.propensity) json.field("propensity", *product.propensity);
  if (call.request.explain) {
    append_source_scores(json, product.source_scores);
    json.key("rules").begin_array();
    for (const std::string& rule : product.rules) json.value(rule);
    json.end_array();
  }
  json.end_object();
}

void append_shortfall(JsonWriter& json, const RecommendationCall& call,
                      const RecommendAnswer& answer) {
  json.key("shortfall").begin_object().field("requested", call.request.limit);
  json.field("returned", answer.products.size()).key("removed").begin_object();
  for (const recommend::Removed& removed : answer.removed) {
    json.field(removed.stage, removed.count);
  }
  json.end_object().end_object();
}

void append_head(JsonWriter& json, const RecommendationCall& call, const RecommendAnswer& answer) {
  json.field("recommendation_id", answer.recommendation_id);
  json.field("placement", answer.placement).field("placement_version", answer.placement_version);
  json.key("model_version");
  answer.model_version.empty() ? json.null() : json.value(answer.model_version);
  json.field("personalized", answer.personalized);
  if (!answer.in_audience) json.field("in_audience", false);
  if (call.user_token_state) json.field("user_token", name_of(*call.user_token_state));
}

void append_answer(JsonWriter& json, const RecommendationCall& call,
                   const RecommendAnswer& answer) {
  append_head(json.begin_object(), call, answer);
  json.key("products").begin_array();
  for (const RecommendedProduct& product : answer.products) append_product(json, call, product);
  json.end_array();
  if (answer.products.size() < call.request.limit) append_shortfall(json, call, answer);
  if (call.request.explain) {
    json.key("timing_us").begin_object().field("total", answer.total_us);
    json.field("profile", answer.profile_us).field("candidates", answer.candidates_us);
    json.field("rank", answer.rank_us).end_object();
  }
  json.end_object();
}

std::string room_for(std::size_t products) {
  std::string body;
  body.reserve(256 + 256 * products);
  return body;
}

// What is unknown keeps its order at the end.
void append_ranked(JsonWriter& json, const RecommendationCall& call,
                   const recommend::Ranking& ranking) {
  json.key("products").begin_array();
  for (const RecommendedProduct& product : ranking.answer.products) {
    if (product.score > 0) {
      append_product(json, call, product);
      continue;
    }
    json.begin_object().field("product_id", product.product_id).field("score", 0);
    if (product.product != nullptr) call.fields.append(json, *product.product);
    json.end_object();
  }
  for (const std::string& id : ranking.unknown) {
    json.begin_object().field("product_id", id).field("score", 0).end_object();
  }
  json.end_array().key("unknown").begin_array();
  for (const std::string& id : ranking.unknown) json.value(id);
  json.end_array().key("removed").begin_array();
  for (const auto& [id, stage] : ranking.removed) {
    json.begin_object().field("product_id", id).field("stage", stage).end_object();
  }
  json.end_array();
}

}  // namespace

std::string recommendation_json(const RecommendationCall& call, const RecommendAnswer& answer) {
  std::string body = room_for(answer.products.size());
  JsonWriter json(body);
  append_answer(json, call, answer);
  return body;
}

std::string page_json(const PageCall& page, const std::vector<RecommendAnswer>& answers,
                      const std::vector<std::string>& ready) {
  std::size_t products = 0;
  for (const RecommendAnswer& answer : answers) products += answer.products.size();
  std::string body = room_for(products);
  JsonWriter json(body);
  json.begin_object().key("placements").begin_array();
  std::size_t next = 0;
  for (std::size_t i = 0; i < page.calls.size(); ++i) {
    if (ready[i].empty()) {
      append_answer(json, page.calls[i], answers[next++]);
    } else {
      json.raw(ready[i]);
    }
  }
  json.end_array().end_object();
  return body;
}

std::string ranking_json(const RankingCall& call, const recommend::Ranking& ranking) {
  std::string body = room_for(call.products.size());
  JsonWriter json(body);
  append_head(json.begin_object(), call, ranking.answer);
  append_ranked(json, call, ranking);
  json.end_object();
  return body;
}

std::string why_not_json(const WhyNotCall& call, const recommend::WhyNot& why) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("placement", why.answer.placement);
  json.field("product_id", call.product_id).field("is_shown", why.position > 0).key("position");
  why.position > 0 ? json.value(why.position) : json.null();
  json.key("stage");
  why.stage.empty() ? json.null() : json.value(why.stage);
  json.field("is_candidate", why.is_candidate).field("score", why.score);
  append_source_scores(json, why.source_scores);
  json.key("last_shown");
  if (why.answer.products.empty()) {
    json.null();
  } else {
    const RecommendedProduct& last = why.answer.products.back();
    json.begin_object().field("product_id", last.product_id).field("score", last.score);
    json.end_object();
  }
  json.key("model_version");
  why.answer.model_version.empty() ? json.null() : json.value(why.answer.model_version);
  json.field("placement_version", why.answer.placement_version).end_object();
  return body;
}

}  // namespace vitrine::http
