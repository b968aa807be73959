#include "server/recommend/product_columns.h"

#include <functional>
#include <limits>

namespace vitrine::recommend {
namespace {

using catalog::CatalogSnapshot;
using Code = TextCodes::Code;

// Null: the product is gone.
using Change = std::pair<std::size_t, const Product*>;  // row, in rising order

constexpr std::size_t place(ProductSlot slot) { return static_cast<std::size_t>(slot); }

// A column is made when the first product has a value.
template <class T>
void put(std::vector<T>& column, std::size_t row, const T& value, const T& none) {
  const bool is_none = value == none || value != value;
  if (column.empty() && is_none) return;
  if (column.empty()) column.assign(k_column_rows, none);
  column[row] = value;
}

std::vector<Code> codes_of(const Product& product, ProductSlot of, TextCodes& texts) {
  std::vector<Code> codes;
  if (of == ProductSlot::attributes) {
    for (const auto& [key, text] : product.attributes) codes.push_back(texts.code_of(key, text));
    return codes;
  }
  for (const std::string& text : ProductSubject(product).texts(place(of))) {
    codes.push_back(texts.code_of({}, text));
  }
  return codes;
}

void put_scalars(ColumnChunk& chunk, std::size_t row, const Product* product, ColumnTexts& texts) {
  constexpr double k_nothing = std::numeric_limits<double>::quiet_NaN();
  static const Product k_no_product;
  const ProductSubject subject(product != nullptr ? *product : k_no_product);
  const auto text_of = [&](ProductSlot of) {
    return product == nullptr ? std::nullopt : subject.text(place(of));
  };
  chunk.is_there.put(row, product != nullptr);
  chunk.in_stock.put(row, product != nullptr && product->in_stock);
  chunk.hidden.put(row, product != nullptr && product->hidden);
  for (std::size_t i = 0; i < k_presence_columns.size(); ++i) {
    chunk.has_text[i].put(row, text_of(k_presence_columns[i]).has_value());
  }
  for (std::size_t i = 0; i < k_number_columns.size(); ++i) {
    put(chunk.numbers[i], row, subject.number(place(k_number_columns[i])).value_or(k_nothing),
        k_nothing);
  }
  for (std::size_t i = 0; i < k_text_columns.size(); ++i) {
    const auto text = text_of(k_text_columns[i]);
    put(chunk.codes[i], row, text ? texts.texts[i].code_of({}, *text) : TextCodes::k_none,
        TextCodes::k_none);
  }
  for (std::size_t i = 0; i < k_hash_columns.size(); ++i) {
    const auto text = text_of(k_hash_columns[i]);
    put(chunk.hashes[i], row, text ? column_hash(*text) : 0U, 0U);
  }
}

ColumnChunk::Lists with(const ColumnChunk::Lists& before, std::span<const Change> changes,
                        ProductSlot of, TextCodes& texts) {
  ColumnChunk::Lists lists;
  lists.ends.reserve(k_column_rows);
  lists.codes.reserve(before.codes.size() + changes.size());
  for (std::size_t row = 0; row < k_column_rows; ++row) {
    if (!changes.empty() && changes.front().first == row) {
      if (const Product* const product = changes.front().second) {
        const std::vector<Code> codes = codes_of(*product, of, texts);
        lists.codes.insert(lists.codes.end(), codes.begin(), codes.end());
      }
      changes = changes.subspan(1);
    } else {
      const std::span<const Code> codes = before.of(row);
      lists.codes.insert(lists.codes.end(), codes.begin(), codes.end());
    }
    lists.ends.push_back(static_cast<std::uint32_t>(lists.codes.size()));
  }
  if (lists.codes.empty()) return {};
  lists.codes.shrink_to_fit();
  return lists;
}

std::shared_ptr<const ColumnChunk> with(const ColumnChunk* before, std::span<const Change> changes,
                                        ColumnTexts& texts) {
  auto chunk =
      before != nullptr ? std::make_shared<ColumnChunk>(*before) : std::make_shared<ColumnChunk>();
  for (const auto& [row, product] : changes) put_scalars(*chunk, row, product, texts);
  for (std::size_t i = 0; i < k_list_columns.size(); ++i) {
    chunk->lists[i] = with(chunk->lists[i], changes, k_list_columns[i], texts.lists[i]);
  }
  return chunk;
}

}  // namespace

std::uint32_t column_hash(std::string_view text) {
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>()(text));
  return hash == 0 ? 1 : hash;
}

std::size_t ColumnChunk::bytes() const {
  std::size_t bytes = sizeof(ColumnChunk);
  for (const auto& column : numbers) bytes += column.capacity() * sizeof(double);
  for (const auto& column : codes) bytes += column.capacity() * sizeof(Code);
  for (const auto& column : hashes) bytes += column.capacity() * sizeof(std::uint32_t);
  for (const Lists& column : lists) {
    bytes +=
        column.ends.capacity() * sizeof(std::uint32_t) + column.codes.capacity() * sizeof(Code);
  }
  return bytes;
}

std::size_t ColumnTexts::bytes() const {
  std::size_t bytes = 0;
  for (const TextCodes& codes : texts) bytes += codes.bytes();
  for (const TextCodes& codes : lists) bytes += codes.bytes();
  return bytes;
}

std::size_t ProductColumns::bytes() const {
  std::size_t bytes = texts_->bytes();
  for (const auto& chunk : chunks_) bytes += chunk != nullptr ? chunk->bytes() : 0;
  return bytes;
}

std::shared_ptr<const ProductColumns> ColumnBook::followed(const ProductColumns& earlier,
                                                           const CatalogSnapshot& before,
                                                           const CatalogSnapshot& now) {
  auto next = std::make_shared<ProductColumns>(earlier);
  std::size_t at = 0;  // the chunk that `changes` are of
  std::vector<Change> changes;
  const auto finish = [&] {
    if (changes.empty()) return;
    if (at >= next->chunks_.size()) next->chunks_.resize(at + 1);
    next->chunks_[at] = with(next->chunks_[at].get(), changes, *texts_);
    changes.clear();
  };
  now.for_each_difference(before, [&](ProductNumber number, const Product* product) {
    if (number.value() / k_column_rows != at) finish();
    at = number.value() / k_column_rows;
    changes.emplace_back(number.value() % k_column_rows, product);
  });
  finish();
  return next;
}

std::shared_ptr<const ProductColumns> ColumnBook::at(
    const std::shared_ptr<const CatalogSnapshot>& catalog) {
  const std::lock_guard lock(mutex_);
  if (catalog_ == catalog) return columns_;
  static const CatalogSnapshot k_nothing;
  auto next = followed(*columns_, catalog_ != nullptr ? *catalog_ : k_nothing, *catalog);
  // A request that began before the latest change leaves the newer columns to the others.
  if (catalog_ != nullptr && catalog->version() < catalog_->version()) return next;
  const bool has_grown = next->chunk_count() != columns_->chunk_count();
  if (has_grown && bytes_ != nullptr) bytes_->set(static_cast<double>(next->bytes()));
  catalog_ = catalog;
  columns_ = next;
  return next;
}

}  // namespace vitrine::recommend
