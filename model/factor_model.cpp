#include "model/factor_model.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/status.h"
#include "model/vector_kernels.h"

namespace vitrine {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatRows = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
                             0, Eigen::OuterStride<>>;

constexpr int k_steps_max = 64;          // conjugate gradient; a user needs far fewer
constexpr float k_residual_max = 1e-5F;  // relative

absl::Status check_finite(std::string_view what, std::span<const float> numbers) {
  const auto bad =
      std::find_if_not(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
  if (bad == numbers.end()) return absl::OkStatus();
  return invalid_argument("{} must be finite, number {} is not", what, bad - numbers.begin());
}

// V'V, summed in single precision over a few rows at a time and in double over those.
RowMatrix gram_of(const AlignedFloats& rows, std::size_t row_count, std::size_t stride) {
  constexpr std::size_t k_rows_at_once = 256;
  const auto order = static_cast<Eigen::Index>(stride);
  RowMatrix sum = RowMatrix::Zero(order, order);
  AlignedFloats part(stride * stride);
  for (std::size_t first = 0; first < row_count; first += k_rows_at_once) {
    std::fill(part.begin(), part.end(), 0.0F);
    const std::size_t count = std::min(k_rows_at_once, row_count - first);
    vector_kernels().add_gram(part.data(), rows.data() + first * stride, count, stride);
    sum += FloatRows(part.data(), order, order, Eigen::OuterStride<>(order)).cast<double>();
  }
  return sum;
}

// What one thread keeps between fold-ins, so that they do not allocate.
struct Scratch {
  AlignedFloats z;  // a row an observation
  AlignedFloats vectors;

  // Five vectors of `stride` floats, and `count` rows.
  void reserve(std::size_t count, std::size_t stride) {
    if (z.size() < count * stride) z.resize(count * stride);
    if (vectors.size() < 5 * stride) vectors.resize(5 * stride);
  }
};

Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

// Solves (I + Z'Z) x = right in place of `x`; `residual` holds the right side and is used up, as is
// the rest.
void conjugate_gradient(const float* z, std::size_t count, std::size_t stride, float* x,
                        float* residual, float* direction, float* image) {
  const VectorKernels& kernels = vector_kernels();
  std::fill_n(x, stride, 0.0F);
  std::copy_n(residual, stride, direction);
  float norm = kernels.dot(residual, residual, stride);
  const float norm_enough = norm * k_residual_max * k_residual_max;
  for (int step = 0; step < k_steps_max && norm > norm_enough; ++step) {
    std::copy_n(direction, stride, image);
    kernels.add_gram_product(image, z, count, direction, stride);
    const float length = norm / kernels.dot(direction, image, stride);
    kernels.add_scaled(x, direction, length, stride);
    kernels.add_scaled(residual, image, -length, stride);
    const float norm_next = kernels.dot(residual, residual, stride);
    const float turn = norm_next / norm;
    for (std::size_t i = 0; i < stride; ++i) direction[i] = residual[i] + turn * direction[i];
    norm = norm_next;
  }
}

}  // namespace

absl::Status validate(const FactorParameters& parameters) {
  if (parameters.dimension < 1 || parameters.dimension > FactorModel::k_dimension_max) {
    return invalid_argument("dimension must be between 1 and {}, got {}",
                            FactorModel::k_dimension_max, parameters.dimension);
  }
  if (!(parameters.alpha0 >= 0 && std::isfinite(parameters.alpha0))) {
    return invalid_argument("alpha0 must be finite and not negative, got {}", parameters.alpha0);
  }
  if (!(parameters.lambda > 0 && std::isfinite(parameters.lambda))) {
    return invalid_argument("lambda must be finite and above 0, got {}", parameters.lambda);
  }
  if (!(parameters.nu >= 0 && parameters.nu <= 1)) {
    return invalid_argument("nu must be between 0 and 1, got {}", parameters.nu);
  }
  return absl::OkStatus();
}

absl::StatusOr<FactorModel> FactorModel::checked(const FactorParameters& parameters,
                                                 std::span<const float> factors) {
  VITRINE_RETURN_IF_ERROR(validate(parameters));
  if (factors.size() % parameters.dimension != 0 ||
      factors.size() / parameters.dimension > UINT32_MAX) {
    return invalid_argument("{} factors do not make whole rows of {}", factors.size(),
                            parameters.dimension);
  }
  VITRINE_RETURN_IF_ERROR(check_finite("factors", factors));
  FactorModel model;
  model.parameters_ = parameters;
  model.row_count_ = factors.size() / parameters.dimension;
  model.stride_ = padded_dimension(parameters.dimension);
  model.factors_.resize(model.row_count_ * model.stride_);
  model.spectrum_.resize(model.stride_);
  for (std::size_t row = 0; row < model.row_count_; ++row) {
    std::copy_n(factors.data() + row * parameters.dimension, parameters.dimension,
                model.factors_.data() + row * model.stride_);
  }
  return model;
}

absl::StatusOr<FactorModel> FactorModel::from_factors(const FactorParameters& parameters,
                                                      std::span<const float> factors) {
  VITRINE_ASSIGN_OR_RETURN(FactorModel model, checked(parameters, factors));
  const auto dimension = static_cast<Eigen::Index>(model.dimension());
  const RowMatrix gram = gram_of(model.factors_, model.row_count_, model.stride_);
  const Eigen::SelfAdjointEigenSolver<RowMatrix> solver(RowMatrix(
      gram.topLeftCorner(dimension, dimension).transpose()));  // it reads the lower triangle
  if (solver.info() != Eigen::Success)
    return internal_error("the eigenvectors of the Gram matrix did not converge");
  const Eigen::MatrixXf rotation = solver.eigenvectors().rowwise().reverse().cast<float>();

  FloatRows rows(model.factors_.data(), static_cast<Eigen::Index>(model.row_count_), dimension,
                 Eigen::OuterStride<>(static_cast<Eigen::Index>(model.stride_)));
  constexpr Eigen::Index k_rows_at_once = 1024;
  for (Eigen::Index first = 0; first < rows.rows(); first += k_rows_at_once) {
    const Eigen::Index count = std::min(k_rows_at_once, rows.rows() - first);
    rows.middleRows(first, count) = (rows.middleRows(first, count) * rotation).eval();
  }
  for (Eigen::Index i = 0; i < dimension; ++i) {
    model.spectrum_[static_cast<std::size_t>(i)] =
        static_cast<float>(rows.col(i).cast<double>().squaredNorm());
  }
  return model;
}

absl::StatusOr<FactorModel> FactorModel::restore(const FactorParameters& parameters,
                                                 std::span<const float> factors,
                                                 std::span<const float> spectrum) {
  VITRINE_ASSIGN_OR_RETURN(FactorModel model, checked(parameters, factors));
  if (spectrum.size() != model.dimension()) {
    return invalid_argument("spectrum must have {} numbers, got {}", model.dimension(),
                            spectrum.size());
  }
  if (std::any_of(spectrum.begin(), spectrum.end(),
                  [](float x) { return !(x >= 0 && std::isfinite(x)); })) {
    return invalid_argument("spectrum must be finite and not negative");
  }
  std::copy(spectrum.begin(), spectrum.end(), model.spectrum_.begin());
  return model;
}

float FactorModel::user_regularization(std::size_t observed) const {
  const double base =
      static_cast<double>(observed) + parameters_.alpha0 * static_cast<double>(row_count_);
  return static_cast<float>(parameters_.lambda * std::pow(base, parameters_.nu));
}

void FactorModel::fold_in(std::span<const Observation> observations, std::span<float> user) const {
  CHECK(user.size() == dimension(), "a user vector of the model's dimension");
  std::fill(user.begin(), user.end(), 0.0F);
  if (observations.empty()) return;
  const VectorKernels& kernels = vector_kernels();
  Scratch& scratch = thread_scratch();
  scratch.reserve(observations.size(), stride_);
  float* const x = scratch.vectors.data();
  float* const residual = x + stride_;
  float* const direction = residual + stride_;
  float* const image = direction + stride_;
  float* const scale = image + stride_;

  // In y = M^(1/2) x, with M = alpha0 diag(spectrum) + reg, the system is I plus one rank an
  // observation.
  const float regularization = user_regularization(observations.size());
  std::fill_n(scale, stride_, 0.0F);
  for (std::size_t i = 0; i < dimension(); ++i) {
    scale[i] = 1 / std::sqrt(parameters_.alpha0 * spectrum_[i] + regularization);
  }
  std::fill_n(residual, stride_, 0.0F);
  for (std::size_t k = 0; k < observations.size(); ++k) {
    const float root = std::sqrt(observations[k].confidence);
    float* const z = scratch.z.data() + k * stride_;
    kernels.scaled_product(z, observations[k].factors, scale, root, stride_);
    kernels.add_scaled(residual, z, root, stride_);
  }
  conjugate_gradient(scratch.z.data(), observations.size(), stride_, x, residual, direction, image);
  for (std::size_t i = 0; i < dimension(); ++i) user[i] = x[i] * scale[i];
}

void FactorModel::fold_in(std::span<const std::uint32_t> rows, std::span<const float> confidences,
                          std::span<float> user) const {
  CHECK(rows.size() == confidences.size(), "one confidence a row");
  thread_local std::vector<Observation> observations;
  observations.clear();
  for (std::size_t k = 0; k < rows.size(); ++k) {
    CHECK(rows[k] < row_count_, "a row of the model");
    observations.push_back({row_data(rows[k]), confidences[k]});
  }
  fold_in(observations, user);
}

void FactorModel::fold_in_exact(std::span<const Observation> observations,
                                std::span<float> user) const {
  CHECK(user.size() == dimension(), "a user vector of the model's dimension");
  const auto order = static_cast<Eigen::Index>(dimension());
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(order, order);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(order);
  for (Eigen::Index i = 0; i < order; ++i) {
    system(i, i) =
        static_cast<double>(parameters_.alpha0) * spectrum_[static_cast<std::size_t>(i)] +
        user_regularization(observations.size());
  }
  for (const Observation& observation : observations) {
    const Eigen::VectorXd v =
        Eigen::Map<const Eigen::VectorXf>(observation.factors, order).cast<double>();
    system += static_cast<double>(observation.confidence) * v * v.transpose();
    right += static_cast<double>(observation.confidence) * v;
  }
  const Eigen::VectorXd solution = system.llt().solve(right);
  Eigen::Map<Eigen::VectorXf>(user.data(), order) = solution.cast<float>();
}

float FactorModel::score(std::uint32_t row, std::span<const float> user) const {
  CHECK(row < row_count_ && user.size() == dimension(),
        "a row of the model and a vector of its dimension");
  const float* const factors = row_data(row);
  float sum = 0;
  for (std::size_t i = 0; i < user.size(); ++i) sum += factors[i] * user[i];
  return sum;
}

}  // namespace vitrine
