#include "server/recommend/assortment.h"

#include <algorithm>
#include <utility>

#include "server/recommend/column_scan.h"
#include "server/recommend/product_predicate.h"

namespace vitrine::recommend {
namespace {

using catalog::CatalogSnapshot;
using live_model::LiveModel;

// As of one moment: an assortment of a condition that moves with time is kept under the step it is
// good for.
ScanTermPtr scan_of_scope(const AssortmentScope& scope, TimeMs now_ms) {
  std::vector<ScanTermPtr> terms;
  terms.push_back(scan_of_category(scope.category));
  terms.push_back(scan_of_market(scope.market));
  terms.push_back(scan_of(scope.request_filter, now_ms));
  terms.push_back(scan_of(scope.placement_filter, now_ms));
  return scan_all_of(std::move(terms));
}

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

// The rows from `first` on, whose products are known already.
void put_rows(std::size_t first, const LiveModel& live, const index::RowFilter& products,
              index::RowFilter& rows) {
  constexpr std::size_t k_word = 64;
  const auto is_in = [&](std::size_t row) {
    return products.contains(live.number_of(static_cast<std::uint32_t>(row)).value());
  };
  for (; first < live.row_count() && first % k_word != 0; ++first) {
    put(static_cast<std::uint32_t>(first), is_in(first), rows);
  }
  for (; first < live.row_count(); first += k_word) {
    std::uint64_t word = 0;
    const std::size_t end = std::min(first + k_word, live.row_count());
    for (std::size_t row = first; row < end; ++row) {
      word |= std::uint64_t{is_in(row)} << (row - first);
    }
    rows.put_word(first, word);
  }
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
  Entry(const AssortmentScope& scope, TimeMs now_ms) : scan(scan_of_scope(scope, now_ms)) {}

  std::shared_ptr<const Assortment> follow(const Assortment& earlier,
                                           const catalog::ProductNumbers& numbers,
                                           const std::shared_ptr<const ProductColumns>& columns,
                                           const std::shared_ptr<const CatalogSnapshot>& catalog,
                                           const std::shared_ptr<const LiveModel>& live) const;
  ColumnBits bits_of(const Assortment& next, std::size_t chunk) const;

  const ScanTermPtr scan;  // under the entry's mutex
  TimeMs asked_ms = 0;     // under the book's mutex
  std::mutex mutex;        // one thread asks a whole catalog, the others wait for its answer
  std::shared_ptr<const Assortment> latest = std::make_shared<Assortment>();
};

ColumnBits AssortmentBook::Entry::bits_of(const Assortment& next, std::size_t chunk) const {
  const ColumnChunk* const columns = next.columns_->chunk(chunk);
  if (columns == nullptr || !columns->is_there.any()) return {};
  const ScanRows rows = {.columns = *columns,
                         .catalog = *next.catalog_,
                         .first = static_cast<std::uint32_t>(chunk * k_column_rows)};
  return scan->holds(rows, columns->is_there);
}

std::shared_ptr<const Assortment> AssortmentBook::Entry::follow(
    const Assortment& earlier, const catalog::ProductNumbers& numbers,
    const std::shared_ptr<const ProductColumns>& columns,
    const std::shared_ptr<const CatalogSnapshot>& catalog,
    const std::shared_ptr<const LiveModel>& live) const {
  auto next = std::make_shared<Assortment>();
  next->catalog_ = catalog;
  next->columns_ = columns;
  next->live_ = live;
  next->model_ = live->model_handle();
  next->products_ = earlier.products_;
  next->products_.grow(std::max(numbers.size(), earlier.products_.row_count()));
  // Rows are those of the earlier live model as long as they come from one trained model.
  const std::size_t known_rows = earlier.rows_.row_count();
  const bool keeps_rows = earlier.columns_ != nullptr && is_same(earlier.model_, next->model_) &&
                          known_rows <= live->row_count();
  if (keeps_rows) next->rows_ = earlier.rows_;
  next->rows_.grow(live->row_count());

  scan->learn(columns->texts());
  const std::size_t before = earlier.columns_ ? earlier.columns_->chunk_count() : 0;
  for (std::size_t at = 0; at < std::max(before, columns->chunk_count()); ++at) {
    if (at < before && earlier.columns_->chunk(at) == columns->chunk(at)) continue;
    const ColumnBits bits = bits_of(*next, at);
    const std::size_t first = at * k_column_rows;
    for (std::size_t word = 0; word < bits.words.size(); ++word) {
      next->products_.put_word(first + word * 64, bits.words[word]);
    }
    for (std::size_t row = 0; keeps_rows && row < k_column_rows; ++row) {
      const ProductNumber number(static_cast<std::uint32_t>(first + row));
      if (const auto of_model = live->row_of(number)) put(*of_model, bits.has(row), next->rows_);
    }
  }
  put_rows(keeps_rows ? known_rows : 0, *live, next->products_, next->rows_);
  return next;
}

AssortmentBook::AssortmentBook(Gauge* columns_bytes) : columns_(columns_bytes) {}
AssortmentBook::~AssortmentBook() = default;

void AssortmentBook::prepare(const std::shared_ptr<const CatalogSnapshot>& catalog) {
  columns_.at(catalog);
}

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
  auto next = entry->follow(latest, numbers, columns_.at(catalog), catalog, live);
  // A request that began before the latest change leaves the newer answer to the others.
  const bool is_older =
      latest.catalog_ != nullptr && catalog->version() < latest.catalog_->version();
  if (!is_older) entry->latest = next;
  return next;
}

}  // namespace vitrine::recommend
