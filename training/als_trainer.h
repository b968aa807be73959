// Implicit alternating least squares: the objective of model/factor_model.h, minimized one side at
// a time.
//
// The result depends on data, options and seed, not on the number of threads. Thread-safe; starts
// its own threads.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/aligned_floats.h"
#include "model/factor_model.h"
#include "training/dataset.h"

namespace vitrine::training {

enum class SolverKind {
  automatic,  // each row by its length: short ones exactly, long ones by conjugate gradients
  primal,     // Gram panel and Cholesky of d x d a row: exact, the judge of all others
  dual,       // n x n in the Gram matrix's eigenbasis where n < 0.9 d, else d x d: exact
  pcg,        // three steps of preconditioned conjugate gradients from the epoch before
};

// "auto", "primal", "dual", "pcg".
std::string_view name_of(SolverKind solver);
std::optional<SolverKind> solver_named(std::string_view name);

struct AlsOptions {
  FactorParameters factors{.dimension = 64, .alpha0 = 0.3F, .lambda = 0.01F, .nu = 1};
  std::uint32_t epochs = 12;
  std::uint64_t seed = 1;
  unsigned threads = 0;  // 0: one a core
  SolverKind solver = SolverKind::automatic;
};

// InvalidArgument, naming the field, for anything out of range.
absl::Status validate(const AlsOptions& options);

struct EpochReport {
  std::uint32_t epoch = 0;  // from 1
  std::uint32_t epochs = 0;
  double wall_seconds = 0;
  double cpu_seconds = 0;  // of the whole process
  double objective = 0;    // after the epoch; per observed pair
};

// Where a run stands between two epochs; the rows have padded_dimension(d) floats.
struct AlsCheckpoint {
  std::uint32_t epochs_done = 0;
  std::span<const float> user_factors;
  std::span<const float> product_factors;
};

// A run that starts from a checkpoint ends with the bytes of one that was never interrupted.
struct AlsContinuation {
  AlsCheckpoint start;  // epochs_done 0: from the beginning; copied before the first epoch
  // Called after each epoch but the last, on the calling thread; an error ends the run. May be
  // empty.
  std::function<absl::Status(const AlsCheckpoint&)> on_checkpoint;
};

// Both sides are in one basis, that of the last Gram matrix but for the solver `primal`: inner
// products mean something, single numbers of a row do not.
struct AlsResult {
  AlignedFloats user_factors;     // row-major, stride padded_dimension(d)
  AlignedFloats product_factors;  // the same
  std::vector<EpochReport> epochs;
};

// on_epoch      called after each epoch on the calling thread; may be empty
// cancel        looked at between chunks of rows; may be null
// continuation  may be null
// Errors        InvalidArgument (options, or a start that does not fit them), Cancelled
absl::StatusOr<AlsResult> train_als(const SparseRows& by_user, const SparseRows& by_product,
                                    const AlsOptions& options,
                                    const std::function<void(const EpochReport&)>& on_epoch,
                                    const std::atomic<bool>* cancel,
                                    const AlsContinuation* continuation = nullptr);

}  // namespace vitrine::training
