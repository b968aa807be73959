// Searches on one thread: our indexes, FAISS's IndexFlatIP as packaged and hnswlib's graph, beside
// each other in one run, with the recall of each.
//
// Times are CPU time of the thread, so that other work on the machine shows least; with
// --benchmark_repetitions=5 the row named "min" is the best of five. 3,823 rows is the size of
// examples/online_retail.
#include <benchmark/benchmark.h>
#include <faiss/IndexFlat.h>
#include <fmt/core.h>
#include <hnswlib/hnswlib.h>
#include <omp.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "benchmarks/index/data.h"
#include "benchmarks/support/about.h"
#include "index/exact_index.h"
#include "index/kernels.h"
#include "index/scan_index.h"

namespace vitrine::index {
namespace {

using Found = std::vector<std::uint32_t>;
using SearchOne = std::function<Found(std::span<const float> query)>;
using Index = std::shared_ptr<const ProductIndex>;

// Data and indexes of one size, made when first asked for: a run that filters needs few of them.
class Shop {
 public:
  Shop(std::size_t row_count, std::size_t dimension, double norm_spread = 0.35)
      : row_count_(row_count), dimension_(dimension), norm_spread_(norm_spread) {}

  std::string size() const {
    return fmt::format("{}x{}{}", row_count_, dimension_, norm_spread_ == 0 ? "_even" : "");
  }
  const Data& data() {
    if (data_ == nullptr) {
      data_ = std::make_shared<Data>(make_data(row_count_, dimension_, norm_spread_));
    }
    return *data_;
  }
  Index exact(const Kernels& kernels = best_kernels()) {
    return made(fmt::format("exact {}", kernels.name),
                [&] { return ExactIndex::build(data().table(), data_, kernels); });
  }
  Index scan(const Kernels& kernels = best_kernels()) {
    return made(fmt::format("scan {}", kernels.name),
                [&] { return ScanIndex::build(data().table(), data_, kernels); });
  }
  const faiss::IndexFlatIP& faiss_flat() {
    if (flat_ == nullptr) {
      flat_ = std::make_unique<faiss::IndexFlatIP>(static_cast<faiss::Index::idx_t>(dimension_));
      flat_->add(static_cast<faiss::Index::idx_t>(row_count_), data().rows.data());
    }
    return *flat_;
  }
  hnswlib::HierarchicalNSW<float>& graph() {
    if (graph_ == nullptr) {
      space_ = std::make_unique<hnswlib::InnerProductSpace>(dimension_);
      graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), row_count_, 32, 200);
      for (std::size_t row = 0; row < row_count_; ++row) {
        graph_->addPoint(data().rows.data() + row * dimension_, row);
      }
    }
    return *graph_;
  }

 private:
  template <class Build>
  Index made(const std::string& name, Build build) {
    Index& index = indexes_[name];
    if (index == nullptr) {
      auto built = build();
      CHECK(built.ok(), "the data makes an index");
      index = *built;
    }
    return index;
  }

  std::size_t row_count_;
  std::size_t dimension_;
  double norm_spread_;
  std::shared_ptr<const Data> data_;
  std::map<std::string, Index> indexes_;
  std::unique_ptr<faiss::IndexFlatIP> flat_;
  std::unique_ptr<hnswlib::InnerProductSpace> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

Found rows_of(const absl::StatusOr<std::vector<Neighbor>>& answer) {
  Found rows;
  for (const Neighbor& neighbor : *answer) rows.push_back(neighbor.row);
  return rows;
}

// Times the search, and compares what it finds with the exact answer.
void run(benchmark::State& state, Shop& shop, std::size_t k, const RowFilter& allowed,
         const SearchOne& search) {
  const Data& data = shop.data();
  std::size_t wanted = 0;
  std::size_t hits = 0;
  for (std::size_t q = 0; q < Data::k_queries; ++q) {
    const Found best = rows_of(shop.exact()->search(data.query(q), k, allowed));
    const std::set<std::uint32_t> judged(best.begin(), best.end());
    for (const std::uint32_t row : search(data.query(q))) hits += judged.count(row);
    wanted += best.size();
  }
  std::size_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(search(data.query(number++)));
  state.counters["recall"] = static_cast<double>(hits) / static_cast<double>(wanted);
}

SearchOne search_in(const Index& index, std::size_t k, const RowFilter& allowed) {
  return [index, k, &allowed](std::span<const float> query) {
    return rows_of(index->search(query, k, allowed));
  };
}

void run_faiss_flat(benchmark::State& state, Shop& shop, std::size_t k) {
  const RowFilter all = RowFilter::all(shop.data().row_count);
  run(state, shop, k, all, [&](std::span<const float> query) {
    std::vector<float> distances(k);
    std::vector<faiss::Index::idx_t> labels(k);
    shop.faiss_flat().search(1, query.data(), static_cast<faiss::Index::idx_t>(k), distances.data(),
                             labels.data());
    return Found(labels.begin(), labels.end());
  });
}

void run_hnswlib(benchmark::State& state, Shop& shop, std::size_t k, std::size_t ef) {
  const RowFilter all = RowFilter::all(shop.data().row_count);
  shop.graph().setEf(ef);
  run(state, shop, k, all, [&](std::span<const float> query) {
    auto queue = shop.graph().searchKnn(query.data(), k);
    Found rows;
    for (; !queue.empty(); queue.pop()) {
      rows.push_back(static_cast<std::uint32_t>(queue.top().second));
    }
    return rows;
  });
}

// The time is the one of a whole batch; the counter "per_query" has the share of one.
void run_batch(benchmark::State& state, Shop& shop, std::size_t k, std::size_t together) {
  const Data& data = shop.data();
  const Index index = shop.scan();
  const RowFilter all = RowFilter::all(data.row_count);
  std::size_t number = 0;
  for (auto _ : state) {
    std::vector<SearchRequest> requests;
    requests.reserve(together);
    for (std::size_t q = 0; q < together; ++q) requests.push_back({data.query(number++), k, &all});
    benchmark::DoNotOptimize(index->search_batch(requests));
  }
  state.counters["per_query"] =
      benchmark::Counter(static_cast<double>(state.iterations() * together),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void run_build(benchmark::State& state, Shop& shop) {
  const VectorTable table = shop.data().table();
  for (auto _ : state) benchmark::DoNotOptimize(ScanIndex::build(table));
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->Unit(benchmark::kMicrosecond)
      ->ComputeStatistics("min", [](const std::vector<double>& times) {
        return *std::min_element(times.begin(), times.end());
      });
}

void add_searches(Shop& shop) {
  const std::string size = shop.size();
  for (const std::size_t k : {100U, 500U}) {
    add(fmt::format("faiss_flat_ip/{}/k{}", size, k),
        [&shop, k](benchmark::State& state) { run_faiss_flat(state, shop, k); });
    for (const Kernels& kernels : supported_kernels()) {
      const auto over = [&shop, &kernels, k](Index (Shop::*index)(const Kernels&)) {
        return [&shop, &kernels, k, index](benchmark::State& state) {
          const RowFilter all = RowFilter::all(shop.data().row_count);
          run(state, shop, k, all, search_in((shop.*index)(kernels), k, all));
        };
      };
      add(fmt::format("exact_{}/{}/k{}", kernels.name, size, k), over(&Shop::exact));
      add(fmt::format("scan_{}/{}/k{}", kernels.name, size, k), over(&Shop::scan));
    }
    for (const std::size_t together : {2U, 4U, 8U}) {
      add(fmt::format("scan_{}_together/{}/k{}", together, size, k),
          [&shop, k, together](benchmark::State& state) { run_batch(state, shop, k, together); });
    }
  }
  for (const std::size_t n : {2U, 8U, 12U, 16U, 24U, 100U, 1000U}) {
    const auto under = [&shop, n](bool is_exact) {
      return [&shop, n, is_exact](benchmark::State& state) {
        const RowFilter some = one_of(n, shop.data().row_count);
        run(state, shop, 100, some, search_in(is_exact ? shop.exact() : shop.scan(), 100, some));
      };
    };
    add(fmt::format("exact_one_of_{}_allowed/{}/k100", n, size), under(true));
    add(fmt::format("scan_one_of_{}_allowed/{}/k100", n, size), under(false));
  }
  add(fmt::format("scan_build/{}", size),
      [&shop](benchmark::State& state) { run_build(state, shop); });
}

}  // namespace
}  // namespace vitrine::index

int main(int argc, char** argv) {
  using namespace vitrine::index;
  omp_set_num_threads(1);
  Shop shops[] = {{3823, 64},    {8000, 64},      {100000, 64},    {100000, 128},
                  {1000000, 64}, {100000, 64, 0}, {1000000, 64, 0}};
  for (Shop& shop : shops) add_searches(shop);
  Shop& middle = shops[2];
  for (const std::size_t ef : {128U, 512U}) {
    add(fmt::format("hnswlib_m32_ef{}/{}/k100", ef, middle.size()),
        [&middle, ef](benchmark::State& state) { run_hnswlib(state, middle, 100, ef); });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("machine", vitrine::machine());
  benchmark::AddCustomContext("commit", vitrine::commit());
  benchmark::AddCustomContext("data", "1,000 clusters, falling spectrum, log-normal norms, seed 1");
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
