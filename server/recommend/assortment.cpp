#include "server/recommend/assortment.h"

#include <algorithm>
#include <utility>

#include "server/recommend/product_predicate.h"

namespace vitrine::recommend {
namespace {

using catalog::CatalogSnapshot;
using live_model::LiveModel;

// As of one moment: an assortment of a condition that moves with time is kept under the step it is
// good for.
class ScopePredicate {
 public:
  ScopePredicate(const AssortmentScope& scope, TimeMs now_ms)
      : now_ms_(now_ms),
        category_(scope.category),
        market_(scope.market),
        request_(compile(scope.request_filter)),
        placement_(compile(scope.placement_filter)) {}

  bool holds(const Product& product) const {
    if (!category_.empty() && std::ranges::none_of(product.categories, [&](const auto& path) {
          return is_in_category(path, category_);
        })) {
      return false;
    }
    return (market_.empty() || is_of_market(product, market_)) &&
           request_->holds(product, now_ms_) && placement_->holds(product, now_ms_);
  }

 private:
  TimeMs now_ms_;
  std::string category_;
  std::string market_;
  std::shared_ptr<const ProductPredicate> request_;
  std::shared_ptr<const ProductPredicate> placement_;
};

std::string key_of(const AssortmentScope& scope, TimeMs now_ms) {
  ProductCondition category;
  if (!scope.category.empty()) category.categories = {std::string(scope.category)};
  std::string key = std::string(scope.market) + '\n';
  append_key(category, now_ms, key);
  append_key(scope.request_filter, now_ms, key);
  append_key(scope.placement_filter, now_ms, key);
  return key;
}

bool is_same(const std::weak_ptr<const TrainedModel>& a,
             const std::weak_ptr<const TrainedModel>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

void put(std::uint32_t bit, bool is_set, index::RowFilter& bits) {
  is_set ? bits.set(bit) : bits.clear(bit);
}

}  // namespace

bool is_of_market(const Product& product, std::string_view market) {
  return product.markets.empty() ||
         std::ranges::find(product.markets, market) != product.markets.end();
}

std::shared_ptr<const Assortment> Assortment::of(
    std::span<const std::string> products, const catalog::ProductNumbers& numbers,
    const std::shared_ptr<const CatalogSnapshot>& catalog,
    const std::shared_ptr<const LiveModel>& live) {
  auto listed = std::make_shared<Assortment>();
  listed->catalog_ = catalog;
  listed->live_ = live;
  listed->model_ = live->model_handle();
  listed->products_ = index::RowFilter::none(numbers.size());
  listed->rows_ = index::RowFilter::none(live->row_count());
  for (const std::string& id : products) {
    const std::optional<ProductNumber> number = numbers.find(id);
    if (!number || number->value() >= listed->products_.row_count()) continue;
    listed->products_.set(number->value());
    if (const auto row = live->row_of(*number)) listed->rows_.set(*row);
  }
  return listed;
}

struct AssortmentBook::Entry {
  Entry(const AssortmentScope& scope, TimeMs now_ms) : predicate(scope, now_ms) {}

  std::shared_ptr<const Assortment> follow(const Assortment& earlier,
                                           const catalog::ProductNumbers& numbers,
                                           const std::shared_ptr<const CatalogSnapshot>& catalog,
                                           const std::shared_ptr<const LiveModel>& live) const;

  const ScopePredicate predicate;
  TimeMs asked_ms = 0;  // under the book's mutex
  std::mutex mutex;     // one thread asks a whole catalog, the others wait for its answer
  std::shared_ptr<const Assortment> latest = std::make_shared<Assortment>();
};

std::shared_ptr<const Assortment> AssortmentBook::Entry::follow(
    const Assortment& earlier, const catalog::ProductNumbers& numbers,
    const std::shared_ptr<const CatalogSnapshot>& catalog,
    const std::shared_ptr<const LiveModel>& live) const {
  auto next = std::make_shared<Assortment>();
  next->catalog_ = catalog;
  next->live_ = live;
  next->model_ = live->model_handle();
  next->products_ = earlier.products_;
  next->products_.grow(std::max(numbers.size(), earlier.products_.row_count()));
  // Rows are those of the earlier live model as long as they come from one trained model.
  const std::size_t known_rows = earlier.rows_.row_count();
  const bool keeps_rows = is_same(earlier.model_, next->model_) && known_rows <= live->row_count();
  if (keeps_rows) next->rows_ = earlier.rows_;
  next->rows_.grow(live->row_count());

  static const CatalogSnapshot k_nothing;
  const CatalogSnapshot& before = earlier.catalog_ ? *earlier.catalog_ : k_nothing;
  catalog->for_each_difference(before, [&](ProductNumber number, const Product* product) {
    const bool is_in = product != nullptr && predicate.holds(*product);
    put(number.value(), is_in, next->products_);
    if (const auto row = live->row_of(number)) put(*row, is_in, next->rows_);
  });
  for (std::size_t row = keeps_rows ? known_rows : 0; row < live->row_count(); ++row) {
    const auto number = static_cast<std::uint32_t>(row);
    put(number, next->contains(live->number_of(number)), next->rows_);
  }
  return next;
}

AssortmentBook::AssortmentBook() = default;
AssortmentBook::~AssortmentBook() = default;

std::shared_ptr<AssortmentBook::Entry> AssortmentBook::entry_of(const AssortmentScope& scope,
                                                                TimeMs now_ms) {
  std::string key = key_of(scope, now_ms);
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    found->second->asked_ms = now_ms;
    return found->second;
  }
  // An assortment holds on to the catalog it was made for, so what nobody asks for goes.
  absl::erase_if(
      entries_, [&](const auto& entry) { return entry.second->asked_ms + k_kept_ms_max < now_ms; });
  if (entries_.size() >= k_kept_max) {
    entries_.erase(std::ranges::min_element(
        entries_, {}, [](const auto& entry) { return entry.second->asked_ms; }));
  }
  auto entry = std::make_shared<Entry>(scope, now_ms);
  entry->asked_ms = now_ms;
  entries_.emplace(std::move(key), entry);
  return entry;
}

std::shared_ptr<const Assortment> AssortmentBook::find(
    const AssortmentScope& scope, const catalog::ProductNumbers& numbers,
    const std::shared_ptr<const CatalogSnapshot>& catalog,
    const std::shared_ptr<const LiveModel>& live, TimeMs now_ms) {
  if (scope.is_everything() || catalog->size() == 0) return nullptr;
  const std::shared_ptr<Entry> entry = entry_of(scope, now_ms);
  const std::lock_guard lock(entry->mutex);
  const Assortment& latest = *entry->latest;
  const bool is_current = latest.catalog_ == catalog && !latest.live_.owner_before(live) &&
                          !live.owner_before(latest.live_);
  if (is_current) return entry->latest;
  auto next = entry->follow(latest, numbers, catalog, live);
  // A request that began before the latest change leaves the newer answer to the others.
  const bool is_older =
      latest.catalog_ != nullptr && catalog->version() < latest.catalog_->version();
  if (!is_older) entry->latest = next;
  return next;
}

}  // namespace vitrine::recommend
