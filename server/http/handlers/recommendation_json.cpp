#include "server/http/handlers/recommendation_json.h"

#include "base/status.h"
#include "server/collect/collector.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/http/response.h"

namespace vitrine::http {
namespace {

using recommend::RecommendAnswer;
using recommend::RecommendedProduct;
using recommend::Recommender;
using recommend::RecommendRequest;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::size_t k_text_bytes_max = 1024;
constexpr std::size_t k_expression_bytes_max = 16 * 1024;
constexpr std::size_t k_fields_max = 32;
constexpr std::string_view k_no_expressions =
    "is not supported by this version; narrow the answer with category and exclude";

// An acknowledged event is visible before its sender learns the token, so there is never anything
// to wait for here.
absl::Status check_token(std::optional<std::string_view> token) {
  if (!token) return absl::OkStatus();
  const auto position = collect::position_of(*token);
  return position.ok() ? absl::OkStatus() : with_field(position.status(), "after");
}

void read_context(ObjectReader& context, RecommendRequest& request) {
  const auto text = [&](std::string_view name, std::size_t max_bytes) {
    return std::string(context.text(name, max_bytes).value_or(""));
  };
  request.product_id = text("product_id", k_id_bytes_max);
  request.order_id = text("order_id", k_id_bytes_max);
  request.category = text("category", k_text_bytes_max);
  request.market = text("market", k_text_bytes_max);
  context.text("channel", k_text_bytes_max);
  for (const std::string_view id : context.texts("cart", Recommender::k_list_max, k_id_bytes_max)) {
    request.cart.emplace_back(id);
  }
}

void append_reason(JsonWriter& json, const recommend::Reason& reason) {
  json.key("reason").begin_object().field("kind", reason.kind);
  if (!reason.product_id.empty()) json.field("product_id", reason.product_id);
  json.field("text", reason.text).end_object();
}

void append_product(JsonWriter& json, const RecommendationCall& call,
                    const RecommendedProduct& product) {
  json.begin_object().field("product_id", product.product_id);
  json.field("score", product.score).field("source", product.source);
  append_reason(json, product.reason);
  if (product.product) call.fields.append(json, *product.product);
  if (call.request.explain) {
    json.key("source_scores").begin_object();
    for (const auto& [source, score] : product.source_scores) json.field(source, score);
    json.end_object();
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

}  // namespace

absl::StatusOr<RecommendationCall> recommendation_from_body(const Request& request,
                                                            const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  ObjectReader body(document.root(), "");
  RecommendationCall call;
  RecommendRequest& wanted = call.request;
  wanted.placement = body.required_text("placement", k_id_bytes_max);
  wanted.user_id = body.text("user_id", k_id_bytes_max).value_or("");
  wanted.visitor_id = body.text("visitor_id", k_id_bytes_max).value_or("");
  wanted.session_id = body.text("session_id", k_id_bytes_max).value_or("");
  wanted.limit = static_cast<std::size_t>(
      body.integer("limit", 1, Recommender::k_limit_max).value_or(static_cast<int>(wanted.limit)));
  wanted.personalize = body.boolean("personalize").value_or(true);
  wanted.explain = body.boolean("explain").value_or(false);
  for (const std::string_view id : body.texts("exclude", Recommender::k_list_max, k_id_bytes_max)) {
    wanted.exclude.emplace_back(id);
  }
  if (body.any("filter") != nullptr) body.refuse("filter", k_no_expressions);
  if (body.any("boost") != nullptr) body.refuse("boost", k_no_expressions);
  const std::optional<std::string_view> after = body.text("after", k_id_bytes_max);
  const bool names_fields = body.has("fields");
  const std::vector<std::string_view> fields = body.texts("fields", k_fields_max, k_id_bytes_max);
  const boost::json::value* context = body.object("context");
  VITRINE_RETURN_IF_ERROR(body.finish());
  VITRINE_RETURN_IF_ERROR(check_token(after));
  if (context != nullptr) {
    ObjectReader reader(*context, "context");
    read_context(reader, wanted);
    VITRINE_RETURN_IF_ERROR(reader.finish());
  }
  if (names_fields) {
    VITRINE_ASSIGN_OR_RETURN(call.fields, ProductFields::of(fields));
  }
  return call;
}

absl::StatusOr<RecommendationCall> recommendation_from_query(const Request& request) {
  QueryReader query(request.query);
  RecommendationCall call;
  RecommendRequest& wanted = call.request;
  const auto text = [&](std::string_view name, std::size_t max_bytes) {
    return std::string(query.text(name, max_bytes).value_or(""));
  };
  wanted.placement = request.path("placement");
  wanted.user_id = text("user_id", k_id_bytes_max);
  wanted.visitor_id = text("visitor_id", k_id_bytes_max);
  wanted.session_id = text("session_id", k_id_bytes_max);
  wanted.product_id = text("product_id", k_id_bytes_max);
  wanted.order_id = text("order_id", k_id_bytes_max);
  wanted.category = text("category", k_text_bytes_max);
  wanted.market = text("market", k_text_bytes_max);
  wanted.cart = query.texts("cart", Recommender::k_list_max, k_id_bytes_max);
  wanted.exclude = query.texts("exclude", Recommender::k_list_max, k_id_bytes_max);
  wanted.limit = static_cast<std::size_t>(
      query.integer("limit", 1, Recommender::k_limit_max).value_or(static_cast<int>(wanted.limit)));
  wanted.personalize = query.boolean("personalize").value_or(true);
  wanted.explain = query.boolean("explain").value_or(false);
  if (query.text("filter", k_expression_bytes_max)) query.refuse("filter", k_no_expressions);
  if (query.text("boost", k_expression_bytes_max)) query.refuse("boost", k_no_expressions);
  query.text("channel", k_text_bytes_max);
  const std::optional<std::string_view> after = query.text("after", k_id_bytes_max);
  const std::vector<std::string> fields = query.texts("fields", k_fields_max, k_id_bytes_max);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_RETURN_IF_ERROR(check_token(after));
  if (!fields.empty()) {
    VITRINE_ASSIGN_OR_RETURN(call.fields, ProductFields::of(fields));
  }
  return call;
}

std::string recommendation_json(const RecommendationCall& call, const RecommendAnswer& answer) {
  std::string body;
  body.reserve(256 + 256 * answer.products.size());
  JsonWriter json(body);
  json.begin_object().field("recommendation_id", answer.recommendation_id);
  json.field("placement", answer.placement).key("model_version");
  answer.model_version.empty() ? json.null() : json.value(answer.model_version);
  json.field("personalized", answer.personalized).key("products").begin_array();
  for (const RecommendedProduct& product : answer.products) append_product(json, call, product);
  json.end_array();
  if (answer.products.size() < call.request.limit) append_shortfall(json, call, answer);
  if (call.request.explain) {
    json.key("timing_us").begin_object().field("total", answer.total_us);
    json.field("profile", answer.profile_us).field("candidates", answer.candidates_us);
    json.field("rank", answer.rank_us).end_object();
  }
  json.end_object();
  return body;
}

}  // namespace vitrine::http
