// Made-up shops for the tests of training.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "training/dataset.h"

namespace vitrine::training::test {

constexpr TimeMs k_day = k_day_ms;

inline Interaction purchase(std::string_view user, std::string_view product, TimeMs time_ms = 0,
                            std::string_view order = {}) {
  return {.user = user, .product = product, .order = order, .time_ms = time_ms, .weight = {}};
}

// Two kinds of customers: the even ones buy products 0..half, the odd ones the others; a few buy at
// random.
inline Dataset shop_of_two_tastes(std::uint32_t users = 60, std::uint32_t products = 40,
                                  std::uint64_t seed = 5) {
  Random random(seed);
  DatasetBuilder builder{DatasetOptions{}};
  for (std::uint32_t user = 0; user < users; ++user) {
    for (int i = 0; i < 10; ++i) {
      std::uint32_t product = static_cast<std::uint32_t>(random.below(products / 2)) * 2 + user % 2;
      if (random.below(10) == 0) product = static_cast<std::uint32_t>(random.below(products));
      const std::string order = "o" + std::to_string(user) + "-" + std::to_string(i / 5);
      builder.add(
          purchase("u" + std::to_string(user), "p" + std::to_string(product), i * k_day, order));
    }
  }
  return builder.build().value();
}

// Number of a text in a list; fails loudly by being out of range.
inline std::uint32_t number_of(const std::vector<std::string>& texts, std::string_view text) {
  std::uint32_t number = 0;
  while (number < texts.size() && texts[number] != text) ++number;
  return number;
}

}  // namespace vitrine::training::test
