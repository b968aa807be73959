// Terms over numbers. A missing number is not a number, so that arithmetic passes it on and
// comparisons are false; only != has to be said otherwise.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "server/expressions/arithmetic.h"
#include "server/recommend/scan_term.h"

namespace vitrine::recommend {
namespace {

using expressions::Operation;

constexpr double k_missing = std::numeric_limits<double>::quiet_NaN();
constexpr int k_number_cost = 10;
constexpr double k_exact_max = 1e12;  // amounts up to here come back from a column as they were

const double* none() {
  static const ScanNumbers k_none = [] {
    ScanNumbers numbers{};
    numbers.fill(k_missing);
    return numbers;
  }();
  return k_none.data();
}

class Constant final : public NumberTerm {
 public:
  explicit Constant(double number) { numbers_.fill(number); }
  const double* values(const ScanRows&, ScanNumbers&) const override { return numbers_.data(); }

 private:
  ScanNumbers numbers_{};
};

class Column final : public NumberTerm {
 public:
  explicit Column(std::size_t column) : column_(column) {}
  const double* values(const ScanRows& rows, ScanNumbers&) const override {
    const std::vector<double>& column = rows.columns.numbers.at(column_);
    return column.empty() ? none() : column.data();
  }

 private:
  std::size_t column_;
};

class ListSize final : public NumberTerm {
 public:
  explicit ListSize(std::size_t column) : column_(column) {}
  const double* values(const ScanRows& rows, ScanNumbers& own) const override {
    const std::vector<std::uint32_t>& ends = rows.columns.lists.at(column_).ends;
    std::uint32_t begin = 0;
    own.fill(0);
    for (std::size_t row = 0; row < ends.size(); ++row) {
      own[row] = ends[row] - begin;
      begin = ends[row];
    }
    return own.data();
  }

 private:
  std::size_t column_;
};

// What `function` makes of each number.
template <class Function>
class Mapped final : public NumberTerm {
 public:
  Mapped(NumberTermPtr of, Function function) : of_(std::move(of)), function_(function) {}
  const double* values(const ScanRows& rows, ScanNumbers& own) const override {
    const double* const numbers = of_->values(rows, own);
    for (std::size_t row = 0; row < k_column_rows; ++row) own[row] = function_(numbers[row]);
    return own.data();
  }

 private:
  NumberTermPtr of_;
  Function function_;
};

template <class Function>
NumberTermPtr mapped(NumberTermPtr of, Function function) {
  return std::make_unique<const Mapped<Function>>(std::move(of), function);
}

template <class Function>
class Combined final : public NumberTerm {
 public:
  Combined(NumberTermPtr left, NumberTermPtr right, Function function)
      : left_(std::move(left)), right_(std::move(right)), function_(function) {}
  const double* values(const ScanRows& rows, ScanNumbers& own) const override {
    ScanNumbers others;
    const double* const left = left_->values(rows, own);
    const double* const right = right_->values(rows, others);
    for (std::size_t row = 0; row < k_column_rows; ++row) {
      const double result = function_(left[row], right[row]);
      own[row] = std::isfinite(result) ? result : k_missing;
    }
    return own.data();
  }

 private:
  NumberTermPtr left_;
  NumberTermPtr right_;
  Function function_;
};

template <class Function>
NumberTermPtr combined(NumberTermPtr left, NumberTermPtr right, Function function) {
  return std::make_unique<const Combined<Function>>(std::move(left), std::move(right), function);
}

// The rows whose numbers are as `holds` wants them.
template <class Holds>
ColumnBits bits_where(const double* numbers, const Holds& holds) {
  ColumnBits bits;
  for (std::uint64_t& word : bits.words) {
    std::uint64_t made = 0;
    for (std::size_t bit = 0; bit < 64; ++bit) {
      made |= std::uint64_t{holds(numbers[bit])} << bit;
    }
    word = made;
    numbers += 64;
  }
  return bits;
}

template <class Compare>
class Comparison final : public ScanTerm {
 public:
  Comparison(NumberTermPtr left, NumberTermPtr right, Compare compare)
      : left_(std::move(left)), right_(std::move(right)), compare_(compare) {}
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    ScanNumbers own;
    ScanNumbers others;
    const double* const left = left_->values(rows, own);
    const double* const right = right_->values(rows, others);
    ColumnBits bits;
    for (std::size_t word = 0; word < bits.words.size(); ++word) {
      std::uint64_t made = 0;
      for (std::size_t bit = 0; bit < 64; ++bit) {
        const std::size_t row = word * 64 + bit;
        made |= std::uint64_t{compare_(left[row], right[row])} << bit;
      }
      bits.words[word] = made;
    }
    return bits &= open;
  }
  int cost() const override { return k_number_cost; }

 private:
  NumberTermPtr left_;
  NumberTermPtr right_;
  Compare compare_;
};

template <class Compare>
ScanTermPtr comparison(NumberTermPtr left, NumberTermPtr right, Compare compare) {
  return std::make_unique<Comparison<Compare>>(std::move(left), std::move(right), compare);
}

template <class Holds>
class NumberHolds final : public ScanTerm {
 public:
  NumberHolds(NumberTermPtr number, Holds holds)
      : number_(std::move(number)), holds_(std::move(holds)) {}
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    ScanNumbers own;
    return bits_where(number_->values(rows, own), holds_) &= open;
  }
  int cost() const override { return k_number_cost; }

 private:
  NumberTermPtr number_;
  Holds holds_;
};

template <class Holds>
ScanTermPtr number_holds(NumberTermPtr number, Holds holds) {
  return std::make_unique<NumberHolds<Holds>>(std::move(number), std::move(holds));
}

constexpr std::size_t k_price = 0;
constexpr std::size_t k_currency = 1;
static_assert(k_number_columns[k_price] == ProductSlot::price);
static_assert(k_text_columns[k_currency] == ProductSlot::currency);

// A price column divides minor units by what the currency says, so that they come back exactly.
class PriceBetween final : public ScanTerm {
 public:
  PriceBetween(std::int64_t minor_min, std::int64_t minor_max, AskProduct ask)
      : minor_min_(minor_min), minor_max_(minor_max), ask_(std::move(ask)) {
    units_ = {std::pow(10.0, currency_digits({})), 0};
  }

  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    const std::vector<double>& prices = rows.columns.numbers[k_price];
    const std::vector<TextCodes::Code>& currencies = rows.columns.codes[k_currency];
    ColumnBits held;
    if (prices.empty()) return held;
    open.for_each([&](std::size_t row) {
      if (std::isnan(prices[row])) return;
      const double unit = units_[currencies.empty() ? TextCodes::k_none : currencies[row]];
      if (unit == 0 || std::abs(prices[row]) > k_exact_max) {
        held.put(row, ask_(rows.product(row)));
        return;
      }
      const std::int64_t minor = std::llround(prices[row] * unit);
      held.put(row, minor >= minor_min_ && minor <= minor_max_);
    });
    return held;
  }
  void learn(const ColumnTexts& texts) override {
    texts.texts[k_currency].for_each(units_.size(), [&](const TextCodes::Text& text) {
      units_.push_back(text.is_other ? 0 : std::pow(10.0, currency_digits(text.text)));
    });
  }
  int cost() const override { return 2 * k_number_cost; }

 private:
  std::int64_t minor_min_;
  std::int64_t minor_max_;
  AskProduct ask_;
  std::vector<double> units_;  // minor ones in one, by the code of the currency; 0: ask
};

}  // namespace

NumberTermPtr number_constant(double number) { return std::make_unique<const Constant>(number); }
NumberTermPtr number_column(std::size_t column) { return std::make_unique<const Column>(column); }
NumberTermPtr number_list_size(std::size_t column) {
  return std::make_unique<const ListSize>(column);
}

NumberTermPtr number_negated(NumberTermPtr of) {
  return mapped(std::move(of), [](double number) { return -number; });
}

NumberTermPtr number_days_since(NumberTermPtr of, TimeMs now_ms) {
  return mapped(std::move(of), [now = static_cast<double>(now_ms)](double at) {
    return std::floor((now - at) / static_cast<double>(k_day_ms));
  });
}

NumberTermPtr number_of(Operation operation, NumberTermPtr left, NumberTermPtr right) {
  return expressions::with_arithmetic(operation, [&](auto function) {
    return combined(std::move(left), std::move(right), function);
  });
}

ScanTermPtr scan_comparison(Operation operation, NumberTermPtr left, NumberTermPtr right) {
  const auto with = [&](auto compare) {
    return comparison(std::move(left), std::move(right), compare);
  };
  switch (operation) {
    case Operation::equal:
      return with(std::equal_to<>());
    case Operation::not_equal:
      return with([](double a, double b) { return a < b || a > b; });
    case Operation::less:
      return with(std::less<>());
    case Operation::less_equal:
      return with(std::less_equal<>());
    case Operation::greater:
      return with(std::greater<>());
    default:
      return with(std::greater_equal<>());
  }
}

ScanTermPtr scan_number_in(NumberTermPtr number, std::vector<double> sorted) {
  return number_holds(std::move(number), [sorted = std::move(sorted)](double is) {
    return !std::isnan(is) && std::ranges::binary_search(sorted, is);
  });
}

ScanTermPtr scan_has_number(NumberTermPtr number) {
  return number_holds(std::move(number), [](double is) { return !std::isnan(is); });
}

ScanTermPtr scan_price_between(std::int64_t minor_min, std::int64_t minor_max, AskProduct ask) {
  return std::make_unique<PriceBetween>(minor_min, minor_max, std::move(ask));
}

}  // namespace vitrine::recommend
