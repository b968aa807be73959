// The examples of one placement, and the blend that is learnt from them.
//
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/blend_table.h"
#include "server/recommend/placement.h"
#include "server/recommend/recommender.h"
#include "server/rehearsal/blend_learning.h"
#include "server/rehearsal/blend_questions.h"
#include "server/rehearsal/rehearsal.h"
#include "training/logistic.h"

namespace vitrine::rehearsal {

class BlendLesson {
 public:
  // Both outlive the lesson.
  BlendLesson(const recommend::Placement& placement, const BlendOptions& options);

  const std::string& placement() const { return placement_.name; }

  // Asks, and takes the candidates as examples. A question none of whose candidates were taken
  // teaches nothing about their order, but counts: probabilities would be too high without it.
  void add(const Question& question, const Rehearsal& rehearsal);

  // Ends the lesson: its examples are given back.
  void learn(BlendTable::Placements& placements, LearntBlends& learnt);

 private:
  std::string lack_of() const;
  void fit(BlendTable::Placements& placements, LearntBlends& learnt);
  void add_row(const recommend::Candidates& candidates, std::size_t i, std::uint8_t label,
               float weight, training::LogisticExamples& examples);
  BlendOfPlacement blend_of(const training::LogisticModel& fit) const;
  void report(const training::Calibration& calibration,
              std::map<std::string, double>& metrics) const;

  const recommend::Placement& placement_;
  const BlendOptions& options_;
  std::size_t inputs_;
  training::LogisticExamples fitted_;
  training::LogisticExamples kept_apart_;
  std::vector<std::size_t> given_;  // by source: examples it gave a place
  std::size_t questions_ = 0;
  std::size_t taken_ = 0;
  Random random_{1};
};

}  // namespace vitrine::rehearsal
