#include "server/live_model/live_model_builder.h"

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "index/build_index.h"

namespace vitrine::live_model {
namespace {

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

LiveModelBuilder::LiveModelBuilder(std::shared_ptr<const LiveModel> first,
                                   const IndexFacts& index_facts)
    : current_(std::move(first)),
      categories_(current_->index()->dimension(), current_->model_row_count()),
      index_facts_(index_facts) {}

absl::StatusOr<IndexedModel> index_model(std::shared_ptr<const TrainedModel> model,
                                         const IndexOptions& options,
                                         const std::filesystem::path& graph_file) {
  index::BuildOptions build{.scan_up_to_rows = options.graph_above_products,
                            .recall_min = options.recall_min,
                            .graph_file = graph_file};
  // A small shop that asks for a graph gets one.
  build.exact_up_to_rows = std::min(build.exact_up_to_rows, build.scan_up_to_rows);
  const index::VectorTable vectors = table_of(model->factors());
  // The index reads the model's own vectors.
  VITRINE_ASSIGN_OR_RETURN(index::BuiltIndex built, index::build_index(vectors, build, model));
  return IndexedModel{.model = std::move(model),
                      .index = std::move(built),
                      .is_large = vectors.row_count * vectors.dimension > options.large_values};
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
  first->is_large_ = indexed.is_large;
  first->scans_ = std::make_shared<index::SharedScans>(std::thread::hardware_concurrency());

  LiveModelBuilder builder(std::move(first), {.kind = indexed.index.kind,
                                              .recall = indexed.index.recall,
                                              .is_read = indexed.index.is_read});
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
    if (!place(catalog, number, *product, vector)) continue;
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

bool LiveModelBuilder::mean_of_variants(const catalog::CatalogSnapshot& catalog,
                                        ProductNumber number, std::span<float> vector) const {
  std::size_t rows = 0;
  for (const ProductNumber variant : catalog.variants_of(number)) {
    const std::optional<std::uint32_t> row = current_->row_of(variant);
    if (!row || *row >= current_->model_row_count()) continue;
    const std::span<const float> known = current_->vector(*row);
    if (rows++ == 0) std::ranges::fill(vector, 0.0F);
    std::ranges::transform(vector, known, vector.begin(), std::plus<>());
  }
  for (float& value : vector) value /= static_cast<float>(std::max<std::size_t>(1, rows));
  return rows > 0;
}

bool LiveModelBuilder::place(const catalog::CatalogSnapshot& catalog, ProductNumber number,
                             const Product& product, std::span<float> vector) const {
  return mean_of_variants(catalog, number, vector) ||
         current_->model()->content().place(product, vector) ||
         categories_.mean(deepest_category(product), vector);
}

void LiveModelBuilder::mark_showable(const catalog::CatalogSnapshot& catalog,
                                     std::span<const ProductNumber> changed, LiveModel& next) {
  const bool was_empty = std::exchange(is_catalog_empty_, catalog.size() == 0);
  const auto is_for_sale = [&](ProductNumber number) {
    const Product* const product = catalog.find(number);
    return product != nullptr && !product->hidden && product->in_stock;
  };
  const auto mark = [&](std::uint32_t row) {
    const ProductNumber number = next.numbers_[row];
    // What is sold out is still found where a variant can be shown in its place.
    const bool is_showable = is_catalog_empty_ || is_for_sale(number) ||
                             std::ranges::any_of(catalog.variants_of(number), is_for_sale);
    is_showable ? next.showable_.set(row) : next.showable_.clear(row);
  };
  if (was_empty != is_catalog_empty_) {
    for (std::uint32_t row = 0; row < next.row_count(); ++row) mark(row);
  } else {
    for (const ProductNumber number : changed) {
      if (const std::optional<std::uint32_t> row = next.row_of(number)) mark(*row);
      for (const ProductNumber variant : catalog.variants_of(number)) {
        if (const std::optional<std::uint32_t> row = next.row_of(variant)) mark(*row);
      }
    }
  }
  if (next.showable_ == current_->showable_) return;
  auto index = next.index_->with_tombstones(~next.showable_);
  CHECK(index.ok(), "the filter has the rows of the index");
  next.index_ = *std::move(index);
}

}  // namespace vitrine::live_model
