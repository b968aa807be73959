#include "server/rehearsal/placement_ranking.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/status.h"
#include "base/string_map.h"

namespace vitrine::rehearsal {

absl::StatusOr<training::RankFunction> placement_ranking(const Rehearsal& rehearsal,
                                                         const training::Dataset& data,
                                                         std::string placement) {
  const auto placements = rehearsal.recommender().placements();
  const recommend::Placement* const known = placements->find(placement);
  if (known == nullptr) return not_found("placement '{}' does not exist", placement);
  if (known->needs_product || known->needs_cart) {
    return invalid_argument(
        "placement '{}' needs a product or a cart: only those that need neither can be judged "
        "person by person",
        placement);
  }
  auto numbers = std::make_shared<StringMap<std::uint32_t>>();
  for (std::uint32_t product = 0; product < data.products.size(); ++product)
    numbers->emplace(data.products[product], product);
  return [&rehearsal, &data, numbers, placement = std::move(placement)](
             std::uint32_t user, std::size_t k, std::span<const std::uint32_t> excluded,
             std::vector<std::uint32_t>& ranked) {
    const std::size_t limit = std::min(k + excluded.size(), recommend::Recommender::k_limit_max);
    const auto answer =
        rehearsal.recommender().recommend({.placement = placement,
                                           .known_user = rehearsal.user(data.users[user]),
                                           .limit = limit,
                                           .explore = false});
    if (!answer.ok()) return;
    for (const recommend::RecommendedProduct& product : answer->products) {
      const auto number = numbers->find(product.product_id);
      if (ranked.size() == k || number == numbers->end()) continue;
      if (!std::ranges::binary_search(excluded, number->second)) ranked.push_back(number->second);
    }
  };
}

}  // namespace vitrine::rehearsal
