// What the search for similar products costs, and that it finds them.
//
//   bench_similar [ROWS] [DIMENSIONS] [THREADS]    200,000 of 128 on two threads
//
// Made-up products in a few thousand groups, their first numbers larger than the rest, as in the
// basis of a Gram matrix. Recall is that of 50 against all cosines in double precision, on some
// rows.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "benchmarks/support/about.h"
#include "training/panel_kernels.h"
#include "training/similar_products.h"

namespace vitrine::training {
namespace {

constexpr std::uint32_t k_similar_max = 50;

double cpu_seconds() {
  timespec now = {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

AlignedFloats made_up_factors(std::size_t rows, std::size_t dimension) {
  const std::size_t stride = padded_dimension(dimension);
  const std::size_t groups = rows / 50 + 1;
  Random random(7);
  std::vector<float> centers(groups * dimension);
  for (float& number : centers) number = static_cast<float>(random.normal());
  AlignedFloats factors(rows * stride);
  for (std::size_t row = 0; row < rows; ++row) {
    const float* center = centers.data() + random.below(groups) * dimension;
    for (std::size_t i = 0; i < dimension; ++i) {
      const double scale = 1 / std::sqrt(1 + static_cast<double>(i));
      factors[row * stride + i] = static_cast<float>(scale * (center[i] + random.normal()));
    }
  }
  return factors;
}

double recall_of(const NeighborLists& lists, const AlignedFloats& factors, std::size_t stride) {
  double found = 0;
  double wanted = 0;
  const std::size_t rows = lists.size();
  for (std::size_t row = 0; row < rows; row += std::max<std::size_t>(1, rows / 40)) {
    std::vector<std::pair<double, std::uint32_t>> all;
    for (std::uint32_t other = 0; other < rows; ++other) {
      double dot = 0;
      double norm = 0;
      for (std::size_t i = 0; i < stride; ++i) {
        const double number = factors[other * stride + i];
        dot += factors[row * stride + i] * number;
        norm += number * number;
      }
      if (other != row && dot > 0) all.emplace_back(-dot / std::sqrt(norm), other);
    }
    const std::size_t kept = std::min<std::size_t>(k_similar_max, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
    wanted += static_cast<double>(kept);
    for (std::size_t i = 0; i < kept; ++i) {
      found += static_cast<double>(
          std::count_if(lists[row].begin(), lists[row].end(),
                        [&](const RelatedProduct& one) { return one.row == all[i].second; }));
    }
  }
  return found / wanted;
}

void run(std::size_t rows, std::size_t dimension, unsigned threads) {
  const std::size_t stride = padded_dimension(dimension);
  const AlignedFloats factors = made_up_factors(rows, dimension);
  const std::int64_t begin_us = steady_us();
  const double begin_cpu = cpu_seconds();
  const NeighborLists lists =
      similar_products(factors, rows, stride, k_similar_max, threads).value();
  const double cpu = cpu_seconds() - begin_cpu;
  fmt::print("machine    {} ({})\ncommit     {}\n", machine(), panel_kernels().instruction_set,
             commit());
  fmt::print(
      "similar    {} products, d={}, {} threads: cpu {:.2f} s  wall {:.2f} s  recall@{} {:.5f}\n",
      rows, dimension, threads, cpu, static_cast<double>(steady_us() - begin_us) / 1e6,
      k_similar_max, recall_of(lists, factors, stride));
}

}  // namespace
}  // namespace vitrine::training

int main(int argc, char** argv) {
  const auto number = [&](int place, std::size_t otherwise) {
    return argc > place ? std::strtoull(argv[place], nullptr, 10) : otherwise;
  };
  vitrine::training::run(number(1, 200'000), number(2, 128), static_cast<unsigned>(number(3, 2)));
  return 0;
}
