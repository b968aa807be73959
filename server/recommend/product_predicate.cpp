#include "server/recommend/product_predicate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace vitrine::recommend {
namespace {

bool has(const std::vector<std::string>& sorted, const std::string& value) {
  return std::ranges::binary_search(sorted, value);
}

// The long lists, of ids and brands, are sorted and asked here; the rest is for holds().
class CompiledCondition final : public ProductPredicate {
 public:
  explicit CompiledCondition(ProductCondition condition) : rest_(std::move(condition)) {
    for (auto [list, from] :
         {std::pair(&products_, &rest_.products), std::pair(&brands_, &rest_.brands),
          std::pair(&not_brands_, &rest_.not_brands)}) {
      *list = std::exchange(*from, {});
      std::ranges::sort(*list);
    }
    is_rest_empty_ = rest_.is_empty();
  }

  bool holds(const Product& product, TimeMs now_ms) const override {
    if (!products_.empty() && !has(products_, product.product_id)) return false;
    if (!brands_.empty() && !has(brands_, product.brand)) return false;
    if (!not_brands_.empty() && has(not_brands_, product.brand)) return false;
    return is_rest_empty_ || recommend::holds(rest_, product, now_ms);
  }

 private:
  ProductCondition rest_;
  bool is_rest_empty_ = false;
  std::vector<std::string> products_;
  std::vector<std::string> brands_;
  std::vector<std::string> not_brands_;
};

// With its length in front, so that two texts cannot be read as one.
void append_text(std::string_view text, std::string& key) {
  fmt::format_to(std::back_inserter(key), "{}:{}", text.size(), text);
}

void append_list(const std::vector<std::string>& list, std::string& key) {
  fmt::format_to(std::back_inserter(key), "{};", list.size());
  for (const std::string& value : list) append_text(value, key);
}

void append_price(const std::optional<Money>& price, std::string& key) {
  price ? fmt::format_to(std::back_inserter(key), "{};", price->minor)
        : fmt::format_to(std::back_inserter(key), "-;");
}

}  // namespace

std::shared_ptr<const ProductPredicate> compile(ProductCondition condition) {
  return std::make_shared<const CompiledCondition>(std::move(condition));
}

void append_key(const ProductCondition& condition, TimeMs now_ms, std::string& key) {
  for (const auto* const list : {&condition.products, &condition.categories, &condition.brands,
                                 &condition.not_categories, &condition.not_brands}) {
    append_list(*list, key);
  }
  append_price(condition.price_min, key);
  append_price(condition.price_max, key);
  append_text(condition.currency, key);
  for (const auto& [name, value] : condition.attributes) {
    append_text(name, key);
    append_text(value, key);
  }
  append_text(condition.expression.product_text(), key);
  fmt::format_to(std::back_inserter(key), "{};", condition.expression.step_at(now_ms));
}

}  // namespace vitrine::recommend
