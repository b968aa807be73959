// What a filter consists of when it is asked of columns: 256 products at a time, as bits.
//
// Each term answers as the expression or condition it stands for does. Where columns cannot tell,
// the product itself is asked. Thread-safety: learn() and holds() from one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/expressions/operation.h"
#include "server/recommend/product_columns.h"

namespace vitrine::recommend {

// A chunk of products: their columns, and they themselves.
struct ScanRows {
  const ColumnChunk& columns;
  const catalog::CatalogSnapshot& catalog;
  std::uint32_t first;  // the number of the first

  const Product& product(std::size_t row) const {
    return *catalog.find(ProductNumber(first + static_cast<std::uint32_t>(row)));
  }
};

class ScanTerm {
 public:
  virtual ~ScanTerm() = default;
  // Of the rows that are open, all of which have a product, those for which it holds.
  virtual ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const = 0;
  // Has to know all texts that the columns have, before they are asked.
  virtual void learn(const ColumnTexts& /*texts*/) {}
  // The larger, the later it is asked where several must hold.
  virtual int cost() const = 0;
};
using ScanTermPtr = std::unique_ptr<ScanTerm>;

// 256 numbers; what is not a number is missing.
using ScanNumbers = std::array<double, k_column_rows>;
class NumberTerm {
 public:
  virtual ~NumberTerm() = default;
  // Either a column or `own`, filled. Numbers of rows without a product are any.
  virtual const double* values(const ScanRows& rows, ScanNumbers& own) const = 0;
};
using NumberTermPtr = std::unique_ptr<const NumberTerm>;

using AskProduct = std::function<bool(const Product&)>;

ScanTermPtr scan_constant(bool is_true);
ScanTermPtr scan_all_of(std::vector<ScanTermPtr> terms);
ScanTermPtr scan_any_of(std::vector<ScanTermPtr> terms);
ScanTermPtr scan_not(ScanTermPtr term);
ScanTermPtr scan_bits(ColumnBits ColumnChunk::* column);
ScanTermPtr scan_presence(std::size_t column);  // of k_presence_columns
ScanTermPtr scan_product(AskProduct ask);

NumberTermPtr number_constant(double number);
NumberTermPtr number_column(std::size_t column);     // of k_number_columns
NumberTermPtr number_list_size(std::size_t column);  // of k_list_columns
NumberTermPtr number_negated(NumberTermPtr of);
NumberTermPtr number_days_since(NumberTermPtr of, TimeMs now_ms);
NumberTermPtr number_of(expressions::Operation operation, NumberTermPtr left, NumberTermPtr right);
ScanTermPtr scan_comparison(expressions::Operation operation, NumberTermPtr left,
                            NumberTermPtr right);
ScanTermPtr scan_number_in(NumberTermPtr number, std::vector<double> sorted);
ScanTermPtr scan_has_number(NumberTermPtr number);
// Between two amounts in minor units of the product's own currency.
ScanTermPtr scan_price_between(std::int64_t minor_min, std::int64_t minor_max, AskProduct ask);

// A text column, by what holds for a text; nothing: for a product without one.
using TextHolds = std::function<bool(std::optional<std::string_view>)>;
ScanTermPtr scan_text(std::size_t column, TextHolds holds, AskProduct ask);
// Any of a list column.
ScanTermPtr scan_any_text(std::size_t column, TextHolds holds, AskProduct ask);
// The attribute of a name.
ScanTermPtr scan_attribute(std::string key, TextHolds holds, AskProduct ask);
// Whether there is an attribute of that name.
ScanTermPtr scan_has_attribute(std::string key, AskProduct ask);
// Any of the hashes; those are asked themselves then.
ScanTermPtr scan_hashes(std::size_t column, std::vector<std::uint32_t> hashes, AskProduct ask);
ScanTermPtr scan_has_hash(std::size_t column);

}  // namespace vitrine::recommend
