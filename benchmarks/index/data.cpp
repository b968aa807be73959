#include "benchmarks/index/data.h"

#include <algorithm>
#include <cmath>

namespace vitrine::index {
namespace {

// Twelve uniform numbers, nearly normal: a tenth of the time of exact ones, and there are millions.
double bell(Random& random) {
  constexpr double per_step = 1.0 / 65536;
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    for (std::uint64_t bits = random.next(), n = 0; n < 4; ++n, bits >>= 16) {
      sum += static_cast<double>(bits & 0xFFFF) * per_step;
    }
  }
  return sum - 6;
}

}  // namespace

Data make_data(std::size_t row_count, std::size_t dimension, double norm_spread) {
  constexpr std::size_t cluster_count = 1000;
  Random random(1);
  std::vector<double> spread(dimension);
  double length = 0;
  for (std::size_t j = 0; j < dimension; ++j) {
    spread[j] = 1 / std::sqrt(1 + static_cast<double>(j) / 2);
    length += 2 * spread[j] * spread[j];
  }
  std::vector<double> centres(cluster_count * dimension);
  for (double& value : centres) value = bell(random);
  std::vector<double> norms(row_count);
  for (double& norm : norms) norm = 2.7 * std::exp(norm_spread * random.normal());
  std::sort(norms.rbegin(), norms.rend());

  Data data{row_count, dimension, {}, {}};
  data.rows.reserve(row_count * dimension);
  for (const double norm : norms) {
    const double* centre = centres.data() + random.below(cluster_count) * dimension;
    const double scale = norm / std::sqrt(length);
    for (std::size_t j = 0; j < dimension; ++j) {
      data.rows.push_back(static_cast<float>(scale * spread[j] * (centre[j] + bell(random))));
    }
  }
  for (std::size_t q = 0; q < Data::k_queries; ++q) {
    std::vector<double> query(dimension);
    for (double& value : query) value = 0.5 * bell(random);
    for (std::size_t taste = random.below(3) + 1; taste > 0; --taste) {
      const double* centre = centres.data() + random.below(cluster_count) * dimension;
      for (std::size_t j = 0; j < dimension; ++j) query[j] += centre[j];
    }
    for (std::size_t j = 0; j < dimension; ++j) {
      data.queries.push_back(static_cast<float>(spread[j] * query[j]));
    }
  }
  return data;
}

RowFilter one_of(std::size_t n, std::size_t row_count) {
  Random random(2);
  RowFilter filter = RowFilter::none(row_count);
  for (std::size_t row = 0; row < row_count; ++row) {
    if (random.below(n) == 0) filter.set(static_cast<std::uint32_t>(row));
  }
  return filter;
}

}  // namespace vitrine::index
