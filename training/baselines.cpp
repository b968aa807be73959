#include "training/baselines.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "model/aligned_floats.h"
#include "model/vector_kernels.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

// Of product i: how like the others are, only those above 0, at most the best k_neighbors_max.
constexpr std::size_t k_neighbors_max = 1000;

constexpr std::array<std::string_view, 5> k_names = {"popular", "own_orders", "product_knn",
                                                     "rp3beta", "ease"};

struct Similar {
  std::uint32_t product;
  float cosine;
};

std::vector<Similar> similar_by_users(const SparseRows& by_user, const SparseRows& by_product,
                                      std::uint32_t product, std::vector<float>& together) {
  std::vector<Similar> found;
  for (const std::uint32_t user : by_product.columns_of(product)) {
    for (const std::uint32_t other : by_user.columns_of(user)) {
      if (together[other] == 0) found.push_back({other, 0});
      ++together[other];
    }
  }
  std::erase_if(found, [&](const Similar& s) { return s.product == product; });
  const auto size_of = [&](std::uint32_t p) {
    return static_cast<float>(by_product.columns_of(p).size());
  };
  for (Similar& similar : found) {
    similar.cosine =
        together[similar.product] / std::sqrt(size_of(product) * size_of(similar.product));
    together[similar.product] = 0;
  }
  together[product] = 0;
  if (found.size() > k_neighbors_max) {
    std::nth_element(found.begin(), found.begin() + k_neighbors_max, found.end(),
                     [](const Similar& a, const Similar& b) {
                       return a.cosine != b.cosine ? a.cosine > b.cosine : a.product < b.product;
                     });
    found.resize(k_neighbors_max);
  }
  return found;
}

// Users of each product, scaled into [0, 1).
std::vector<float> popularity_below_one(const Dataset& train) {
  std::vector<float> share(train.products.size());
  const auto users = static_cast<float>(train.users.size() + 1);
  for (std::size_t product = 0; product < share.size(); ++product) {
    share[product] = static_cast<float>(train.by_product.columns_of(product).size()) / users;
  }
  return share;
}

}  // namespace

RankFunction popular_ranking(const Dataset& train) {
  return ranking_by_score(
      [popularity = popularity_below_one(train)](std::uint32_t, std::span<float> scores) {
        std::copy(popularity.begin(), popularity.end(), scores.begin());
      },
      train.products.size());
}

RankFunction own_orders_ranking(const Dataset& train) {
  return ranking_by_score(
      [&train, popularity = popularity_below_one(train)](std::uint32_t user,
                                                         std::span<float> scores) {
        std::copy(popularity.begin(), popularity.end(), scores.begin());
        const auto products = train.orders_by_user.columns_of(user);
        const auto orders = train.orders_by_user.values_of(user);
        for (std::size_t i = 0; i < products.size(); ++i) scores[products[i]] += orders[i];
      },
      train.products.size());
}

RankFunction product_knn_ranking(const Dataset& train) {
  const std::size_t products = train.products.size();
  auto neighbors = std::make_shared<std::vector<std::vector<Similar>>>(products);
  constexpr std::size_t k_products_a_piece = 64;
  for_each_piece(
      (products + k_products_a_piece - 1) / k_products_a_piece, 0, [&](std::size_t piece) {
        std::vector<float> together(products);
        const std::size_t last = std::min(products, (piece + 1) * k_products_a_piece);
        for (std::size_t product = piece * k_products_a_piece; product < last; ++product) {
          (*neighbors)[product] = similar_by_users(train.by_user, train.by_product,
                                                   static_cast<std::uint32_t>(product), together);
        }
      });
  return ranking_by_score(
      [&train, neighbors](std::uint32_t user, std::span<float> scores) {
        for (const std::uint32_t product : train.by_user.columns_of(user)) {
          for (const Similar& similar : (*neighbors)[product])
            scores[similar.product] += similar.cosine;
        }
      },
      products);
}

RankFunction factor_ranking(const Dataset& train, std::shared_ptr<const TrainedModel> model) {
  // Both ways between numbers of the data set and rows of the model; either may know products that
  // the other does not.
  constexpr std::uint32_t k_none = UINT32_MAX;
  std::vector<std::uint32_t> row_of(train.products.size(), k_none);
  std::vector<std::uint32_t> product_of(model->row_count(), k_none);
  for (std::uint32_t product = 0; product < row_of.size(); ++product) {
    row_of[product] = model->products().row(train.products[product]).value_or(k_none);
    if (row_of[product] != k_none) product_of[row_of[product]] = product;
  }
  return ranking_by_score(
      [&train, model = std::move(model), row_of = std::move(row_of),
       product_of = std::move(product_of)](std::uint32_t user, std::span<float> scores) {
        const FactorModel& factors = model->factors();
        const auto products = train.by_user.columns_of(user);
        const auto confidences = train.by_user.values_of(user);
        std::vector<Observation> observations;
        for (std::size_t i = 0; i < products.size(); ++i) {
          const std::uint32_t row = row_of[products[i]];
          if (row != k_none) observations.push_back({factors.row_data(row), confidences[i]});
        }
        AlignedFloats vector(factors.stride());
        factors.fold_in(observations, std::span(vector.data(), factors.dimension()));
        std::vector<float> by_row(factors.row_count());
        vector_kernels().multiply(by_row.data(), factors.data(), factors.row_count(), vector.data(),
                                  factors.stride());
        std::fill(scores.begin(), scores.end(), -std::numeric_limits<float>::infinity());
        for (std::size_t row = 0; row < by_row.size(); ++row) {
          if (product_of[row] != k_none) scores[product_of[row]] = by_row[row];
        }
      },
      train.products.size());
}

std::span<const std::string_view> baseline_names() { return k_names; }

absl::StatusOr<RankFunction> baseline_ranking(std::string_view name, const Dataset& train) {
  if (name == "popular") return popular_ranking(train);
  if (name == "own_orders") return own_orders_ranking(train);
  if (name == "product_knn") return product_knn_ranking(train);
  if (name == "rp3beta") return rp3beta_ranking(train, {});
  if (name == "ease") return ease_ranking(train, {});
  return invalid_argument("baseline must be one of {}, got '{}'", fmt::join(k_names, ", "), name);
}

}  // namespace vitrine::training
