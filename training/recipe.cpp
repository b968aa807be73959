#include "training/recipe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace vitrine::training {
namespace {

constexpr const char* k_solver = "solver";

// Calls visit(name, value) for every option of the tables beside the factors. The bindings name
// all members: an option that is added and not told here does not compile.
template <class SomeRecipe, class Visit>
void visit_settings(SomeRecipe& recipe, const Visit& visit) {
  auto& [similar_max, together_max, together_support_min, together_false_share, order_products_max,
         viewed_max, viewed_support_min, viewed_window, session_views_max, viewed_half_life_days] =
      recipe.neighbors;
  visit("similar_max", similar_max);
  visit("together_max", together_max);
  visit("together_support_min", together_support_min);
  visit("together_false_share", together_false_share);
  visit("order_products_max", order_products_max);
  visit("viewed_max", viewed_max);
  visit("viewed_support_min", viewed_support_min);
  visit("viewed_window", viewed_window);
  visit("session_views_max", session_views_max);
  visit("viewed_half_life_days", viewed_half_life_days);
  auto& [lambdas, features_max, feature_products_min, price_bands, sample_max] = recipe.content;
  visit("content_lambdas", lambdas);
  visit("content_features_max", features_max);
  visit("content_feature_products_min", feature_products_min);
  visit("content_price_bands", price_bands);
  visit("content_sample_max", sample_max);
  auto& [popular_max, product_repeats_min, category_repeats_min, category_pairs_min] = recipe.shop;
  visit("popular_max", popular_max);
  visit("product_repeats_min", product_repeats_min);
  visit("category_repeats_min", category_repeats_min);
  visit("category_pairs_min", category_pairs_min);
}

template <class Number>
std::string text_of(const Number& value) {
  return fmt::format("{}", value);
}
std::string text_of(const std::vector<double>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

// A text that is no number leaves the value as it is.
template <class Number>
void read(std::string_view text, Number& value) {
  std::from_chars(text.data(), text.data() + text.size(), value);
}
void read(std::string_view text, std::vector<double>& values) {
  values.clear();
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    read(one, values.emplace_back());
  }
}

}  // namespace

std::map<std::string, std::string> settings_of(const Recipe& recipe) {
  std::map<std::string, std::string> settings{{k_solver, std::string(name_of(recipe.als.solver))}};
  visit_settings(recipe,
                 [&](const char* name, const auto& value) { settings[name] = text_of(value); });
  return settings;
}

Recipe recipe_of(const TrainingRecord& record, const FactorParameters& factors) {
  Recipe recipe;
  recipe.als.factors = factors;
  recipe.als.epochs = record.epochs;
  recipe.als.seed = record.seed;
  recipe.confidence = record.confidence;
  recipe.confidence.mean = 1;
  const auto solver = record.settings.find(k_solver);
  if (solver != record.settings.end())
    recipe.als.solver = solver_named(solver->second).value_or(recipe.als.solver);
  visit_settings(recipe, [&](const char* name, auto& value) {
    const auto found = record.settings.find(name);
    if (found != record.settings.end()) read(found->second, value);
  });
  return recipe;
}

bool is_same(const Recipe& a, const Recipe& b) {
  const FactorParameters& left = a.als.factors;
  const FactorParameters& right = b.als.factors;
  Recipe other_solver = b;
  other_solver.als.solver = a.als.solver;
  return left.dimension == right.dimension && left.alpha0 == right.alpha0 &&
         left.lambda == right.lambda && left.nu == right.nu && a.als.epochs == b.als.epochs &&
         a.als.seed == b.als.seed && a.confidence.weights == b.confidence.weights &&
         a.confidence.half_life_days == b.confidence.half_life_days &&
         a.confidence.cap == b.confidence.cap && settings_of(a) == settings_of(other_solver);
}

std::string weights_text(const ConfidenceRule& rule) {
  std::string text;
  for (const EventType type : all_event_types()) {
    if (rule.weight(type) == 0) continue;
    if (!text.empty()) text += ',';
    text += fmt::format("{}={}", name_of(type), rule.weight(type));
  }
  return text;
}

std::string arguments_of(const Recipe& recipe) {
  const FactorParameters& factors = recipe.als.factors;
  std::string text = fmt::format(
      "--dims {} --epochs {} --lambda {} --alpha0 {} --nu {} --half-life-days {} --seed {}",
      factors.dimension, recipe.als.epochs, factors.lambda, factors.alpha0, factors.nu,
      recipe.confidence.half_life_days, recipe.als.seed);
  if (recipe.confidence.weights != ConfidenceRule::defaults().weights)
    text += " --weights " + weights_text(recipe.confidence);
  return text;
}

}  // namespace vitrine::training
