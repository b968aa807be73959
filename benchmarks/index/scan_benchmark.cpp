// One query at a time on one thread: the exact scan, each of its kernels, and FAISS's IndexFlatIP
// as packaged, beside each other in one run.
//
// Data: normal directions with log-normal norms in falling order, seed 1; 3,823 rows is the size of
// examples/online_retail.
#include <benchmark/benchmark.h>
#include <faiss/IndexFlat.h>
#include <fmt/core.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "index/exact_index.h"
#include "index/kernels.h"

namespace vitrine::index {
namespace {

constexpr std::size_t k_queries = 64;

struct Data {
  std::size_t row_count;
  std::size_t dimension;
  std::vector<float> rows;
  std::vector<float> queries;

  const float* query(std::size_t number) const {
    return queries.data() + number % k_queries * dimension;
  }
};

Data make_data(std::size_t row_count, std::size_t dimension) {
  Random random(1);
  std::vector<double> norms(row_count);
  for (double& norm : norms) norm = std::exp(0.35 * random.normal());
  std::sort(norms.rbegin(), norms.rend());
  Data data{row_count, dimension, {}, {}};
  for (const double norm : norms) {
    for (std::size_t j = 0; j < dimension; ++j) {
      data.rows.push_back(static_cast<float>(norm * random.normal()));
    }
  }
  for (std::size_t i = 0; i < k_queries * dimension; ++i) {
    data.queries.push_back(static_cast<float>(random.normal()));
  }
  return data;
}

// Every row is in it with a chance of one in n.
RowFilter one_of(std::size_t n, std::size_t row_count) {
  Random random(2);
  RowFilter filter = RowFilter::none(row_count);
  for (std::size_t row = 0; row < row_count; ++row) {
    if (random.below(n) == 0) filter.set(static_cast<std::uint32_t>(row));
  }
  return filter;
}

void scan(benchmark::State& state, const Data& data, std::size_t k, std::size_t allow_one_of,
          const Kernels& kernels) {
  const auto index = ExactIndex::build(
      {data.rows.data(), data.row_count, data.dimension, data.dimension}, kernels);
  CHECK(index.ok(), "the data makes an index");
  const RowFilter allowed = one_of(allow_one_of, data.row_count);
  std::size_t number = 0;
  for (auto _ : state) {
    auto found = (*index)->search({data.query(number++), data.dimension}, k, allowed);
    benchmark::DoNotOptimize(found);
  }
}

void faiss_flat(benchmark::State& state, const Data& data, std::size_t k) {
  faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(data.dimension));
  index.add(static_cast<faiss::Index::idx_t>(data.row_count), data.rows.data());
  std::vector<float> distances(k);
  std::vector<faiss::Index::idx_t> labels(k);
  std::size_t number = 0;
  for (auto _ : state) {
    index.search(1, data.query(number++), static_cast<faiss::Index::idx_t>(k), distances.data(),
                 labels.data());
    benchmark::DoNotOptimize(labels.data());
  }
}

void register_all(const Data& data) {
  const std::string size = fmt::format("{}x{}", data.row_count, data.dimension);
  const auto add = [](const std::string& name, auto run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
  };
  for (const std::size_t k : {100U, 500U}) {
    add(fmt::format("faiss_flat_ip/{}/k{}", size, k),
        [&data, k](benchmark::State& state) { faiss_flat(state, data, k); });
    for (const Kernels& kernels : supported_kernels()) {
      add(fmt::format("exact_{}/{}/k{}", kernels.name, size, k),
          [&data, &kernels, k](benchmark::State& state) { scan(state, data, k, 1, kernels); });
    }
  }
  for (const std::size_t n : {2U, 4U, 10U, 100U}) {
    add(fmt::format("exact_one_of_{}_allowed/{}/k100", n, size),
        [&data, n](benchmark::State& state) { scan(state, data, 100, n, best_kernels()); });
  }
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string commit() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> git(
      popen("git describe --always --dirty 2>/dev/null", "r"), pclose);
  std::array<char, 64> line{};
  if (git == nullptr || std::fgets(line.data(), line.size(), git.get()) == nullptr)
    return "unknown";
  const std::string text = line.data();
  return text.substr(0, text.find('\n'));
}

}  // namespace
}  // namespace vitrine::index

int main(int argc, char** argv) {
  using namespace vitrine::index;
  omp_set_num_threads(1);
  const Data small = make_data(3823, 64);
  const Data large = make_data(100000, 64);
  register_all(small);
  register_all(large);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("processor", processor());
  benchmark::AddCustomContext("commit", commit());
  benchmark::AddCustomContext("data", "normal directions, log-normal norms (sigma 0.35), seed 1");
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
