#include "server/coupons/coverage.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace vitrine::coupons {

bool Coverage::covers(std::string_view product_id, const catalog::Catalog& catalog,
                      TimeMs now_ms) const {
  if (!lists(product_id)) return false;
  if (expression_.is_empty()) return true;
  const auto product = catalog.find(product_id);
  return product && expression_.holds(*product, now_ms);
}

const std::vector<std::string>& Coverage::ids() const {
  static const std::vector<std::string> k_none;
  return ids_ ? *ids_ : k_none;
}

void Coverage::only(std::vector<std::string> ids) {
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  ids_ = ids.empty() ? nullptr : std::make_shared<const std::vector<std::string>>(std::move(ids));
}

bool Coverage::lists(std::string_view product_id) const {
  return !ids_ || std::binary_search(ids_->begin(), ids_->end(), product_id, std::less<>());
}

}  // namespace vitrine::coupons
