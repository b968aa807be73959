// Rankings of the next product in a session: what the server serves, and what is cheap to compare
// with.
//
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/catalog/product_numbers.h"

namespace vitrine::app {

struct SessionClick {
  std::uint32_t session = 0;  // its number, dense from 0
  ProductNumber product;
  TimeMs time_ms = 0;
};

class SessionRanking {
 public:
  virtual ~SessionRanking() = default;
  virtual std::string_view name() const = 0;
  // Clicks come in the order of their times.
  virtual void learn(const SessionClick& click) = 0;
  // Up to `limit` products for what comes next in `session`, best first, the latest click not among
  // them. `clicks`: of the session so far, oldest first, at least one.
  virtual std::vector<ProductNumber> next(std::uint32_t session,
                                          std::span<const ProductNumber> clicks,
                                          std::size_t limit) = 0;
};

std::unique_ptr<SessionRanking> session_popularity();
// Products of the same sessions as the latest click, each pair of clicks by 1 / its distance.
std::unique_ptr<SessionRanking> session_covisitation();
// As published (Kersbergen et al., SIGMOD 2022): m = 500 latest sessions a product, k = 100
// neighbours, weights that fall linearly with the distance, idf.
std::unique_ptr<SessionRanking> plain_vmis_knn();
// The source `session` of the server: the same book and the same scores.
std::unique_ptr<SessionRanking> served_next_products(catalog::ProductNumbers& numbers);

}  // namespace vitrine::app
