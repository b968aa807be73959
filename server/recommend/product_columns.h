// The fields of all products side by side, so that a filter reads a field of 256 products in a row
// in place of 256 products all over the memory.
//
// A chunk of columns is made from the products it stands for and never changes; when some of them
// change, another takes its place and the other chunks are shared. Texts that many products share
// are numbers (TextCodes); what cannot be told from columns is asked of the product.
// Thread-safety: ProductColumns is immutable; ColumnBook is thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "server/catalog/catalog.h"
#include "server/recommend/product_subject.h"
#include "server/recommend/text_codes.h"

namespace vitrine::recommend {

constexpr std::size_t k_column_rows = catalog::CatalogSnapshot::k_chunk_products;

// One bit a product of a chunk, the first one lowest.
struct ColumnBits {
  std::array<std::uint64_t, k_column_rows / 64> words{};

  bool has(std::size_t row) const { return ((words[row / 64] >> (row % 64)) & 1U) != 0; }
  void put(std::size_t row, bool is_set) {
    const std::uint64_t bit = std::uint64_t{1} << (row % 64);
    words[row / 64] = is_set ? words[row / 64] | bit : words[row / 64] & ~bit;
  }
  bool any() const { return (words[0] | words[1] | words[2] | words[3]) != 0; }
  ColumnBits& operator&=(const ColumnBits& other) {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] &= other.words[i];
    return *this;
  }
  ColumnBits& operator|=(const ColumnBits& other) {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] |= other.words[i];
    return *this;
  }
  ColumnBits operator&(const ColumnBits& other) const { return ColumnBits(*this) &= other; }
  ColumnBits without(const ColumnBits& other) const {
    ColumnBits left = *this;
    for (std::size_t i = 0; i < words.size(); ++i) left.words[i] &= ~other.words[i];
    return left;
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t word = 0; word < words.size(); ++word) {
      for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
        visit(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
      }
    }
  }
  friend bool operator==(const ColumnBits&, const ColumnBits&) = default;
};

// Which fields are columns, and of what kind.
constexpr std::array<ProductSlot, 6> k_number_columns = {
    ProductSlot::price,          ProductSlot::list_price,      ProductSlot::stock,
    ProductSlot::available_from, ProductSlot::available_until, ProductSlot::created_at};
constexpr std::array<ProductSlot, 2> k_text_columns = {ProductSlot::brand, ProductSlot::currency};
constexpr std::array<ProductSlot, 3> k_list_columns = {
    ProductSlot::categories, ProductSlot::markets, ProductSlot::attributes};
// Texts of which nearly every product has its own: a hash tells most of them apart.
constexpr std::array<ProductSlot, 2> k_hash_columns = {ProductSlot::product_id,
                                                       ProductSlot::group_id};
// Of these only whether there is one.
constexpr std::array<ProductSlot, 3> k_presence_columns = {ProductSlot::title, ProductSlot::url,
                                                           ProductSlot::image_url};

struct ColumnChunk {
  ColumnBits is_there;
  ColumnBits in_stock;
  ColumnBits hidden;
  std::array<ColumnBits, k_presence_columns.size()> has_text;
  // Each is empty where no product has a value. Not a number: this product has none.
  std::array<std::vector<double>, k_number_columns.size()> numbers;
  std::array<std::vector<TextCodes::Code>, k_text_columns.size()> codes;
  std::array<std::vector<std::uint32_t>, k_hash_columns.size()> hashes;  // 0: there is no text

  // The codes of row i are those from the end of row i - 1 to its own.
  struct Lists {
    std::vector<std::uint32_t> ends;
    std::vector<TextCodes::Code> codes;

    std::span<const TextCodes::Code> of(std::size_t row) const {
      if (ends.empty()) return {};
      const std::size_t begin = row == 0 ? 0 : ends[row - 1];
      return {codes.data() + begin, ends[row] - begin};
    }
  };
  std::array<Lists, k_list_columns.size()> lists;

  std::size_t bytes() const;
};

// Never 0, which says that there is no text.
std::uint32_t column_hash(std::string_view text);

// Of one text column or list column each.
struct ColumnTexts {
  std::array<TextCodes, k_text_columns.size()> texts;
  std::array<TextCodes, k_list_columns.size()> lists;

  std::size_t bytes() const;
};

class ProductColumns {
 public:
  explicit ProductColumns(std::shared_ptr<const ColumnTexts> texts) : texts_(std::move(texts)) {}

  // Stands for the products from number `at` * k_column_rows on. Null: there are none.
  const ColumnChunk* chunk(std::size_t at) const {
    return at < chunks_.size() ? chunks_[at].get() : nullptr;
  }
  std::size_t chunk_count() const { return chunks_.size(); }
  const ColumnTexts& texts() const { return *texts_; }
  std::size_t bytes() const;

 private:
  friend class ColumnBook;

  std::shared_ptr<const ColumnTexts> texts_;
  std::vector<std::shared_ptr<const ColumnChunk>> chunks_;
};

class ColumnBook {
 public:
  explicit ColumnBook(Gauge* bytes = nullptr) : bytes_(bytes) {}

  // Never null. The first call makes all columns, some 0.5 us a product, and whoever comes
  // meanwhile waits. A catalog that changed since costs what changed.
  std::shared_ptr<const ProductColumns> at(
      const std::shared_ptr<const catalog::CatalogSnapshot>& catalog);

 private:
  // Under the lock.
  std::shared_ptr<const ProductColumns> followed(const ProductColumns& earlier,
                                                 const catalog::CatalogSnapshot& before,
                                                 const catalog::CatalogSnapshot& now);

  Gauge* const bytes_;  // may be null
  const std::shared_ptr<ColumnTexts> texts_ = std::make_shared<ColumnTexts>();
  std::mutex mutex_;  // guards the two below
  std::shared_ptr<const catalog::CatalogSnapshot> catalog_;
  std::shared_ptr<const ProductColumns> columns_ =
      std::make_shared<const ProductColumns>(std::shared_ptr<const ColumnTexts>(texts_));
};

}  // namespace vitrine::recommend
