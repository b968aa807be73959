// Whom an offer moves: its effect on each person, learnt from people to whom chance gave it or not.
//
// With W the offer, e = P(W = 1) as assigned, Y the outcome and mu1, mu0 models of Y with and
// without it:
//   S   one model of Y on (x, W, W x); the effect is its difference between W = 1 and W = 0
//   T   mu1(x) - mu0(x)
//   X   e tau0(x) + (1 - e) tau1(x), tau1 fitted to Y - mu0(x) of the offered, tau0 to mu1(x) - Y
//       of the others                              (Künzel, Sekhon, Bickel and Yu 2019)
//   DR  a regression on x of
//         phi = mu1 - mu0 + W (Y - mu1) / e - (1 - W) (Y - mu0) / (1 - e)
//       where each person's mu1 and mu0 come from the other folds (Kennedy 2020); the mean of phi
//       is the average effect with its standard error, whatever the models are worth
// Same examples and seed, same model. Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "training/uplift/off_policy.h"
#include "training/uplift/outcome_model.h"

namespace vitrine::training {

enum class UpliftMethod : std::uint8_t { s, t, x, dr };

std::string_view name_of(UpliftMethod method);

struct UpliftExamples {
  std::size_t inputs = 0;
  std::vector<float> values;          // people x inputs
  std::vector<std::uint8_t> treated;  // 1: got the offer
  std::vector<float> outcomes;
  std::vector<float> treated_shares;  // e of each person, as assigned; in (0, 1)

  std::size_t size() const { return treated.size(); }
  std::span<const float> row(std::size_t i) const { return {values.data() + i * inputs, inputs}; }
  void add(std::span<const float> row_values, bool is_treated, float outcome, double treated_share);
};

struct UpliftOptions {
  static constexpr std::uint32_t k_folds_max = 50;

  UpliftMethod method = UpliftMethod::dr;
  OutcomeKind outcome = OutcomeKind::yes_or_no;
  double ridge = 10;         // of mu1, mu0 and S
  double effect_ridge = 50;  // of tau: effects differ less from person to person than outcomes
  std::uint32_t folds = 5;   // of DR
  std::uint64_t seed = 1;    // of the folds
};

struct UpliftModel {
  UpliftMethod method = UpliftMethod::dr;
  OutcomeModel offered;   // mu1; S and T
  OutcomeModel withheld;  // mu0
  OutcomeModel direct;    // tau; X and DR

  // What the offer adds to this person's outcome.
  double effect(std::span<const float> row) const;
};

struct UpliftFit {
  UpliftModel model;
  // Average effect with its standard error: the mean of phi for DR, of groups weighted by 1/e else.
  Estimate average;
};

// InvalidArgument: sizes that do not belong together, a group without people in a fold, a share
// outside (0, 1), or options outside their ranges.
absl::StatusOr<UpliftFit> fit_uplift(const UpliftExamples& people, const UpliftOptions& options);

// Effects of the same offer at rising discounts, made to rise: neighbours that fall become their
// mean, weighted, which is the nearest rising sequence (pool adjacent violators; Ayer and others
// 1955). A larger coupon never lowers what is expected of a smaller one.
//
// weights  above 0, one an effect: 1 / variance, say
std::vector<double> monotone_effects(std::span<const double> effects,
                                     std::span<const double> weights);

}  // namespace vitrine::training
