#include "training/recipe.h"

#include <fmt/core.h>

#include <cmath>

namespace vitrine::training {

Recipe recipe_of(const TrainingRecord& record, const FactorParameters& factors) {
  Recipe recipe;
  recipe.als.factors = factors;
  recipe.als.epochs = record.epochs;
  recipe.als.seed = record.seed;
  recipe.confidence = record.confidence;
  recipe.confidence.mean = 1;
  return recipe;
}

bool is_same(const Recipe& a, const Recipe& b) {
  const FactorParameters& left = a.als.factors;
  const FactorParameters& right = b.als.factors;
  return left.dimension == right.dimension && left.alpha0 == right.alpha0 &&
         left.lambda == right.lambda && left.nu == right.nu && a.als.epochs == b.als.epochs &&
         a.als.seed == b.als.seed && a.confidence.weights == b.confidence.weights &&
         a.confidence.half_life_days == b.confidence.half_life_days &&
         a.confidence.cap == b.confidence.cap;
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
