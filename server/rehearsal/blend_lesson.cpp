#include "server/rehearsal/blend_lesson.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/recommend/blend.h"

namespace vitrine::rehearsal {
namespace {

constexpr std::size_t k_kept_apart_one_in = 5;  // questions, to judge the calibration by

// A source that was there for fewer examples than this keeps its hand-set weight.
constexpr std::size_t k_given_min = 200;

void append(const training::LogisticExamples& from, training::LogisticExamples& to) {
  to.values.insert(to.values.end(), from.values.begin(), from.values.end());
  to.labels.insert(to.labels.end(), from.labels.begin(), from.labels.end());
  to.weights.insert(to.weights.end(), from.weights.begin(), from.weights.end());
}

}  // namespace

BlendLesson::BlendLesson(const recommend::Placement& placement, const BlendOptions& options)
    : placement_(placement),
      options_(options),
      inputs_(recommend::blend_input_count(placement)),
      given_(placement.sources.size()) {
  fitted_.inputs = kept_apart_.inputs = inputs_;
}

void BlendLesson::add(const Question& question, const Rehearsal& rehearsal) {
  const auto candidates = rehearsal.recommender().candidates(question.request);
  if (!candidates.ok()) return;
  training::LogisticExamples& examples =
      questions_++ % k_kept_apart_one_in == 0 ? kept_apart_ : fitted_;
  std::vector<std::size_t> refused;
  for (std::size_t i = 0; i < candidates->products.size(); ++i) {
    if (question.wanted.contains(rehearsal.numbers().id_of(candidates->products[i]))) {
      ++taken_;
      add_row(*candidates, i, 1, 1, examples);
    } else {
      refused.push_back(i);
    }
  }
  const std::size_t kept = std::min(refused.size(), options_.refusals_max);
  const float weight =
      kept == 0 ? 0 : static_cast<float>(refused.size()) / static_cast<float>(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    const std::size_t drawn = i + random_.below(refused.size() - i);
    std::swap(refused[i], refused[drawn]);
    add_row(*candidates, refused[i], 0, weight, examples);
  }
}

void BlendLesson::learn(BlendTable::Placements& placements, LearntBlends& learnt) {
  const std::string prefix = "blend." + placement_.name + ".";
  learnt.metrics[prefix + "questions"] = static_cast<double>(questions_);
  learnt.metrics[prefix + "taken"] = static_cast<double>(taken_);
  if (const std::string lack = lack_of(); !lack.empty()) {
    learnt.left_out[placement_.name] = lack;
  } else {
    fit(placements, learnt);
  }
  fitted_ = kept_apart_ = {};
}

std::string BlendLesson::lack_of() const {
  if (questions_ < options_.questions_min)
    return fmt::format("{} questions, {} are needed", questions_, options_.questions_min);
  if (taken_ < options_.taken_min)
    return fmt::format("{} candidates were taken, {} are needed", taken_, options_.taken_min);
  return "";
}

void BlendLesson::fit(BlendTable::Placements& placements, LearntBlends& learnt) {
  const auto judged = training::fit_logistic(fitted_, options_.ridge);
  if (judged.ok()) {
    const auto calibration = training::calibration_of(*judged, kept_apart_);
    report(calibration, learnt.metrics);
  }
  append(std::exchange(kept_apart_, {}), fitted_);
  const auto fit = training::fit_logistic(fitted_, options_.ridge);
  if (fit.ok()) {
    placements[placement_.name] = blend_of(*fit);
  } else {
    learnt.left_out[placement_.name] = "all candidates were taken";
  }
}

void BlendLesson::add_row(const recommend::Candidates& candidates, std::size_t i,
                          std::uint8_t label, float weight, training::LogisticExamples& examples) {
  const auto begin = candidates.inputs.begin() + static_cast<std::ptrdiff_t>(i * inputs_);
  examples.values.insert(examples.values.end(), begin,
                         begin + static_cast<std::ptrdiff_t>(inputs_));
  examples.labels.push_back(label);
  examples.weights.push_back(weight);
  for (std::size_t source = 0; source < given_.size(); ++source) {
    if (begin[static_cast<std::ptrdiff_t>(source)] > 0) ++given_[source];
  }
}

// Hand-set weights in the unit of the learnt ones: as if both had the same sum where both are
// known.
BlendOfPlacement BlendLesson::blend_of(const training::LogisticModel& fit) const {
  const std::size_t count = given_.size();
  double learnt_sum = 0;
  double hand_set_sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (given_[i] < k_given_min) continue;
    learnt_sum += std::max(0.0, fit.weights[i] + fit.weights[count + i]);
    hand_set_sum += static_cast<double>(placement_.sources[i].weight);
  }
  const double unit = hand_set_sum > 0 ? learnt_sum / hand_set_sum : 0;
  BlendOfPlacement blend;
  blend.bias = static_cast<float>(fit.bias);
  for (std::size_t i = 0; i < count; ++i) {
    const recommend::SourceWeight& source = placement_.sources[i];
    const bool is_learnt = given_[i] >= k_given_min;
    const double weight = is_learnt ? fit.weights[i] : unit * static_cast<double>(source.weight);
    blend.sources[source.source] = static_cast<float>(weight);
    if (is_learnt) blend.depths[source.source] = static_cast<float>(fit.weights[count + i]);
  }
  for (std::size_t i = 0; i < recommend::k_feature_names.size(); ++i) {
    const auto name = std::string(recommend::k_feature_names[i]);
    blend.features[name] = static_cast<float>(fit.weights[2 * count + i]);
  }
  return blend;
}

void BlendLesson::report(const training::Calibration& calibration,
                         std::map<std::string, double>& metrics) const {
  const std::string prefix = "blend." + placement_.name + ".";
  metrics[prefix + "log_loss"] = calibration.log_loss;
  metrics[prefix + "log_loss_of_constant"] = calibration.constant_log_loss;
  for (std::size_t bin = 0; bin < calibration.bins.size(); ++bin) {
    const std::string tenth = fmt::format("{}tenth_{:02}.", prefix, bin + 1);
    metrics[tenth + "predicted"] = calibration.bins[bin].predicted;
    metrics[tenth + "observed"] = calibration.bins[bin].observed;
  }
}

}  // namespace vitrine::rehearsal
