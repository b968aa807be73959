// Everything that decides what a training run learns, but for the data.
//
// Thread-safe (values).
#pragma once

#include <map>
#include <string>

#include "model/confidence.h"
#include "model/factor_model.h"
#include "model/trained_model.h"
#include "training/als_trainer.h"
#include "training/content_training.h"
#include "training/neighbors.h"
#include "training/shop_tables.h"

namespace vitrine::training {

struct Recipe {
  AlsOptions als;
  ConfidenceRule confidence = ConfidenceRule::defaults();  // its mean is an outcome
  NeighborOptions neighbors;
  ContentOptions content;
  ShopTableOptions shop;
};

// What TrainingRecord::settings says of a recipe: all but what the record has fields for.
std::map<std::string, std::string> settings_of(const Recipe& recipe);

// The recipe of a model that was trained before. Threads, which change nothing, are left at their
// default, and so is what the records of older models do not tell.
Recipe recipe_of(const TrainingRecord& record, const FactorParameters& factors);

// Whether the two learn the same from the same data; the seed is part of it. Solvers differ by
// rounding only and are not looked at.
bool is_same(const Recipe& a, const Recipe& b);

// The flags of `vitrine train` that ask for it: "--dims 64 --epochs 12 ...". What has its default
// is named as well, but for event weights.
std::string arguments_of(const Recipe& recipe);

// "view=1,purchase=8", in the order of the types' numbers; types that weigh nothing are left out.
std::string weights_text(const ConfidenceRule& rule);

}  // namespace vitrine::training
