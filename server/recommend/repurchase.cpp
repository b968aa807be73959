#include "server/recommend/repurchase.h"

#include <string_view>

namespace vitrine::recommend {

std::optional<float> repurchase_days(const Context& context, ProductNumber product) {
  const TrainedModel* const model = context.live->model();
  if (model == nullptr) return std::nullopt;
  const BuyAgainTable& table = model->buy_again();
  if (const std::optional<std::uint32_t> row = context.live->row_of(product)) {
    if (const std::optional<BuyAgain> own = table.of_product(*row)) return own->days;
  }
  const Product* const known = context.catalog->find(product);
  const std::string_view category = known != nullptr && !known->categories.empty()
                                        ? std::string_view(known->categories.front())
                                        : std::string_view();
  if (table.repeat_share_of(category).value_or(0) < k_repeat_share_min) return std::nullopt;
  const std::optional<BuyAgain> again = table.of_category(category);
  return again ? std::optional(again->days) : std::nullopt;
}

bool is_due(const Context& context, const profiles::Bought& bought) {
  const TimeMs age_ms = context.now_ms - bought.last_ms;
  if (age_ms >= k_purchased_hidden_ms) return true;
  const std::optional<float> days = repurchase_days(context, bought.product);
  return days && static_cast<float>(age_ms) >= k_due_part * *days * static_cast<float>(k_day_ms);
}

bool is_bought_lately(const Context& context, ProductNumber product) {
  const PurchasedPolicy policy = context.placement.purchased;
  if (policy == PurchasedPolicy::show) return false;
  const profiles::Bought* const bought = context.bought(product);
  if (bought == nullptr) return false;
  if (policy == PurchasedPolicy::show_when_due) return !is_due(context, *bought);
  return context.now_ms - bought->last_ms < k_purchased_hidden_ms;
}

}  // namespace vitrine::recommend
