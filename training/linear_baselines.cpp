// RP3beta and EASE: rankings by a product-to-product matrix in closed form.
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "training/baselines.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

struct Weighted {
  std::uint32_t product;
  float weight;
};

std::vector<double> powers_of_sizes(const SparseRows& rows, double power) {
  std::vector<double> powers(rows.row_count());
  for (std::size_t row = 0; row < powers.size(); ++row) {
    powers[row] = std::pow(static_cast<double>(rows.columns_of(row).size()), power);
  }
  return powers;
}

void keep_heaviest(std::vector<Weighted>& list, std::size_t count) {
  if (list.size() <= count) return;
  std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count), list.end(),
                   [](const Weighted& a, const Weighted& b) {
                     return a.weight != b.weight ? a.weight > b.weight : a.product < b.product;
                   });
  list.resize(count);
  list.shrink_to_fit();
}

// Products that every user has in common, added up at both ends; lambda on the diagonal.
Eigen::MatrixXf ridge_gram(const Dataset& train, float lambda) {
  const auto products = static_cast<Eigen::Index>(train.products.size());
  Eigen::MatrixXf gram = Eigen::MatrixXf::Zero(products, products);
  for (Eigen::Index product = 0; product < products; ++product) {
    for (const std::uint32_t user :
         train.by_product.columns_of(static_cast<std::size_t>(product))) {
      for (const std::uint32_t other : train.by_user.columns_of(user)) ++gram(other, product);
    }
    gram(product, product) += lambda;
  }
  return gram;
}

// Of a positive definite matrix, a few columns at a time.
Eigen::MatrixXf inverse_of(const Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>>& factor) {
  constexpr Eigen::Index k_columns_a_piece = 128;
  const Eigen::Index size = factor.rows();
  Eigen::MatrixXf inverse = Eigen::MatrixXf::Identity(size, size);
  const Eigen::Index pieces = (size + k_columns_a_piece - 1) / k_columns_a_piece;
  for_each_piece(static_cast<std::size_t>(pieces), 0, [&](std::size_t piece) {
    const Eigen::Index first = static_cast<Eigen::Index>(piece) * k_columns_a_piece;
    auto columns = inverse.middleCols(first, std::min(k_columns_a_piece, size - first));
    factor.solveInPlace(columns);
  });
  return inverse;
}

}  // namespace

absl::StatusOr<RankFunction> rp3beta_ranking(const Dataset& train, const Rp3BetaOptions& options) {
  if (!std::isfinite(options.alpha) || options.alpha < 0)
    return invalid_argument("rp3beta: alpha must be at least 0, got {}", options.alpha);
  if (!std::isfinite(options.beta) || options.beta < 0)
    return invalid_argument("rp3beta: beta must be at least 0, got {}", options.beta);
  if (options.neighbors_max == 0) return invalid_argument("rp3beta: neighbors_max must not be 0");
  const std::size_t products = train.products.size();
  const std::vector<double> step_from_user = powers_of_sizes(train.by_user, -options.alpha);
  const std::vector<double> step_from_product = powers_of_sizes(train.by_product, -options.alpha);
  const std::vector<double> fame = powers_of_sizes(train.by_product, -options.beta);
  auto neighbors = std::make_shared<std::vector<std::vector<Weighted>>>(products);
  constexpr std::size_t k_products_a_piece = 64;
  for_each_piece(
      (products + k_products_a_piece - 1) / k_products_a_piece, 0, [&](std::size_t piece) {
        std::vector<double> reached(products);
        const std::size_t last = std::min(products, (piece + 1) * k_products_a_piece);
        for (std::size_t product = piece * k_products_a_piece; product < last; ++product) {
          std::vector<Weighted>& list = (*neighbors)[product];
          for (const std::uint32_t user : train.by_product.columns_of(product)) {
            for (const std::uint32_t other : train.by_user.columns_of(user)) {
              if (reached[other] == 0 && other != product) list.push_back({other, 0});
              reached[other] += step_from_user[user];
            }
          }
          for (Weighted& one : list) {
            one.weight = static_cast<float>(std::exchange(reached[one.product], 0) *
                                            step_from_product[product] * fame[one.product]);
          }
          reached[product] = 0;
          keep_heaviest(list, options.neighbors_max);
        }
      });
  return ranking_by_score(
      [&train, neighbors](std::uint32_t user, std::span<float> scores) {
        for (const std::uint32_t product : train.by_user.columns_of(user)) {
          for (const Weighted& one : (*neighbors)[product]) scores[one.product] += one.weight;
        }
      },
      products);
}

absl::StatusOr<RankFunction> ease_ranking(const Dataset& train, const EaseOptions& options) {
  const std::size_t products = train.products.size();
  if (!std::isfinite(options.lambda) || options.lambda <= 0)
    return invalid_argument("ease: lambda must be above 0, got {}", options.lambda);
  if (products > options.products_max) {
    return invalid_argument(
        "ease is for at most {} products, got {}: its matrices would take {:.1f} GiB, its time "
        "grows with the cube; rp3beta and product_knn have no such limit",
        options.products_max, products,
        8 * std::pow(static_cast<double>(products), 2) / static_cast<double>(1U << 30U));
  }
  std::shared_ptr<const Eigen::MatrixXf> inverse;
  {
    Eigen::MatrixXf gram = ridge_gram(train, options.lambda);
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> factor(gram);
    if (factor.info() != Eigen::Success)
      return internal_error("ease: the product matrix has no inverse at lambda {}", options.lambda);
    inverse = std::make_shared<const Eigen::MatrixXf>(inverse_of(factor));
  }
  // Product i says -inverse(i, j) / inverse(j, j) about product j, and nothing about itself.
  return ranking_by_score(
      [&train, inverse](std::uint32_t user, std::span<float> scores) {
        Eigen::Map<Eigen::VectorXf> sums(scores.data(), static_cast<Eigen::Index>(scores.size()));
        sums.setZero();
        for (const std::uint32_t product : train.by_user.columns_of(user))
          sums -= inverse->col(product);
        sums.array() /= inverse->diagonal().array();
        for (const std::uint32_t product : train.by_user.columns_of(user)) ++sums[product];
      },
      products);
}

}  // namespace vitrine::training
