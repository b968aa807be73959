// Everything that decides what a training run learns, but for the data.
//
// Thread-safe (values).
#pragma once

#include <string>

#include "model/confidence.h"
#include "model/factor_model.h"
#include "model/trained_model.h"
#include "training/als_trainer.h"

namespace vitrine::training {

struct Recipe {
  AlsOptions als;
  ConfidenceRule confidence = ConfidenceRule::defaults();  // its mean is an outcome
};

// The recipe of a model that was trained before. Threads and solver, which change no figure that
// counts, are left at their defaults.
Recipe recipe_of(const TrainingRecord& record, const FactorParameters& factors);

// Whether the two learn the same from the same data; the seed is part of it.
bool is_same(const Recipe& a, const Recipe& b);

// The flags of `vitrine train` that ask for it: "--dims 64 --epochs 12 ...". What has its default
// is named as well, but for event weights.
std::string arguments_of(const Recipe& recipe);

// "view=1,purchase=8", in the order of the types' numbers; types that weigh nothing are left out.
std::string weights_text(const ConfidenceRule& rule);

}  // namespace vitrine::training
