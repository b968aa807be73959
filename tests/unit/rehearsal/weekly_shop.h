// A shop of regular customers: everybody has staples they buy again and again, and now and then
// buys something else.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "model/product.h"
#include "training/gate.h"
#include "training/interaction_list.h"
#include "training/train_job.h"

namespace vitrine::rehearsal::test {

constexpr std::uint32_t k_people = 200;
constexpr std::uint32_t k_products = 120;
constexpr std::uint32_t k_weeks = 20;
constexpr TimeMs k_first_ms = 1'700'000'000'000;
constexpr TimeMs k_week_ms = 7 * k_day_ms;

inline std::string user_id(std::uint32_t user) { return "u" + std::to_string(user); }
inline std::string product_id(std::uint32_t product) { return "p" + std::to_string(product); }

inline training::InteractionList weekly_shop() {
  training::InteractionList list;
  Random random(11);
  for (std::uint32_t week = 0; week < k_weeks; ++week) {
    for (std::uint32_t user = 0; user < k_people; ++user) {
      if (random.below(3) == 0) continue;
      const std::string order = "o" + std::to_string(week) + "-" + std::to_string(user);
      const TimeMs time_ms = k_first_ms + week * k_week_ms + user * k_minute_ms;
      for (std::uint32_t line = 0; line < 5; ++line) {
        const std::uint32_t product = random.below(10) < 8
                                          ? (user * 7 + line) % k_products
                                          : static_cast<std::uint32_t>(random.below(k_products));
        list.add({.user = user_id(user),
                  .product = product_id(product),
                  .order = order,
                  .time_ms = time_ms,
                  .weight = {}});
      }
    }
  }
  return list;
}

inline std::vector<Product> described() {
  std::vector<Product> products;
  for (std::uint32_t i = 0; i < k_products; ++i) {
    Product product;
    product.product_id = product.title = product_id(i);
    product.price = Money{100 + i};
    product.currency = "EUR";
    products.push_back(std::move(product));
  }
  return products;
}

inline training::TrainOptions small_options() {
  training::TrainOptions options;
  options.als.factors.dimension = 8;
  options.als.epochs = 4;
  return options;
}

inline training::InteractionSource source_of(const training::InteractionList& list) {
  return [&list](const std::function<void(const training::Interaction&)>& take) {
    list.for_each(take);
    return absl::OkStatus();
  };
}

}  // namespace vitrine::rehearsal::test
