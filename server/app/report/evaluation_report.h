// What an evaluation found, and how it is told: as tables for people and as JSON for machines.
//
// A value; the functions are thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "training/activity.h"
#include "training/bootstrap.h"
#include "training/evaluator.h"
#include "training/split.h"
#include "training/train_job.h"

namespace vitrine::app {

// One ranking under one rule.
struct RankingResult {
  std::string name;  // "personal", "popular", ...
  training::Evaluation result;
  // By metric at the main cutoff: of its mean over users.
  std::map<std::string, training::Interval> intervals;
  // The same of the difference to the first baseline, user by user; empty for that one.
  std::map<std::string, training::Interval> gains;
  std::vector<training::ActivityBucket> by_activity;
};

// Everything measured under one rule, the model first. Empty when nobody could be judged by it.
struct ReportSection {
  std::string title;
  std::vector<RankingResult> rankings;
};

struct EvaluationReport {
  std::string split;        // how train and test were told apart
  std::string model;        // where the model came from
  std::size_t cutoff = 20;  // the main one
  std::vector<std::size_t> cutoffs;
  ReportSection fresh;    // products new to the user
  ReportSection repeats;  // repeats allowed
  ReportSection cold;     // users whom training does not know
  std::uint64_t train_users = 0;
  std::uint64_t train_products = 0;
  std::uint64_t train_pairs = 0;
  std::uint64_t cold_users = 0;
  std::uint64_t cold_products = 0;
  std::uint64_t cold_product_pairs = 0;
  std::vector<training::EpochReport> epochs;  // empty for a model that was trained before
};

// One with the cutoffs, 20 the main one if it is among them, and the sizes of the split.
// Precondition: there is a cutoff.
EvaluationReport begin_report(const training::Split& split,
                              const std::vector<std::size_t>& cutoffs);

// Fills intervals and gains of a section from the users' numbers at `cutoff`.
void add_intervals(ReportSection& section, std::size_t cutoff);

std::string text_of(const EvaluationReport& report, bool colours);
// One object. Figures of the model on products new to the user stand at its top.
std::string json_of(const EvaluationReport& report);

}  // namespace vitrine::app
