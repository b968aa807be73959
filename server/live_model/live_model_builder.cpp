#include "server/live_model/live_model_builder.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "index/build_index.h"

namespace vitrine::live_model {
namespace {

// A scan of so many numbers takes about half a millisecond (benchmarks/index).
constexpr std::size_t k_large_values = std::size_t{300'000} * 64;

index::VectorTable table_of(const FactorModel& factors) {
  return {factors.data(), factors.row_count(), factors.dimension(), factors.stride()};
}

std::vector<ProductNumber> products_of(const catalog::CatalogSnapshot& catalog) {
  std::vector<ProductNumber> numbers;
  numbers.reserve(catalog.size());
  catalog.for_each([&](ProductNumber number, const Product&) { numbers.push_back(number); });
  return numbers;
}

}  // namespace

LiveModelBuilder::LiveModelBuilder(std::shared_ptr<const LiveModel> first, double recall)
    : current_(std::move(first)),
      categories_(current_->index()->dimension(), current_->model_row_count()),
      recall_(recall) {}

absl::StatusOr<IndexedModel> index_model(std::shared_ptr<const TrainedModel> model,
                                         const std::filesystem::path& graph_file) {
  // The index reads the model's own vectors.
  VITRINE_ASSIGN_OR_RETURN(
      index::BuiltIndex built,
      index::build_index(table_of(model->factors()), {.graph_file = graph_file}, model));
  return IndexedModel{std::move(model), std::move(built)};
}

absl::StatusOr<LiveModelBuilder> LiveModelBuilder::create(std::shared_ptr<const TrainedModel> model,
                                                          catalog::ProductNumbers& numbers,
                                                          const catalog::CatalogSnapshot& catalog) {
  VITRINE_ASSIGN_OR_RETURN(IndexedModel indexed, index_model(std::move(model)));
  return of(std::move(indexed), numbers, catalog);
}

LiveModelBuilder LiveModelBuilder::of(IndexedModel indexed, catalog::ProductNumbers& numbers,
                                      const catalog::CatalogSnapshot& catalog) {
  std::shared_ptr<const TrainedModel> model = std::move(indexed.model);
  const auto row_count = static_cast<std::uint32_t>(model->row_count());
  std::vector<ProductNumber> number_of_row(row_count);
  std::vector<std::uint32_t> row_of_number(numbers.size(), LiveModel::k_no_row);
  for (std::uint32_t row = 0; row < row_count; ++row) {
    number_of_row[row] = numbers.number_of(model->products().id(row));
    const std::size_t number = number_of_row[row].value();
    if (number >= row_of_number.size()) row_of_number.resize(number + 1, LiveModel::k_no_row);
    row_of_number[number] = row;
  }
  auto first = std::make_shared<LiveModel>();
  first->numbers_ = SharedVector<ProductNumber>(number_of_row);
  first->rows_ = SharedVector<std::uint32_t>(row_of_number);
  first->model_ = std::move(model);
  first->index_ = std::move(indexed.index.index);
  first->showable_ = index::RowFilter::all(row_count);
  first->is_large_ = row_count * first->index_->dimension() > k_large_values;
  first->scans_ = std::make_shared<index::SharedScans>(std::thread::hardware_concurrency());

  LiveModelBuilder builder(std::move(first), indexed.index.recall);
  builder.apply(catalog, products_of(catalog));
  return builder;
}

void LiveModelBuilder::apply(const catalog::CatalogSnapshot& catalog,
                             std::span<const ProductNumber> changed) {
  auto next = std::make_shared<LiveModel>(*current_);
  place_in_categories(catalog, changed);
  add_tail_rows(catalog, changed, *next);
  mark_showable(catalog, changed, *next);
  current_ = std::move(next);
}

void LiveModelBuilder::place_in_categories(const catalog::CatalogSnapshot& catalog,
                                           std::span<const ProductNumber> changed) {
  for (const ProductNumber number : changed) {
    const std::optional<std::uint32_t> row = current_->row_of(number);
    if (!row || *row >= current_->model_row_count()) continue;
    const Product* product = catalog.find(number);
    categories_.place(*row, product == nullptr ? std::string_view() : deepest_category(*product),
                      current_->vector(*row));
  }
}

void LiveModelBuilder::add_tail_rows(const catalog::CatalogSnapshot& catalog,
                                     std::span<const ProductNumber> changed,
                                     LiveModel& next) const {
  const std::size_t dimension = next.index_->dimension();
  std::vector<ProductNumber> added;
  std::vector<float> vectors;
  std::vector<float> vector(dimension);
  for (const ProductNumber number : changed) {
    const Product* product = catalog.find(number);
    if (product == nullptr || next.row_of(number)) continue;
    if (!place(*product, vector)) continue;
    next.rows_.grow(number.value() + std::size_t{1}, LiveModel::k_no_row);
    next.rows_.set(number.value(), static_cast<std::uint32_t>(next.row_count() + added.size()));
    added.push_back(number);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  if (added.empty()) return;
  next.numbers_.append(added);
  auto index = next.index_->with_tail({vectors.data(), added.size(), dimension, dimension});
  CHECK(index.ok(), "sums and means of usable vectors are usable");
  next.index_ = *std::move(index);
  next.showable_.grow(next.row_count());
}

bool LiveModelBuilder::place(const Product& product, std::span<float> vector) const {
  return current_->model()->content().place(product, vector) ||
         categories_.mean(deepest_category(product), vector);
}

void LiveModelBuilder::mark_showable(const catalog::CatalogSnapshot& catalog,
                                     std::span<const ProductNumber> changed, LiveModel& next) {
  const bool was_empty = std::exchange(is_catalog_empty_, catalog.size() == 0);
  const auto mark = [&](std::uint32_t row) {
    const Product* product = catalog.find(next.numbers_[row]);
    const bool is_showable =
        is_catalog_empty_ || (product != nullptr && !product->hidden && product->in_stock);
    is_showable ? next.showable_.set(row) : next.showable_.clear(row);
  };
  if (was_empty != is_catalog_empty_) {
    for (std::uint32_t row = 0; row < next.row_count(); ++row) mark(row);
  } else {
    for (const ProductNumber number : changed) {
      if (const std::optional<std::uint32_t> row = next.row_of(number)) mark(*row);
    }
  }
  if (next.showable_ == current_->showable_) return;
  auto index = next.index_->with_tombstones(~next.showable_);
  CHECK(index.ok(), "the filter has the rows of the index");
  next.index_ = *std::move(index);
}

}  // namespace vitrine::live_model
