#include "training/als_trainer.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <memory>
#include <numeric>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "model/vector_kernels.h"
#include "training/basis_solver.h"
#include "training/gram_basis.h"
#include "training/parallel.h"
#include "training/primal_solver.h"
#include "training/row_kernels.h"

namespace vitrine::training {
namespace {

// Sums over rows are made over pieces of this many, then over the pieces in order: the number of
// threads does not show.
constexpr std::size_t k_rows_a_sum = 256;
constexpr std::size_t k_partial_sums = 16;
constexpr std::size_t k_rows_a_product = 48;  // of a rotation; a multiple of its tile

constexpr std::pair<SolverKind, std::string_view> k_solver_names[] = {
    {SolverKind::automatic, "auto"},
    {SolverKind::primal, "primal"},
    {SolverKind::dual, "dual"},
    {SolverKind::pcg, "pcg"}};

double cpu_seconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::size_t piece_count(std::size_t rows, std::size_t rows_a_piece) {
  return (rows + rows_a_piece - 1) / rows_a_piece;
}

// Up to this many observed columns a row is solved exactly: 16 such rows in lanes cost no more than
// their conjugate gradients. On Gowalla an epoch at d = 64 took .114, .098, .075 and .096 CPU
// seconds with 8, 16, 24 and 32.
constexpr std::size_t k_short_row_max = 24;

// Empty for the one that works in no basis.
std::optional<BasisRule> rule_of(SolverKind kind) {
  switch (kind) {
    case SolverKind::automatic:
      return BasisRule{k_short_row_max, true};
    case SolverKind::primal:
      return std::nullopt;
    case SolverKind::dual:
      return BasisRule{k_short_row_max, false};
    case SolverKind::pcg:
      return BasisRule{0, true};
  }
  return std::nullopt;
}

std::unique_ptr<RowSolver> make_solver(SolverKind kind, const FixedSide& fixed) {
  const std::optional<BasisRule> rule = rule_of(kind);
  if (!rule) return std::make_unique<PrimalSolver>(fixed);
  return std::make_unique<BasisSolver>(fixed, *rule);
}

// One side of the factorization: its factors, what was observed of each row, and the order in which
// rows are solved.
struct Side {
  const SparseRows* observed = nullptr;
  AlignedFloats factors;
  std::vector<std::uint32_t> longest_first;
  std::vector<float> regularization;  // by row
};

// Those whose former values the solver starts from: the first ones, being the longest.
std::span<const std::uint32_t> rows_that_descend(const Side& side, SolverKind solver) {
  const std::span<const std::uint32_t> rows = side.longest_first;
  const std::optional<BasisRule> rule = rule_of(solver);
  if (!rule || !rule->descends) return {};
  const auto first_exact = std::partition_point(rows.begin(), rows.end(), [&](std::uint32_t row) {
    return side.observed->columns_of(row).size() > rule->lanes_max;
  });
  return {rows.begin(), first_exact};
}

class AlsRun {
 public:
  AlsRun(const SparseRows& by_user, const SparseRows& by_product, const AlsOptions& options,
         const std::atomic<bool>* cancel)
      : options_(options),
        stride_(padded_dimension(options.factors.dimension)),
        threads_(thread_count_of(options.threads)),
        cancel_(cancel) {
    users_ = make_side(by_user, by_product.row_count());
    products_ = make_side(by_product, by_user.row_count());
    start_at_random();
  }

  // False when the checkpoint is not one of this run.
  bool start_at(const AlsCheckpoint& start) {
    if (start.user_factors.size() != users_.factors.size() ||
        start.product_factors.size() != products_.factors.size()) {
      return false;
    }
    std::copy(start.user_factors.begin(), start.user_factors.end(), users_.factors.begin());
    std::copy(start.product_factors.begin(), start.product_factors.end(),
              products_.factors.begin());
    return true;
  }

  AlsCheckpoint checkpoint(std::uint32_t epochs_done) const {
    return {epochs_done, users_.factors, products_.factors};
  }

  // False when it was cancelled.
  bool run_epoch() { return solve_side(users_, products_) && solve_side(products_, users_); }

  // Of model/factor_model.h, divided by the number of observed pairs.
  double objective() const {
    const double everything = trace_of_product(gram_of(products_.factors), gram_of(users_.factors));
    double sum = options_.factors.alpha0 * everything + observed_loss();
    for (const Side* side : {&users_, &products_}) sum += regularization_loss(*side);
    return sum / static_cast<double>(std::max<std::size_t>(1, users_.observed->columns.size()));
  }

  AlsResult take_result() && {
    return {std::move(users_.factors), std::move(products_.factors), {}};
  }

 private:
  Side make_side(const SparseRows& observed, std::size_t other_rows) const {
    const FactorParameters& factors = options_.factors;
    const std::size_t rows = observed.row_count();
    Side side{&observed, AlignedFloats(rows * stride_), std::vector<std::uint32_t>(rows),
              std::vector<float>(rows)};
    for (std::size_t row = 0; row < rows; ++row) {
      const auto length = static_cast<double>(observed.columns_of(row).size());
      const double base = length + factors.alpha0 * static_cast<double>(other_rows);
      side.regularization[row] = static_cast<float>(factors.lambda * std::pow(base, factors.nu));
    }
    std::iota(side.longest_first.begin(), side.longest_first.end(), 0U);
    std::stable_sort(side.longest_first.begin(), side.longest_first.end(),
                     [&](std::uint32_t a, std::uint32_t b) {
                       return observed.columns_of(a).size() > observed.columns_of(b).size();
                     });
    return side;
  }

  void start_at_random() {
    Random random(options_.seed);
    const double deviation = 0.1 / std::sqrt(options_.factors.dimension);
    for (Side* side : {&users_, &products_}) {
      for (std::size_t row = 0; row < side->observed->row_count(); ++row) {
        float* target = side->factors.data() + row * stride_;
        for (std::uint32_t i = 0; i < options_.factors.dimension; ++i) {
          target[i] = static_cast<float>(deviation * random.normal());
        }
      }
    }
  }

  // alpha0 is left to the callers. The upper triangle counts.
  std::vector<double> gram_of(const AlignedFloats& factors) const {
    const std::size_t rows = factors.size() / stride_;
    const std::size_t pieces = piece_count(rows, k_rows_a_sum);
    // A few partial sums, so that memory does not grow with the rows.
    const std::size_t lanes = std::min<std::size_t>(pieces, k_partial_sums);
    std::vector<std::vector<double>> sums(lanes);
    for_each_piece(lanes, threads_, [&](std::size_t lane) {
      std::vector<double> sum(stride_ * stride_);
      AlignedFloats partial(stride_ * stride_);
      for (std::size_t piece = lane; piece < pieces; piece += lanes) {
        const std::size_t first = piece * k_rows_a_sum;
        std::fill(partial.begin(), partial.end(), 0.0F);
        vector_kernels().add_gram(partial.data(), factors.data() + first * stride_,
                                  std::min(k_rows_a_sum, rows - first), stride_);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += partial[i];
      }
      sums[lane] = std::move(sum);
    });
    for (std::size_t lane = 1; lane < lanes; ++lane) {
      for (std::size_t i = 0; i < sums[0].size(); ++i) sums[0][i] += sums[lane][i];
    }
    return lanes > 0 ? std::move(sums[0]) : std::vector<double>(stride_ * stride_);
  }

  // One half-epoch. False when it was cancelled.
  bool solve_side(Side& side, Side& other) {
    std::vector<double> gram = gram_of(other.factors);
    std::vector<float> spectrum;
    AlignedFloats shared_part;
    if (options_.solver == SolverKind::primal) {
      shared_part.assign(gram.begin(), gram.end());
      for (float& number : shared_part) number *= options_.factors.alpha0;
    } else {
      GramBasis basis =
          make_gram_basis(std::move(gram), options_.factors.dimension, stride_, threads_);
      rotate(other, other.longest_first, basis);
      rotate(side, rows_that_descend(side, options_.solver), basis);
      spectrum = std::move(basis.spectrum);
      for (float& number : spectrum) number *= options_.factors.alpha0;
    }
    solve_rows({other.factors, shared_part, spectrum, options_.factors.dimension, stride_}, side);
    return !is_cancelled();
  }

  // Rows times the basis' rotation, in place.
  void rotate(Side& side, std::span<const std::uint32_t> rows, const GramBasis& basis) const {
    for_each_piece(piece_count(rows.size(), k_rows_a_product), threads_, [&](std::size_t piece) {
      const auto some =
          rows.subspan(piece * k_rows_a_product,
                       std::min(k_rows_a_product, rows.size() - piece * k_rows_a_product));
      AlignedFloats before(some.size() * stride_);
      AlignedFloats after(some.size() * stride_);
      for (std::size_t i = 0; i < some.size(); ++i)
        std::copy_n(side.factors.data() + some[i] * stride_, stride_, before.data() + i * stride_);
      row_kernels().multiply(after.data(), before.data(), some.size(), basis.rotation.data(),
                             stride_);
      for (std::size_t i = 0; i < some.size(); ++i)
        std::copy_n(after.data() + i * stride_, stride_, side.factors.data() + some[i] * stride_);
    });
  }

  void solve_rows(const FixedSide& fixed, Side& side) const {
    const MovingSide moving{*side.observed, side.regularization, side.factors};
    const std::span<const std::uint32_t> rows = side.longest_first;
    const std::size_t pieces = piece_count(rows.size(), RowSolver::k_rows_together);
    std::atomic<std::size_t> next = 0;
    for_each_piece(threads_, threads_, [&](std::size_t) {
      const std::unique_ptr<RowSolver> solver = make_solver(options_.solver, fixed);
      for (std::size_t piece = next++; piece < pieces && !is_cancelled(); piece = next++) {
        const std::size_t first = piece * RowSolver::k_rows_together;
        solver->solve(
            rows.subspan(first, std::min(RowSolver::k_rows_together, rows.size() - first)), moving);
      }
    });
  }

  double observed_loss() const {
    const std::size_t rows = users_.observed->row_count();
    std::vector<double> sums(piece_count(rows, k_rows_a_sum));
    for_each_piece(sums.size(), threads_, [&](std::size_t piece) {
      for (std::size_t row = piece * k_rows_a_sum; row < std::min(rows, (piece + 1) * k_rows_a_sum);
           ++row) {
        const auto columns = users_.observed->columns_of(row);
        const auto values = users_.observed->values_of(row);
        for (std::size_t k = 0; k < columns.size(); ++k) {
          const double miss =
              1 - vector_kernels().dot(users_.factors.data() + row * stride_,
                                       products_.factors.data() + columns[k] * stride_, stride_);
          sums[piece] += values[k] * miss * miss;
        }
      }
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  }

  double regularization_loss(const Side& side) const {
    double sum = 0;
    for (std::size_t row = 0; row < side.regularization.size(); ++row) {
      const float* factors = side.factors.data() + row * stride_;
      sum += static_cast<double>(side.regularization[row]) *
             vector_kernels().dot(factors, factors, stride_);
    }
    return sum;
  }

  // Sum over all pairs of (u'v)^2 = trace(U'U V'V), from the upper triangles.
  double trace_of_product(const std::vector<double>& a, const std::vector<double>& b) const {
    double sum = 0;
    for (std::size_t i = 0; i < stride_; ++i) {
      for (std::size_t j = i; j < stride_; ++j) {
        const double product = a[i * stride_ + j] * b[i * stride_ + j];
        sum += i == j ? product : 2 * product;
      }
    }
    return sum;
  }

  bool is_cancelled() const { return cancel_ != nullptr && cancel_->load(); }

  const AlsOptions& options_;
  const std::size_t stride_;
  const unsigned threads_;
  const std::atomic<bool>* const cancel_;
  Side users_;
  Side products_;
};

}  // namespace

std::string_view name_of(SolverKind solver) {
  for (const auto& [kind, name] : k_solver_names) {
    if (kind == solver) return name;
  }
  return "";
}

std::optional<SolverKind> solver_named(std::string_view name) {
  for (const auto& [kind, known] : k_solver_names) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

absl::Status validate(const AlsOptions& options) {
  VITRINE_RETURN_IF_ERROR(validate(options.factors));
  if (options.epochs < 1 || options.epochs > 1000) {
    return invalid_argument("epochs must be between 1 and 1000, got {}", options.epochs);
  }
  if (options.threads > 1024)
    return invalid_argument("threads must be at most 1024, got {}", options.threads);
  return absl::OkStatus();
}

absl::StatusOr<AlsResult> train_als(const SparseRows& by_user, const SparseRows& by_product,
                                    const AlsOptions& options,
                                    const std::function<void(const EpochReport&)>& on_epoch,
                                    const std::atomic<bool>* cancel,
                                    const AlsContinuation* continuation) {
  VITRINE_RETURN_IF_ERROR(validate(options));
  AlsRun run(by_user, by_product, options, cancel);
  const std::uint32_t done = continuation != nullptr ? continuation->start.epochs_done : 0;
  if (done > 0 && (done > options.epochs || !run.start_at(continuation->start)))
    return invalid_argument("the checkpoint after epoch {} is not one of this run", done);
  std::vector<EpochReport> reports;
  for (std::uint32_t epoch = done + 1; epoch <= options.epochs; ++epoch) {
    const std::int64_t wall_before = steady_us();
    const double cpu_before = cpu_seconds();
    if (!run.run_epoch()) return absl::CancelledError("training was cancelled");
    EpochReport report{epoch, options.epochs};
    report.wall_seconds = 1e-6 * static_cast<double>(steady_us() - wall_before);
    report.cpu_seconds = cpu_seconds() - cpu_before;
    report.objective = run.objective();
    reports.push_back(report);
    if (on_epoch) on_epoch(report);
    if (continuation != nullptr && continuation->on_checkpoint && epoch < options.epochs)
      VITRINE_RETURN_IF_ERROR(continuation->on_checkpoint(run.checkpoint(epoch)));
  }
  AlsResult result = std::move(run).take_result();
  result.epochs = std::move(reports);
  return result;
}

}  // namespace vitrine::training
