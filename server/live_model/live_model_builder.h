// Makes live models: the first of a trained model, then one after each change of the catalog.
//
// A catalog product the model does not know gets a tail row with the mean vector of its variants,
// else with the one that the model's content map gives it, else with the mean vector of the model's
// products in its deepest category, when there are any; it keeps row and vector until the next
// model. Not thread-safe; what it makes is.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "index/build_index.h"
#include "model/trained_model.h"
#include "server/catalog/catalog.h"
#include "server/catalog/product_numbers.h"
#include "server/live_model/category_vectors.h"
#include "server/live_model/live_model.h"

namespace vitrine::live_model {

// How products are searched, by the size of the shop.
struct IndexOptions {
  // Products times dimensions above which answers get threads of their own and share scans: a scan
  // of so many takes about half a millisecond (benchmarks/index). At least 1.
  std::size_t large_values = std::size_t{300'000} * 64;
  // Products above which a graph is walked in place of a scan. At least 1.
  std::size_t graph_above_products = 2'000'000;
  // The part of the true nearest products that an index has to find, 0 to 1: a graph that finds
  // less gives way to a scan, a model whose scan finds less is refused.
  double recall_min = 0.9;
};

// A model with its index: the part of a swap that needs no catalog, and takes longest.
struct IndexedModel {
  std::shared_ptr<const TrainedModel> model;
  index::BuiltIndex index;
  bool is_large = false;  // see IndexOptions::large_values
};

// graph_file  where an index that takes minutes to build is kept; see index/build_index.h
// Errors      InvalidArgument: the model's vectors make no index; FailedPrecondition: it finds too
//             little
absl::StatusOr<IndexedModel> index_model(std::shared_ptr<const TrainedModel> model,
                                         const IndexOptions& options = {},
                                         const std::filesystem::path& graph_file = {});

class LiveModelBuilder {
 public:
  // Takes in the whole catalog.
  static LiveModelBuilder of(IndexedModel indexed, catalog::ProductNumbers& numbers,
                             const catalog::CatalogSnapshot& catalog);
  // Builds the index, too.
  static absl::StatusOr<LiveModelBuilder> create(std::shared_ptr<const TrainedModel> model,
                                                 catalog::ProductNumbers& numbers,
                                                 const catalog::CatalogSnapshot& catalog);

  const std::shared_ptr<const LiveModel>& current() const { return current_; }
  // See index/build_index.h.
  struct IndexFacts {
    index::IndexKind kind;
    double recall;
    bool is_read;
  };
  const IndexFacts& index_facts() const { return index_facts_; }

  // Takes in the products in `changed` as they are in `catalog`, and makes the result current().
  void apply(const catalog::CatalogSnapshot& catalog, std::span<const ProductNumber> changed);

 private:
  LiveModelBuilder(std::shared_ptr<const LiveModel> first, const IndexFacts& index_facts);

  void place_in_categories(const catalog::CatalogSnapshot& catalog,
                           std::span<const ProductNumber> changed);
  void add_tail_rows(const catalog::CatalogSnapshot& catalog,
                     std::span<const ProductNumber> changed, LiveModel& next) const;
  // Where a product without interactions most likely lies; false when nothing tells.
  bool place(const catalog::CatalogSnapshot& catalog, ProductNumber number, const Product& product,
             std::span<float> vector) const;
  // The mean vector of the product's variants that the model knows; false when it knows none.
  bool mean_of_variants(const catalog::CatalogSnapshot& catalog, ProductNumber number,
                        std::span<float> vector) const;
  void mark_showable(const catalog::CatalogSnapshot& catalog,
                     std::span<const ProductNumber> changed, LiveModel& next);

  std::shared_ptr<const LiveModel> current_;
  CategoryVectors categories_;
  bool is_catalog_empty_ = true;
  IndexFacts index_facts_;
};

}  // namespace vitrine::live_model
