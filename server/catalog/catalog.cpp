#include "server/catalog/catalog.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/status.h"

namespace vitrine::catalog {

using store::Family;

void CatalogSnapshot::Chunk::put(std::size_t slot, std::shared_ptr<const Product> product) {
  always_showable[slot] = product != nullptr && product->is_always_showable();
  has_group[slot] = product != nullptr && !product->group_id.empty();
  products[slot] = std::move(product);
}

std::shared_ptr<const Product> CatalogSnapshot::share(ProductNumber number) const {
  const Chunk* const chunk = chunk_of(number);
  return chunk == nullptr ? nullptr : chunk->products[number.value() % k_chunk_products];
}

std::vector<ProductNumber> CatalogSnapshot::variants_of(ProductNumber number) const {
  if (!has_group(number)) return {};
  const Product* const product = find(number);
  std::vector<ProductNumber> variants = variants_.of(product->group_id);
  std::erase_if(variants, [&](ProductNumber other) {
    const Product* const known = find(other);
    return other == number || known == nullptr || known->group_id != product->group_id;
  });
  return variants;
}

std::size_t CatalogSnapshot::size() const { return size_; }
std::uint64_t CatalogSnapshot::version() const { return version_; }

void CatalogSnapshot::for_each(
    const std::function<void(ProductNumber, const Product&)>& visit) const {
  for (std::size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
    if (!chunks_[chunk]) continue;
    for (std::size_t slot = 0; slot < k_chunk_products; ++slot) {
      const auto& product = chunks_[chunk]->products[slot];
      const auto number = static_cast<std::uint32_t>(chunk * k_chunk_products + slot);
      if (product) visit(ProductNumber(number), *product);
    }
  }
}

void CatalogSnapshot::for_each_difference(
    const CatalogSnapshot& other,
    const std::function<void(ProductNumber, const Product*)>& visit) const {
  static const Chunk k_empty;
  const auto chunk_of = [](const CatalogSnapshot& snapshot, std::size_t chunk) {
    const bool is_there = chunk < snapshot.chunks_.size() && snapshot.chunks_[chunk];
    return is_there ? snapshot.chunks_[chunk].get() : &k_empty;
  };
  for (std::size_t chunk = 0; chunk < std::max(chunks_.size(), other.chunks_.size()); ++chunk) {
    const Chunk* const here = chunk_of(*this, chunk);
    const Chunk* const there = chunk_of(other, chunk);
    if (here == there) continue;
    for (std::size_t slot = 0; slot < k_chunk_products; ++slot) {
      if (here->products[slot] == there->products[slot]) continue;
      const auto number = static_cast<std::uint32_t>(chunk * k_chunk_products + slot);
      visit(ProductNumber(number), here->products[slot].get());
    }
  }
}

std::shared_ptr<const CatalogSnapshot> CatalogSnapshot::with(const Changes& changes) const {
  auto next = std::make_shared<CatalogSnapshot>(*this);
  ++next->version_;
  std::vector<VariantTable::Change> groups;
  for (const auto& [number, product] : changes) {
    const Product* const before = find(number);
    const std::string_view left = before == nullptr ? std::string_view() : before->group_id;
    const std::string_view joined = product == nullptr ? std::string_view() : product->group_id;
    if (left == joined) continue;
    if (!left.empty()) groups.push_back({left, number, false});
    if (!joined.empty()) groups.push_back({joined, number, true});
  }
  if (!groups.empty()) next->variants_ = variants_.with(groups);
  // Changes come by number, so each chunk is copied once.
  std::size_t copied_chunk = SIZE_MAX;
  std::shared_ptr<Chunk> copy;
  for (const auto& [number, product] : changes) {
    const std::size_t chunk = number.value() / k_chunk_products;
    if (chunk != copied_chunk) {
      if (chunk >= next->chunks_.size()) next->chunks_.resize(chunk + 1);
      const auto& old = next->chunks_[chunk];
      copy = old ? std::make_shared<Chunk>(*old) : std::make_shared<Chunk>();
      next->chunks_[chunk] = copy;
      copied_chunk = chunk;
    }
    const std::size_t slot = number.value() % k_chunk_products;
    if (copy->products[slot]) --next->size_;
    if (product) ++next->size_;
    copy->put(slot, product);
  }
  return next;
}

// Whole products, checked before they are submitted.
class Catalog::UpsertCommand final : public events::Command {
 public:
  using Done = std::function<void(absl::StatusOr<UpsertOutcome>)>;
  UpsertCommand(Catalog& catalog, std::vector<Product> products, UpsertOutcome outcome, Done done)
      : catalog_(catalog),
        products_(std::move(products)),
        outcome_(std::move(outcome)),
        done_(std::move(done)) {}

  absl::Status stage(events::Batch& batch) override {
    for (Product& product : products_) catalog_.stage(batch, std::move(product));
    return absl::OkStatus();
  }
  void answer(const absl::Status& status, Position /*visible*/) override {
    if (status.ok()) {
      done_(std::move(outcome_));
    } else {
      done_(status);
    }
  }

 private:
  Catalog& catalog_;
  std::vector<Product> products_;
  UpsertOutcome outcome_;
  const Done done_;
};

// One product read, changed and written as one step.
class Catalog::ChangeCommand final : public events::Command {
 public:
  using Done = std::function<void(absl::StatusOr<std::optional<Product>>)>;
  ChangeCommand(Catalog& catalog, std::string product_id, Change change, Done done)
      : catalog_(catalog),
        product_id_(std::move(product_id)),
        change_(std::move(change)),
        done_(std::move(done)) {}

  absl::Status stage(events::Batch& batch) override {
    const auto before = catalog_.find_in(batch, product_id_);
    VITRINE_ASSIGN_OR_RETURN(std::optional<Product> after,
                             change_(before ? std::optional(*before) : std::nullopt));
    if (!after) {
      if (before) catalog_.stage_removal(batch, product_id_);
      return absl::OkStatus();
    }
    if (after->product_id != product_id_) {
      return invalid_argument("product_id must stay '{}', got '{}'", product_id_,
                              after->product_id);
    }
    VITRINE_RETURN_IF_ERROR(validate(*after, catalog_.limits_));
    outcome_ = *catalog_.stage(batch, std::move(*after));
    return absl::OkStatus();
  }
  void answer(const absl::Status& status, Position /*visible*/) override {
    if (status.ok()) {
      done_(std::move(outcome_));
    } else {
      done_(status);
    }
  }

 private:
  Catalog& catalog_;
  const std::string product_id_;
  const Change change_;
  const Done done_;
  std::optional<Product> outcome_;
};

Catalog::Catalog(ProductNumbers& numbers, const ProductLimits& limits,
                 std::shared_ptr<const CatalogSnapshot> first)
    : numbers_(numbers), limits_(limits), snapshot_(std::move(first)) {}

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::open(const store::Database& database,
                                                       ProductNumbers& numbers,
                                                       const ProductLimits& limits) {
  VITRINE_ASSIGN_OR_RETURN(Products products, read(database));
  return of(std::move(products), numbers, limits);
}

absl::StatusOr<Catalog::Products> Catalog::read(const store::Database& database) {
  Products products;
  const auto records = database.walk(Family::products, {}, true);
  for (; records->valid(); records->next()) {
    VITRINE_ASSIGN_OR_RETURN(Product product, decode_product(records->value()));
    products.push_back(std::make_shared<const Product>(std::move(product)));
  }
  VITRINE_RETURN_IF_ERROR(records->status());
  return products;
}

std::unique_ptr<Catalog> Catalog::of(Products products, ProductNumbers& numbers,
                                     const ProductLimits& limits) {
  std::vector<std::pair<ProductNumber, std::shared_ptr<const Product>>> numbered;
  numbered.reserve(products.size());
  for (std::shared_ptr<const Product>& product : products) {
    const ProductNumber number = numbers.number_of(product->product_id);
    numbered.emplace_back(number, std::move(product));
  }
  // A map is made of sorted entries in no time.
  std::ranges::sort(numbered, {}, [](const auto& entry) { return entry.first; });
  const CatalogSnapshot::Changes all(std::move_iterator(numbered.begin()),
                                     std::move_iterator(numbered.end()));
  return std::unique_ptr<Catalog>(new Catalog(numbers, limits, CatalogSnapshot().with(all)));
}

std::unique_ptr<Catalog> Catalog::in_memory(std::vector<Product> products,
                                            ProductNumbers& numbers) {
  CatalogSnapshot::Changes changes;
  for (Product& product : products) {
    const ProductNumber number = numbers.number_of(product.product_id);
    changes[number] = std::make_shared<const Product>(std::move(product));
  }
  return std::unique_ptr<Catalog>(new Catalog(numbers, {}, CatalogSnapshot().with(changes)));
}

std::shared_ptr<const Product> Catalog::find(std::string_view product_id) const {
  const auto number = numbers_.find(product_id);
  return number ? current()->share(*number) : nullptr;
}

absl::Status Catalog::upsert(events::Committer& committer, std::vector<Product> products,
                             std::function<void(absl::StatusOr<UpsertOutcome>)> done) {
  UpsertOutcome outcome;
  std::vector<Product> good;
  good.reserve(products.size());
  for (std::size_t i = 0; i < products.size(); ++i) {
    if (const absl::Status valid = validate(products[i], limits_); !valid.ok()) {
      outcome.rejected.push_back({i, "invalid_argument", std::string(message_of(valid))});
    } else {
      good.push_back(std::move(products[i]));
    }
  }
  outcome.upserted = good.size();
  return committer.submit(
      std::make_unique<UpsertCommand>(*this, std::move(good), std::move(outcome), std::move(done)));
}

absl::Status Catalog::change(events::Committer& committer, std::string product_id, Change change,
                             std::function<void(absl::StatusOr<std::optional<Product>>)> done) {
  return committer.submit(std::make_unique<ChangeCommand>(*this, std::move(product_id),
                                                          std::move(change), std::move(done)));
}

void Catalog::on_change(Listener listener) { listeners_.push_back(std::move(listener)); }

CatalogSnapshot::Changes& Catalog::staged_in(events::Batch& batch) {
  return batch.staged_by<CatalogSnapshot::Changes>(this, [&] {
    auto changes = std::make_shared<CatalogSnapshot::Changes>();
    batch.after_sync([this, changes] { publish(*changes); });
    return changes;
  });
}

std::shared_ptr<const Product> Catalog::find_in(events::Batch& batch, std::string_view product_id) {
  const auto number = numbers_.find(product_id);
  if (!number) return nullptr;
  const auto& staged = staged_in(batch);
  const auto found = staged.find(*number);
  return found != staged.end() ? found->second : current()->share(*number);
}

std::shared_ptr<const Product> Catalog::stage(events::Batch& batch, Product product) {
  const auto before = find_in(batch, product.product_id);
  product.version = before ? before->version + 1 : 1;
  if (product.created_at_ms == 0) {
    product.created_at_ms = before ? before->created_at_ms : batch.time_ms();
  }
  batch.put(Family::products, product.product_id, encode(product));
  const ProductNumber number = numbers_.number_of(product.product_id);
  return staged_in(batch)[number] = std::make_shared<const Product>(std::move(product));
}

void Catalog::stage_removal(events::Batch& batch, const std::string& product_id) {
  batch.erase(Family::products, product_id);
  staged_in(batch)[numbers_.number_of(product_id)] = nullptr;
}

void Catalog::publish(const CatalogSnapshot::Changes& changes) {
  if (changes.empty()) return;  // somebody only looked
  const auto next = current()->with(changes);
  snapshot_.publish(next);
  std::vector<ProductNumber> numbers;
  numbers.reserve(changes.size());
  for (const auto& [number, product] : changes) numbers.push_back(number);
  for (const Listener& listener : listeners_) listener(next, numbers);
}

}  // namespace vitrine::catalog
