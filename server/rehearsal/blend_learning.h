// Learns how to weigh the sources: what the server would have offered, against what people took.
//
// The last months are cut into slices. For each, a model is trained on what came before it, the
// real recommender is asked as of then, and a logistic regression learns from its candidates which
// of them were taken in the slice: nothing of the slice is in what it reads. Several slices,
// because one alone learns its season. Thread-safe; training starts its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <span>
#include <string>

#include "model/blend_table.h"
#include "model/product.h"
#include "server/recommend/placement_book.h"
#include "training/gate.h"
#include "training/train_job.h"

namespace vitrine::rehearsal {

struct BlendOptions {
  TimeMs slice_ms = 28 * k_day_ms;
  double slice_share_max = 0.2;  // of all the time there is
  std::size_t slices_max = 3;
  double slices_share_max = 0.5;             // of all the time there is, all of them together
  std::size_t kept_max = 2'000'000;          // interactions; with more there is one slice
  std::size_t slice_events_max = 1'000'000;  // a slice with more begins later
  std::size_t questions_max = 4000;          // of one placement
  std::size_t refusals_max = 50;             // of one question: candidates that were not taken
  std::size_t questions_min = 50;            // with fewer the hand-set weights stay
  std::size_t taken_min = 200;               // candidates that were taken: likewise
  double ridge = 100;                        // in examples
  std::uint64_t bytes_max = 0;               // of memory; 0: no limit
};

struct LearntBlends {
  BlendTable table;  // of home, cart and product_page those with enough to learn from
  // "blend.home.log_loss" and so on, on questions that were kept apart; see docs/recommend.md.
  std::map<std::string, double> metrics;
  // By placement: why nothing was learnt, "12 questions, 50 are needed". Of "": for all of them.
  std::map<std::string, std::string> left_out;
  std::uint64_t expected_bytes = 0;  // an upper bound of what it took, as docs/training.md has it
};

// source    goes through everything up to three times
// data      its `until` ends the slice
// observer  told how far it is, and asked whether to go on
// Errors    Cancelled, and those of the source. Too little data or memory is none: the table is
//           empty then.
absl::StatusOr<LearntBlends> learn_blends(const training::InteractionSource& source,
                                          std::span<const Product> catalog,
                                          const training::DatasetOptions& data,
                                          const training::TrainOptions& train,
                                          const training::TrainObserver& observer,
                                          const BlendOptions& options = {});

}  // namespace vitrine::rehearsal
