#include "server/http/handlers/recommendation_call.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <utility>

#include "base/status.h"
#include "server/collect/collector.h"
#include "server/http/condition_json.h"
#include "server/http/json_reader.h"
#include "server/http/query_reader.h"
#include "server/http/response.h"
#include "server/segments/situation.h"

namespace vitrine::http {
namespace {

using recommend::ProductCondition;
using recommend::Recommender;
using recommend::RecommendRequest;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::size_t k_text_bytes_max = 1024;
constexpr std::size_t k_expression_bytes_max = expressions::Limits().bytes_max;
constexpr std::size_t k_fields_max = 32;
constexpr int k_utc_offset_minutes_max = segments::Situation::k_utc_offset_minutes_max;

// An acknowledged event is visible before its sender learns the token, so there is never anything
// to wait for here.
absl::Status check_token(std::optional<std::string_view> token) {
  if (!token) return absl::OkStatus();
  const auto position = collect::position_of(*token);
  return position.ok() ? absl::OkStatus() : with_field(position.status(), "after");
}

absl::Status read_context(const boost::json::value* value, RecommendRequest& request) {
  if (value == nullptr) return absl::OkStatus();
  ObjectReader context(*value, "context");
  const auto text = [&](std::string_view name, std::size_t max_bytes) {
    return std::string(context.text(name, max_bytes).value_or(""));
  };
  request.product_id = text("product_id", k_id_bytes_max);
  request.order_id = text("order_id", k_id_bytes_max);
  request.category = text("category", k_text_bytes_max);
  request.market = text("market", k_text_bytes_max);
  request.channel = text("channel", k_text_bytes_max);
  request.device = text("device", k_text_bytes_max);
  request.country = text("country", k_text_bytes_max);
  request.query = text("query", k_text_bytes_max);
  request.utc_offset_minutes = static_cast<int>(
      context.integer("utc_offset_minutes", -k_utc_offset_minutes_max, k_utc_offset_minutes_max)
          .value_or(0));
  for (const std::string_view id : context.texts("cart", Recommender::k_list_max, k_id_bytes_max)) {
    request.cart.emplace_back(id);
  }
  return context.finish();
}

// What every form has once: who asks, and where they are.
class CallReader {
 public:
  CallReader(const boost::json::value& root, RecommendationCall& call)
      : body_(root, ""), call_(call) {}

  ObjectReader& body() { return body_; }

  void read_person() {
    RecommendRequest& wanted = call_.request;
    wanted.user_id = body_.text("user_id", k_id_bytes_max).value_or("");
    wanted.visitor_id = body_.text("visitor_id", k_id_bytes_max).value_or("");
    wanted.session_id = body_.text("session_id", k_id_bytes_max).value_or("");
    call_.user_token = body_.text("user_token", k_text_bytes_max).value_or("");
    wanted.personalize = body_.boolean("personalize").value_or(true);
    wanted.explain = body_.boolean("explain").value_or(false);
    wanted.explore = body_.boolean("explore").value_or(true);
    after_ = body_.text("after", k_id_bytes_max);
    context_ = body_.object("context");
  }

  absl::Status finish() {
    VITRINE_RETURN_IF_ERROR(body_.finish());
    VITRINE_RETURN_IF_ERROR(check_token(after_));
    return read_context(context_, call_.request);
  }

 private:
  ObjectReader body_;
  RecommendationCall& call_;
  std::optional<std::string_view> after_;
  const boost::json::value* context_ = nullptr;
};

// What narrows and orders one list, and what of it is sent; `path` as ObjectReader has it.
class ListReader {
 public:
  ListReader(ObjectReader& body, std::string path, RecommendationCall& call)
      : body_(body), path_(std::move(path)), call_(call) {}

  void read(bool is_recommendation) {
    RecommendRequest& wanted = call_.request;
    if (is_recommendation) {
      wanted.limit = static_cast<std::size_t>(body_.integer("limit", 1, Recommender::k_limit_max)
                                                  .value_or(static_cast<int>(wanted.limit)));
      for (const std::string_view id :
           body_.texts("exclude", Recommender::k_list_max, k_id_bytes_max)) {
        wanted.exclude.emplace_back(id);
      }
      wanted.filter = read_condition(body_, "filter", path_);
    }
    wanted.boosts = read_boosts(body_, "boost", path_);
    names_fields_ = body_.has("fields");
    fields_ = body_.texts("fields", k_fields_max, k_id_bytes_max);
  }

  absl::Status finish() {
    if (!names_fields_) return absl::OkStatus();
    VITRINE_ASSIGN_OR_RETURN(call_.fields, ProductFields::of(fields_));
    return absl::OkStatus();
  }

 private:
  ObjectReader& body_;
  const std::string path_;
  RecommendationCall& call_;
  bool names_fields_ = false;
  std::vector<std::string_view> fields_;
};

// One placement of a page: the page's person and place, its own list.
absl::StatusOr<RecommendationCall> page_part(const boost::json::value& part, std::size_t place,
                                             const RecommendationCall& page) {
  RecommendationCall call = page;
  std::string path = fmt::format("placements[{}]", place);
  ObjectReader body(part, path);
  ListReader list(body, std::move(path), call);
  call.request.placement = body.required_text("placement", k_id_bytes_max);
  list.read(true);
  VITRINE_RETURN_IF_ERROR(body.finish());
  VITRINE_RETURN_IF_ERROR(list.finish());
  return call;
}

std::optional<Money> read_price(QueryReader& query, std::string_view name,
                                std::string_view currency) {
  const auto text = query.text(name, k_id_bytes_max);
  if (!text) return std::nullopt;
  if (!is_currency(currency)) {
    query.refuse("currency", "is required beside a price: three capital letters as in ISO 4217");
    return std::nullopt;
  }
  const absl::StatusOr<Money> price = parse_money(*text, currency);
  if (price.ok()) return *price;
  query.refuse(name, message_of(price.status()));
  return std::nullopt;
}

ProductCondition condition_from_query(QueryReader& query) {
  const auto texts = [&](std::string_view name) {
    return query.texts(name, ProductCondition::k_values_max, k_text_bytes_max);
  };
  ProductCondition condition;
  condition.categories = texts("categories");
  condition.brands = texts("brands");
  condition.not_categories = texts("not_categories");
  condition.not_brands = texts("not_brands");
  condition.currency = query.text("currency", k_id_bytes_max).value_or("");
  condition.price_min = read_price(query, "price_min", condition.currency);
  condition.price_max = read_price(query, "price_max", condition.currency);
  const absl::Status status = recommend::validate(condition, "filter");
  // "filter.price_min must ...": the parameters stand alone.
  if (!status.ok()) {
    std::string_view message = message_of(status);
    message.remove_prefix(std::string_view("filter.").size());
    const std::size_t end = std::min(message.find(' '), message.size());
    query.refuse(message.substr(0, end), message.substr(std::min(end + 1, message.size())));
  }
  return condition;
}

}  // namespace

absl::StatusOr<RecommendationCall> recommendation_from_body(const Request& request,
                                                            const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  RecommendationCall call;
  call.request.arrived_us = request.arrived_us;
  CallReader reader(document.root(), call);
  ListReader list(reader.body(), "", call);
  call.request.placement = reader.body().required_text("placement", k_id_bytes_max);
  reader.read_person();
  list.read(true);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(list.finish());
  return call;
}

absl::StatusOr<PageCall> page_from_body(const Request& request, const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  RecommendationCall whole;
  whole.request.arrived_us = request.arrived_us;
  CallReader reader(document.root(), whole);
  ListReader list(reader.body(), "", whole);
  reader.read_person();
  list.read(true);
  const boost::json::array* const parts =
      reader.body().array("placements", Recommender::k_page_max);
  if (parts == nullptr || parts->empty()) {
    reader.body().refuse("placements", "must name at least one placement");
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(list.finish());
  PageCall page;
  for (const boost::json::value& part : *parts) {
    VITRINE_ASSIGN_OR_RETURN(RecommendationCall call, page_part(part, page.calls.size(), whole));
    page.calls.push_back(std::move(call));
  }
  return page;
}

absl::StatusOr<RankingCall> ranking_from_body(const Request& request, const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  RankingCall call;
  call.request.arrived_us = request.arrived_us;
  CallReader reader(document.root(), call);
  ListReader list(reader.body(), "", call);
  call.request.placement = reader.body().text("placement", k_id_bytes_max).value_or("search");
  reader.read_person();
  list.read(false);
  for (const std::string_view id :
       reader.body().texts("products", Recommender::k_list_max, k_id_bytes_max)) {
    call.products.emplace_back(id);
  }
  if (call.products.empty()) reader.body().refuse("products", "must name at least one product");
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(list.finish());
  return call;
}

absl::StatusOr<WhyNotCall> why_not_from_body(const Request& request, const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  WhyNotCall call;
  CallReader reader(document.root(), call);
  ListReader list(reader.body(), "", call);
  call.request.placement = reader.body().required_text("placement", k_id_bytes_max);
  call.product_id = reader.body().required_text("product_id", k_id_bytes_max);
  reader.read_person();
  list.read(true);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(list.finish());
  return call;
}

absl::StatusOr<RecommendationCall> recommendation_from_query(const Request& request) {
  QueryReader query(request.query);
  RecommendationCall call;
  RecommendRequest& wanted = call.request;
  const auto text = [&](std::string_view name, std::size_t max_bytes) {
    return std::string(query.text(name, max_bytes).value_or(""));
  };
  wanted.arrived_us = request.arrived_us;
  wanted.placement = request.path("placement");
  wanted.user_id = text("user_id", k_id_bytes_max);
  wanted.visitor_id = text("visitor_id", k_id_bytes_max);
  wanted.session_id = text("session_id", k_id_bytes_max);
  call.user_token = text("user_token", k_text_bytes_max);
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
  wanted.explore = query.boolean("explore").value_or(true);
  wanted.filter = condition_from_query(query);
  if (const auto filter = query.text("filter", k_expression_bytes_max)) {
    auto expression = recommend::ProductExpression::parse(*filter);
    if (!expression.ok()) query.refuse("filter", message_of(expression.status()));
    if (expression.ok()) wanted.filter.expression = *std::move(expression);
  }
  wanted.channel = text("channel", k_text_bytes_max);
  wanted.device = text("device", k_text_bytes_max);
  wanted.country = text("country", k_text_bytes_max);
  wanted.query = text("query", k_text_bytes_max);
  wanted.utc_offset_minutes = static_cast<int>(
      query.integer("utc_offset_minutes", -k_utc_offset_minutes_max, k_utc_offset_minutes_max)
          .value_or(0));
  const std::optional<std::string_view> after = query.text("after", k_id_bytes_max);
  const std::vector<std::string> fields = query.texts("fields", k_fields_max, k_id_bytes_max);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_RETURN_IF_ERROR(check_token(after));
  if (!fields.empty()) {
    VITRINE_ASSIGN_OR_RETURN(call.fields, ProductFields::of(fields));
  }
  return call;
}

}  // namespace vitrine::http
