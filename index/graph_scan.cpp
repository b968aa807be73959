#include "index/graph_scan.h"

#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "index/faiss_file.h"

namespace vitrine::index {
namespace {

using Id = faiss::Index::idx_t;

class Scorer final : public faiss::DistanceComputer {
 public:
  Scorer(const VectorTable& rows, const Kernels& kernels) : rows_(rows), kernels_(&kernels) {}

  void set_query(const float* query) override {
    query_ = PaddedQuery(std::span(query, rows_.dimension));
  }
  float operator()(idx_t row) override { return score(query_.values(), row); }
  float symmetric_dis(idx_t a, idx_t b) override { return score(row_at(a), b); }

 private:
  const float* row_at(idx_t row) const {
    return rows_.values + static_cast<std::size_t>(row) * rows_.stride;
  }
  float score(const float* query, idx_t row) const {
    float score;
    kernels_->score_block(query, row_at(row), rows_.stride, 1, &score);
    return score;
  }

  VectorTable rows_;
  const Kernels* kernels_;
  PaddedQuery query_;
};

class FilterSelector final : public faiss::IDSelector {
 public:
  FilterSelector(const RowFilter& allowed, const RowFilter& live)
      : allowed_(&allowed), live_(&live) {}
  bool is_member(idx_t id) const override {
    const auto row = static_cast<std::uint32_t>(id);
    return allowed_->contains(row) && live_->contains(row);
  }

 private:
  const RowFilter* allowed_;
  const RowFilter* live_;
};

// Rows one after the other without padding, as FAISS wants them.
std::vector<float> packed(std::span<const VectorTable> parts) {
  std::vector<float> values;
  for (const VectorTable& part : parts) {
    for (std::size_t row = 0; row < part.row_count; ++row) {
      const float* at = part.values + row * part.stride;
      values.insert(values.end(), at, at + part.dimension);
    }
  }
  return values;
}

// FAISS trusts its files: what it would follow out of bounds is looked at here.
bool is_sound(const faiss::HNSW& graph, std::size_t row_count) {
  const auto is_row = [row_count](faiss::HNSW::storage_idx_t row) {
    return row >= -1 && row < static_cast<Id>(row_count);
  };
  if (graph.levels.size() != row_count || graph.offsets.size() != row_count + 1) return false;
  if (row_count > 0 && (graph.entry_point < 0 || !is_row(graph.entry_point))) return false;
  const auto levels = static_cast<int>(graph.cum_nneighbor_per_level.size());
  if (graph.offsets.back() != graph.neighbors.size() || graph.max_level >= levels - 1) return false;
  for (std::size_t row = 0; row < row_count; ++row) {
    const int level = graph.levels[row];
    if (level < 1 || level >= levels) return false;
    const auto room =
        static_cast<std::size_t>(graph.cum_nneighbor_per_level[static_cast<std::size_t>(level)]);
    if (graph.offsets[row] + room != graph.offsets[row + 1]) return false;
  }
  return std::all_of(graph.neighbors.begin(), graph.neighbors.end(), is_row);
}

}  // namespace

class GraphScan::Storage final : public faiss::Index {
 public:
  explicit Storage(const FlatScan& rows) : faiss::Index(rows.d, rows.metric_type), rows_(&rows) {}

  // The rows are already where they belong.
  void add(idx_t n, const float*) override { ntotal += n; }
  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
              const faiss::SearchParameters* params) const override {
    rows_->search(n, x, k, distances, labels, params);
  }
  void reset() override { ntotal = 0; }
  faiss::DistanceComputer* get_distance_computer() const override {
    return new Scorer(rows_->rows(), best_kernels());
  }

 private:
  const FlatScan* rows_;
};

GraphScan::GraphScan(const VectorTable& vectors, std::shared_ptr<const void> owner,
                     const GraphOptions& options, std::size_t row_count)
    : Segment(vectors.dimension),
      effort_(options.search_effort),
      rows_(vectors, std::move(owner), best_kernels()),
      storage_(std::make_unique<Storage>(rows_)),
      graph_(std::make_unique<faiss::IndexHNSW>(storage_.get(), options.links)) {
  ntotal = static_cast<idx_t>(row_count);
  graph_->hnsw.efConstruction = options.build_effort;
}

GraphScan::GraphScan(const VectorTable& vectors, std::shared_ptr<const void> owner,
                     const GraphOptions& options)
    : GraphScan(vectors, std::move(owner), options, vectors.row_count) {
  if (ntotal == 0) return;
  const VectorTable own = rows_.rows();
  if (own.stride == own.dimension) {
    graph_->add(ntotal, own.values);
  } else {
    graph_->add(ntotal, packed({&own, 1}).data());
  }
}

absl::StatusOr<std::shared_ptr<const GraphScan>> GraphScan::adopt(const faiss::IndexHNSW& read,
                                                                  const VectorTable& vectors,
                                                                  const GraphOptions& options) {
  if (!is_sound(read.hnsw, vectors.row_count)) {
    return data_loss("the graph does not fit its {} rows", vectors.row_count);
  }
  std::shared_ptr<GraphScan> scan(new GraphScan(vectors, nullptr, options, vectors.row_count));
  scan->graph_->hnsw = read.hnsw;
  scan->graph_->ntotal = scan->storage_->ntotal = scan->ntotal;
  return scan;
}

void GraphScan::collect(std::span<Search> searches, const RowFilter& live) const {
  for (Search& search : searches) {
    const std::size_t left = rows_.count_common(*search.allowed, live);
    if (left > row_count() / k_narrow_one_of && left >= search.k) {
      const std::vector<std::uint32_t> found = walk(search, live);
      if (found.size() == search.k) {
        rows_.collect(search.query.values(), found, search.best);
        continue;
      }
    }
    rows_.collect(search.query.values(), *search.allowed, live, 0, search.best);
  }
}

std::vector<std::uint32_t> GraphScan::walk(const Search& search, const RowFilter& live) const {
  FilterSelector selector(*search.allowed, live);
  faiss::SearchParametersHNSW parameters;
  parameters.sel = &selector;
  parameters.efSearch = static_cast<int>(std::max(effort_, 2 * search.k));
  std::vector<float> scores(search.k);
  std::vector<Id> labels(search.k, -1);
  graph_->search(1, search.query.values(), static_cast<Id>(search.k), scores.data(), labels.data(),
                 &parameters);
  std::vector<std::uint32_t> rows;
  for (const Id label : labels) {
    if (label >= 0) rows.push_back(static_cast<std::uint32_t>(label));
  }
  return rows;
}

absl::Status GraphScan::save(std::span<const std::shared_ptr<const FlatScan>> tail,
                             const std::filesystem::path& path) const {
  faiss::IndexHNSWFlat whole(d, 2, faiss::METRIC_INNER_PRODUCT);
  whole.hnsw = graph_->hnsw;
  const VectorTable base = rows();
  const std::vector<float> base_values = packed({&base, 1});
  whole.storage->add(ntotal, base_values.data());
  whole.ntotal = ntotal;
  std::vector<VectorTable> parts;
  for (const std::shared_ptr<const FlatScan>& chunk : tail) parts.push_back(chunk->rows());
  const std::vector<float> tail_values = packed(parts);
  if (!tail_values.empty()) {
    whole.add(static_cast<idx_t>(tail_values.size()) / d, tail_values.data());
  }
  return write_faiss(whole, path);
}

}  // namespace vitrine::index
