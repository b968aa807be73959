#include "training/content_training.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/status.h"
#include "base/string_map.h"
#include "training/parallel.h"
#include "training/ridge.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_examples_min = 20;
constexpr std::size_t k_held_out_every = 10;

// Begins of bands that hold equally many of the prices each.
PriceBands price_bands(std::span<const ContentExample> examples, std::uint32_t count) {
  std::map<std::string, std::vector<std::int64_t>> prices;
  for (const ContentExample& example : examples) {
    const Product& product = *example.product;
    if (product.price) prices[product.currency].push_back(product.price->minor);
  }
  PriceBands bands;
  for (auto& [currency, all] : prices) {
    std::sort(all.begin(), all.end());
    std::vector<std::int64_t>& begins = bands[currency];
    for (std::size_t band = 1; band < count; ++band)
      begins.push_back(all[band * all.size() / count]);
    begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
  }
  return bands;
}

absl::StatusOr<ContentFeatures> choose_features(std::span<const ContentExample> examples,
                                                const ContentOptions& options) {
  PriceBands bands = price_bands(examples, options.price_bands);
  StringMap<std::uint32_t> products_of;
  for (const ContentExample& example : examples) {
    for (const std::string& name : content_feature_names(*example.product, bands))
      ++products_of[name];
  }
  std::vector<std::pair<std::uint32_t, std::string>> frequent;
  for (const auto& [name, products] : products_of) {
    if (products >= options.feature_products_min) frequent.emplace_back(products, name);
  }
  std::sort(frequent.begin(), frequent.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  if (frequent.size() > options.features_max) frequent.resize(options.features_max);
  std::vector<std::string> names;
  std::vector<float> scales;
  const auto all = static_cast<double>(examples.size());
  for (auto& [products, name] : frequent) {
    // A term that every other title has says little; the rest is one of its kind in a product.
    const bool is_term = name.starts_with("term:");
    scales.push_back(is_term ? static_cast<float>(std::log(1 + all / products)) : 1.0F);
    names.push_back(std::move(name));
  }
  return ContentFeatures::create(std::move(names), std::move(scales), std::move(bands));
}

RidgeProblem problem_of(std::span<const ContentExample> examples, const ContentFeatures& features) {
  RidgeProblem problem;
  problem.column_count = features.size();
  problem.dimension = examples.front().vector.size();
  for (const ContentExample& example : examples) {
    for (const ContentValue& one : features.of(*example.product)) {
      problem.rows.columns.push_back(one.feature);
      problem.rows.values.push_back(one.value);
    }
    problem.rows.bounds.push_back(problem.rows.columns.size());
    problem.targets.insert(problem.targets.end(), example.vector.begin(), example.vector.end());
  }
  return problem;
}

struct Fit {
  double r2 = 0;
  double cosine = 0;
};

// How well `ridge` foretells the rows of `problem`.
Fit judge(const Ridge& ridge, const RidgeProblem& problem) {
  double error = 0, variance = 0, cosine = 0;
  std::vector<float> predicted(problem.dimension);
  for (std::size_t row = 0; row < problem.rows.row_count(); ++row) {
    predict(ridge, problem, row, predicted);
    const float* target = problem.targets.data() + row * problem.dimension;
    double dot = 0, target_square = 0, predicted_square = 0;
    for (std::size_t i = 0; i < problem.dimension; ++i) {
      const double t = target[i], p = predicted[i], m = ridge.mean[i];
      error += (t - p) * (t - p), variance += (t - m) * (t - m);
      dot += t * p, target_square += t * t, predicted_square += p * p;
    }
    const double norms = std::sqrt(target_square * predicted_square);
    if (norms > 0) cosine += dot / norms;
  }
  return {variance > 0 ? 1 - error / variance : 0,
          cosine / static_cast<double>(problem.rows.row_count())};
}

absl::Status check(std::span<const ContentExample> examples, const ContentOptions& options) {
  if (options.lambdas.empty()) return invalid_argument("content: at least one lambda is needed");
  for (const double lambda : options.lambdas) {
    if (!std::isfinite(lambda) || lambda <= 0)
      return invalid_argument("content: lambda must be above 0, got {}", lambda);
  }
  if (options.price_bands == 0) return invalid_argument("content: price_bands must not be 0");
  for (const ContentExample& example : examples) {
    if (example.vector.size() != examples.front().vector.size())
      return invalid_argument("content: all vectors must have one length");
  }
  return absl::OkStatus();
}

// Any order of the examples that is the same for the same data, so that what is left out is drawn
// evenly.
std::vector<ContentExample> shuffled(std::span<const ContentExample> examples) {
  std::vector<ContentExample> result(examples.begin(), examples.end());
  Random random(1);
  for (std::size_t i = result.size(); i > 1; --i) std::swap(result[i - 1], result[random.below(i)]);
  return result;
}

}  // namespace

absl::StatusOr<ContentOutcome> learn_content_map(std::span<const ContentExample> examples,
                                                 const ContentOptions& options, unsigned threads) {
  VITRINE_RETURN_IF_ERROR(check(examples, options));
  ContentOutcome outcome;
  if (examples.size() < k_examples_min) return outcome;
  VITRINE_ASSIGN_OR_RETURN(ContentFeatures features, choose_features(examples, options));
  if (features.size() == 0) return outcome;

  std::vector<ContentExample> sample = shuffled(examples);
  if (sample.size() > options.sample_max) sample.resize(options.sample_max);
  outcome.held_out = std::max<std::size_t>(1, sample.size() / k_held_out_every);
  const std::span<const ContentExample> all(sample);
  const RidgeProblem known = problem_of(all.subspan(outcome.held_out), features);
  const RidgeProblem unknown = problem_of(all.first(outcome.held_out), features);
  bool is_first = true;
  for (const double lambda : options.lambdas) {
    const Fit fit = judge(solve_ridge(known, lambda, threads), unknown);
    if (!is_first && fit.r2 <= outcome.r2) continue;
    outcome.lambda = lambda;
    outcome.r2 = fit.r2;
    outcome.cosine = fit.cosine;
    is_first = false;
  }
  Ridge ridge = solve_ridge(problem_of(examples, features), outcome.lambda, threads);
  VITRINE_ASSIGN_OR_RETURN(
      outcome.map,
      ContentMap::create(std::move(features), std::move(ridge.mean), std::move(ridge.weights)));
  return outcome;
}

}  // namespace vitrine::training
