#include "training/gram_basis.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "training/parallel.h"
#include "training/spectral_kernels.h"

namespace vitrine::training {
namespace {

// A symmetric matrix reduced by reflections I - scale v v', the first one first.
struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> beside;       // beside[i] joins i and i + 1
  std::vector<double> reflections;  // row k: the v of reflection k, 0 up to k
  std::vector<double> scales;
};

// The v that turns `column` below place `first` to the axis of `first`; returns its scale, and what
// is left on the axis.
std::pair<double, double> reflection_of(double* v, const double* column, std::size_t first,
                                        std::size_t dimension) {
  double below = 0;
  for (std::size_t i = first + 1; i < dimension; ++i) below += column[i] * column[i];
  std::copy(column + first, column + dimension, v + first);
  if (below == 0) return {0, column[first]};
  const double norm = std::sqrt(column[first] * column[first] + below);
  const double left = column[first] > 0 ? -norm : norm;
  v[first] -= left;
  return {2 / (v[first] * v[first] + below), left};
}

Tridiagonal reduced(std::vector<double>& a, std::size_t dimension, std::size_t stride) {
  const SpectralKernels& kernels = spectral_kernels();
  Tridiagonal result{std::vector<double>(dimension), std::vector<double>(dimension),
                     std::vector<double>(dimension * stride), std::vector<double>(dimension)};
  std::vector<double> w(stride);
  for (std::size_t k = 0; k + 1 < dimension; ++k) {
    double* const v = result.reflections.data() + k * stride;
    const std::size_t next = k + 1;
    const auto [scale, left] = reflection_of(v, a.data() + k * stride, next, dimension);
    result.scales[k] = scale;
    result.diagonal[k] = a[k * stride + k];
    result.beside[k] = left;
    if (scale == 0) continue;
    // Whole vectors of numbers: v is 0 before `next`, so is what those add.
    const std::size_t from = next / 8 * 8;
    double* const rest = a.data() + next * stride + from;
    const std::size_t rows = dimension - next;
    std::fill(w.begin(), w.end(), 0.0);
    kernels.multiply(w.data() + next, rest, v + from, rows, stride - from, stride);
    double along = 0;
    for (std::size_t i = next; i < dimension; ++i) along += w[i] * v[i];
    for (std::size_t i = next; i < dimension; ++i) w[i] = scale * (w[i] - scale / 2 * along * v[i]);
    kernels.subtract_pair(rest, v + next, w.data() + next, v + from, w.data() + from, rows,
                          stride - from, stride);
  }
  if (dimension > 0) result.diagonal[dimension - 1] = a[(dimension - 1) * stride + dimension - 1];
  return result;
}

// One implicit QL step with Wilkinson's shift on the unreduced block [first, last].
void step_down(Tridiagonal& t, std::size_t first, std::size_t last, std::vector<Turn>& turns) {
  std::vector<double>& d = t.diagonal;
  std::vector<double>& e = t.beside;
  double g = (d[first + 1] - d[first]) / (2 * e[first]);
  g = d[last] - d[first] + e[first] / (g + std::copysign(std::sqrt(g * g + 1), g));
  double sine = 1;
  double cosine = 1;
  double shift = 0;
  for (std::size_t i = last; i-- > first;) {
    const double f = sine * e[i];
    const double b = cosine * e[i];
    const double r = std::sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r == 0) {
      d[i + 1] -= shift;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - shift;
    const double turned = (d[i] - g) * sine + 2 * cosine * b;
    shift = sine * turned;
    d[i + 1] = g + shift;
    g = cosine * turned - b;
    turns.push_back({cosine, sine, i});
  }
  d[first] -= shift;
  e[first] = g;
  e[last] = 0;
}

// Leaves the eigenvalues on the diagonal; returns the turns that led there.
std::vector<Turn> diagonalize(Tridiagonal& t) {
  constexpr int k_steps_max = 100;  // two are usual
  const std::size_t dimension = t.diagonal.size();
  double largest = 0;
  for (std::size_t i = 0; i < dimension; ++i)
    largest = std::max(largest, std::abs(t.diagonal[i]) + std::abs(t.beside[i]));
  // What is lost beside the largest eigenvalue is far below the single precision of the factors.
  const double negligible = 1e-16 * largest;
  std::vector<Turn> turns;
  turns.reserve(dimension * dimension);
  for (std::size_t first = 0; first < dimension; ++first) {
    for (int step = 0;; ++step) {
      CHECK(step < k_steps_max, "eigenvalues that converge");
      std::size_t last = first;
      while (last + 1 < dimension && std::abs(t.beside[last]) > negligible) ++last;
      if (last == first) break;
      step_down(t, first, last, turns);
    }
  }
  return turns;
}

}  // namespace

GramBasis make_gram_basis(std::vector<double> gram, std::size_t dimension, std::size_t stride,
                          unsigned threads) {
  for (std::size_t i = 0; i < dimension; ++i) {
    for (std::size_t j = 0; j < i; ++j) gram[i * stride + j] = gram[j * stride + i];
  }
  Tridiagonal tridiagonal = reduced(gram, dimension, stride);
  const std::vector<Turn> turns = diagonalize(tridiagonal);

  GramBasis basis{AlignedFloats(stride * stride), std::vector<float>(stride)};
  for (std::size_t i = 0; i < dimension; ++i)
    basis.spectrum[i] = std::max(0.0F, static_cast<float>(tridiagonal.diagonal[i]));
  // Eigenvectors stand in rows here, a strip of their columns at a time: the strip's rows of the
  // rotation.
  constexpr std::size_t k_columns = SpectralKernels::k_columns;
  for_each_piece(stride / k_columns, threads, [&](std::size_t piece) {
    const SpectralKernels& kernels = spectral_kernels();
    std::vector<double> strip(dimension * k_columns);
    const std::size_t first = piece * k_columns;
    const std::size_t columns = std::min(k_columns, dimension - first);
    for (std::size_t c = 0; c < columns; ++c) strip[(first + c) * k_columns + c] = 1;
    for (std::size_t k = 0; k + 1 < dimension; ++k) {
      if (tridiagonal.scales[k] == 0) continue;
      kernels.reflect(strip.data() + (k + 1) * k_columns,
                      tridiagonal.reflections.data() + k * stride + k + 1, tridiagonal.scales[k],
                      dimension - k - 1);
    }
    kernels.turn(strip.data(), turns.data(), turns.size());
    for (std::size_t c = 0; c < columns; ++c) {
      for (std::size_t i = 0; i < dimension; ++i) {
        basis.rotation[(first + c) * stride + i] = static_cast<float>(strip[i * k_columns + c]);
      }
    }
  });
  return basis;
}

}  // namespace vitrine::training
