// The part of the catalog that a request asks for, as bits: what its category, market and filters
// leave.
//
// Asking a whole catalog takes milliseconds, so the answers are kept. A change of the catalog asks
// again about the 256 products around each that changed, and about no others. Thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "index/row_filter.h"
#include "server/catalog/catalog.h"
#include "server/live_model/live_model.h"
#include "server/recommend/product_columns.h"
#include "server/recommend/product_condition.h"

namespace vitrine::recommend {

struct AssortmentScope {
  std::string_view category;  // empty: any
  std::string_view market;    // empty: any
  const ProductCondition& request_filter;
  const ProductCondition& placement_filter;

  bool is_everything() const {
    return category.empty() && market.empty() && request_filter.is_empty() &&
           placement_filter.is_empty();
  }
};

// Whether it is sold there.
bool is_of_market(const Product& product, std::string_view market);

// Immutable, made for one catalog snapshot and one live model.
class Assortment {
 public:
  // Just these products, as far as they are known.
  static std::shared_ptr<const Assortment> of(
      std::span<const std::string> products, const catalog::ProductNumbers& numbers,
      const std::shared_ptr<const catalog::CatalogSnapshot>& catalog,
      const std::shared_ptr<const live_model::LiveModel>& live);

  bool contains(ProductNumber product) const { return products_.contains(product.value()); }
  const index::RowFilter& products() const { return products_; }  // by product number
  const index::RowFilter& rows() const { return rows_; }          // of the live model

 private:
  friend class AssortmentBook;

  std::shared_ptr<const catalog::CatalogSnapshot> catalog_;
  std::shared_ptr<const ProductColumns> columns_;  // null: it was listed, or nobody asked yet
  std::weak_ptr<const live_model::LiveModel> live_;
  std::weak_ptr<const TrainedModel> model_;
  index::RowFilter products_;
  index::RowFilter rows_;
};

class AssortmentBook {
 public:
  static constexpr std::size_t k_kept_max = 64;              // the least lately asked for gives way
  static constexpr TimeMs k_kept_ms_max = 10 * k_minute_ms;  // without being asked for

  // `columns_bytes` is told what the products' columns take; may be null.
  explicit AssortmentBook(Gauge* columns_bytes = nullptr);
  ~AssortmentBook();

  // Makes the columns, so that nobody has to wait for it: half a second in a shop of a million.
  void prepare(const std::shared_ptr<const catalog::CatalogSnapshot>& catalog);

  // Null for everything, and while the catalog is empty.
  std::shared_ptr<const Assortment> find(
      const AssortmentScope& scope, const catalog::ProductNumbers& numbers,
      const std::shared_ptr<const catalog::CatalogSnapshot>& catalog,
      const std::shared_ptr<const live_model::LiveModel>& live, TimeMs now_ms);

 private:
  struct Entry;
  std::shared_ptr<Entry> entry_of(const AssortmentScope& scope, TimeMs now_ms);

  ColumnBook columns_;
  std::mutex mutex_;  // of what follows; an entry has its own
  absl::flat_hash_map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace vitrine::recommend
