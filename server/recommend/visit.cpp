#include "server/recommend/visit.h"

#include <algorithm>
#include <utility>

#include "server/recommend/context.h"

namespace vitrine::recommend {
namespace {

const profiles::Profile& nobody() {
  static const profiles::Profile profile;
  return profile;
}

bool asks_about_visit(const Rule& rule) {
  return !rule.audience.is_empty() || rule.when.expression.asks_about_visit();
}

}  // namespace

Visit::Visit(segments::Surroundings around, UserNumber user, bool is_visitor,
             std::shared_ptr<const profiles::Profile> profile, segments::Situation situation)
    : around_(std::move(around)),
      profile_(std::move(profile)),
      person_(user, is_visitor, profile_ != nullptr ? *profile_ : nobody(), situation.now_ms,
              around_),
      situation_(std::move(situation)) {}

bool asks_about_visit(const RecommendRequest& request, const Placement& placement) {
  const auto asks = [](const Rule& rule) { return asks_about_visit(rule); };
  return request.filter.expression.asks_about_visit() ||
         placement.filter.expression.asks_about_visit() || !placement.audience.is_empty() ||
         std::ranges::any_of(placement.rules, asks) || std::ranges::any_of(request.boosts, asks);
}

segments::Situation situation_of(const RecommendRequest& request, const Context& context) {
  segments::Situation situation{.placement = context.placement.name,
                                .product_id = request.product_id,
                                .category = request.category,
                                .channel = request.channel,
                                .device = request.device,
                                .market = request.market,
                                .country = request.country,
                                .query = request.query,
                                .now_ms = context.now_ms,
                                .utc_offset_minutes = request.utc_offset_minutes};
  const auto known = [&](ProductNumber product) { return context.catalog->find(product); };
  situation.session.reserve(context.session.size());
  for (const ProductNumber product : context.session) {
    situation.session.push_back({context.id_of(product), known(product)});
  }
  situation.cart.reserve(request.cart.size());
  for (const std::string& id : request.cart) {
    const auto product = context.numbers.find(id);
    situation.cart.push_back(
        {.product_id = id, .product = product ? known(*product) : nullptr, .quantity = 1});
  }
  return situation;
}

bool is_allowed_by_visit(const Context& context, const Product& product) {
  const auto allows = [&](const ProductExpression& expression) {
    return !expression.asks_about_visit() ||
           (context.visit->allows(expression) && context.visit->allows(expression, product));
  };
  return allows(context.request.filter.expression) && allows(context.placement.filter.expression);
}

}  // namespace vitrine::recommend
