// What the shop sells: changed by commands, read as immutable snapshots.
//
// A change is durable and in the snapshot before it is acknowledged. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <bitset>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/published.h"
#include "model/product.h"
#include "server/catalog/product_numbers.h"
#include "server/catalog/variant_table.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::catalog {

// All products at one moment. Copied on write in chunks of 256, so that one change costs one chunk.
class CatalogSnapshot {
 public:
  static constexpr std::size_t k_chunk_products = 256;

  // Null when the catalog does not have it (any more). Valid as long as the snapshot.
  const Product* find(ProductNumber number) const {
    const Chunk* const chunk = chunk_of(number);
    return chunk == nullptr ? nullptr : chunk->products[number.value() % k_chunk_products].get();
  }
  // Whether it has the product and may show it at any time. This and the next are a bit each, where
  // find() leads to a product somewhere in memory.
  bool is_always_showable(ProductNumber number) const {
    const Chunk* const chunk = chunk_of(number);
    return chunk != nullptr && chunk->always_showable[number.value() % k_chunk_products];
  }
  // Whether it has the product, and that has variants.
  bool has_group(ProductNumber number) const {
    const Chunk* const chunk = chunk_of(number);
    return chunk != nullptr && chunk->has_group[number.value() % k_chunk_products];
  }
  // The other products of its group, hidden and sold out ones too; none for a product of no group.
  std::vector<ProductNumber> variants_of(ProductNumber number) const;
  std::size_t size() const;       // products in the catalog
  std::uint64_t version() const;  // counts changes of this process
  // In the order of their numbers.
  void for_each(const std::function<void(ProductNumber, const Product&)>& visit) const;
  // What differs from `other`, another snapshot of this catalog, in the order of numbers; null for
  // what is only there. Costs little when little differs.
  void for_each_difference(const CatalogSnapshot& other,
                           const std::function<void(ProductNumber, const Product*)>& visit) const;

 private:
  friend class Catalog;
  struct Chunk {
    void put(std::size_t slot, std::shared_ptr<const Product> product);

    std::bitset<k_chunk_products> always_showable;
    std::bitset<k_chunk_products> has_group;
    std::array<std::shared_ptr<const Product>, k_chunk_products> products;  // null: there is none
  };
  // Null removes.
  using Changes = std::map<ProductNumber, std::shared_ptr<const Product>>;

  const Chunk* chunk_of(ProductNumber number) const {
    const std::size_t chunk = number.value() / k_chunk_products;
    return chunk < chunks_.size() ? chunks_[chunk].get() : nullptr;
  }
  std::shared_ptr<const Product> share(ProductNumber number) const;
  std::shared_ptr<const CatalogSnapshot> with(const Changes& changes) const;

  std::vector<std::shared_ptr<const Chunk>> chunks_;
  VariantTable variants_;
  std::size_t size_ = 0;
  std::uint64_t version_ = 0;
};

struct ProductRejection {
  std::size_t index;  // in the request
  std::string code;
  std::string message;
};

struct UpsertOutcome {
  std::size_t upserted = 0;
  std::vector<ProductRejection> rejected;
};

class Catalog {
 public:
  // Loads all products. The others outlive it.
  static absl::StatusOr<std::unique_ptr<Catalog>> open(const store::Database& database,
                                                       ProductNumbers& numbers,
                                                       const ProductLimits& limits);
  // The same in two steps; the first needs no numbers yet.
  using Products = std::vector<std::shared_ptr<const Product>>;
  static absl::StatusOr<Products> read(const store::Database& database);
  static std::unique_ptr<Catalog> of(Products products, ProductNumbers& numbers,
                                     const ProductLimits& limits);
  // These products and no store behind them: nothing of it may be changed.
  static std::unique_ptr<Catalog> in_memory(std::vector<Product> products, ProductNumbers& numbers);

  std::shared_ptr<const CatalogSnapshot> current() const { return snapshot_.current(); }
  ProductNumbers& numbers() const { return numbers_; }
  // Null product when unknown.
  std::shared_ptr<const Product> find(std::string_view product_id) const;

  // Whole products replace what was there; a bad one is refused alone, the last of several with one
  // id wins. Version and, where it is 0, created_at_ms are set here. `done` is called once, on the
  // committer thread. An error of this call itself (queue full) means that `done` is never
  // called.
  absl::Status upsert(events::Committer& committer, std::vector<Product> products,
                      std::function<void(absl::StatusOr<UpsertOutcome>)> done);
  // Reads, changes and writes one product as one step. `change` gets the product as it is (nothing
  // when there is none) and returns it as it should be, nothing to remove it, or an error that is
  // passed on. It runs on the committer thread.
  using Change = std::function<absl::StatusOr<std::optional<Product>>(std::optional<Product>)>;
  absl::Status change(events::Committer& committer, std::string product_id, Change change,
                      std::function<void(absl::StatusOr<std::optional<Product>>)> done);

  // Called on the committer thread after the new snapshot is published and before the change is
  // acknowledged, with the products that changed. To be set before the first change.
  using Listener = std::function<void(const std::shared_ptr<const CatalogSnapshot>&,
                                      std::span<const ProductNumber>)>;
  void on_change(Listener listener);

 private:
  class UpsertCommand;
  class ChangeCommand;
  Catalog(ProductNumbers& numbers, const ProductLimits& limits,
          std::shared_ptr<const CatalogSnapshot> first);
  // All on the committer thread.
  CatalogSnapshot::Changes& staged_in(events::Batch& batch);
  std::shared_ptr<const Product> find_in(events::Batch& batch, std::string_view product_id);
  std::shared_ptr<const Product> stage(events::Batch& batch, Product product);
  void stage_removal(events::Batch& batch, const std::string& product_id);
  void publish(const CatalogSnapshot::Changes& changes);

  ProductNumbers& numbers_;
  const ProductLimits limits_;
  Published<CatalogSnapshot> snapshot_;
  std::vector<Listener> listeners_;
};

// The stored form (protobuf).
std::string encode(const Product& product);
absl::StatusOr<Product> decode_product(std::string_view bytes);

}  // namespace vitrine::catalog
