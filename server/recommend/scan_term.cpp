#include "server/recommend/scan_term.h"

#include <algorithm>
#include <utility>

namespace vitrine::recommend {
namespace {

// What a term costs beside others; asking a product is a miss of the cache or two.
constexpr int k_bits_cost = 1;
constexpr int k_product_cost = 1000;

class Constant final : public ScanTerm {
 public:
  explicit Constant(bool is_true) : is_true_(is_true) {}
  ColumnBits holds(const ScanRows&, const ColumnBits& open) const override {
    return is_true_ ? open : ColumnBits();
  }
  int cost() const override { return 0; }

 private:
  bool is_true_;
};

class Joined : public ScanTerm {
 public:
  explicit Joined(std::vector<ScanTermPtr> terms) : terms_(std::move(terms)) {
    std::ranges::stable_sort(terms_, {}, [](const ScanTermPtr& term) { return term->cost(); });
  }
  void learn(const ColumnTexts& texts) override {
    for (const ScanTermPtr& term : terms_) term->learn(texts);
  }
  int cost() const override {
    int cost = 0;
    for (const ScanTermPtr& term : terms_) cost += term->cost();
    return cost;
  }

 protected:
  std::vector<ScanTermPtr> terms_;  // the cheapest first
};

class AllOf final : public Joined {
 public:
  using Joined::Joined;
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    ColumnBits left = open;
    for (const ScanTermPtr& term : terms_) {
      if (!left.any()) break;
      left = term->holds(rows, left);
    }
    return left;
  }
};

class AnyOf final : public Joined {
 public:
  using Joined::Joined;
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    ColumnBits held;
    for (const ScanTermPtr& term : terms_) {
      const ColumnBits left = open.without(held);
      if (!left.any()) break;
      held |= term->holds(rows, left);
    }
    return held;
  }
};

class Not final : public ScanTerm {
 public:
  explicit Not(ScanTermPtr term) : term_(std::move(term)) {}
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    return open.without(term_->holds(rows, open));
  }
  void learn(const ColumnTexts& texts) override { term_->learn(texts); }
  int cost() const override { return term_->cost(); }

 private:
  ScanTermPtr term_;
};

// What `column(chunk)` has as bits.
template <class Column>
class Bits final : public ScanTerm {
 public:
  explicit Bits(Column column) : column_(column) {}
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    return open & column_(rows.columns);
  }
  int cost() const override { return k_bits_cost; }

 private:
  Column column_;
};

class AskedProduct final : public ScanTerm {
 public:
  explicit AskedProduct(AskProduct ask) : ask_(std::move(ask)) {}
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    ColumnBits held;
    open.for_each([&](std::size_t row) {
      if (ask_(rows.product(row))) held.put(row, true);
    });
    return held;
  }
  int cost() const override { return k_product_cost; }

 private:
  AskProduct ask_;
};

}  // namespace

ScanTermPtr scan_constant(bool is_true) { return std::make_unique<Constant>(is_true); }

ScanTermPtr scan_all_of(std::vector<ScanTermPtr> terms) {
  if (terms.size() == 1) return std::move(terms.front());
  return std::make_unique<AllOf>(std::move(terms));
}

ScanTermPtr scan_any_of(std::vector<ScanTermPtr> terms) {
  if (terms.size() == 1) return std::move(terms.front());
  return std::make_unique<AnyOf>(std::move(terms));
}

ScanTermPtr scan_not(ScanTermPtr term) { return std::make_unique<Not>(std::move(term)); }

ScanTermPtr scan_bits(ColumnBits ColumnChunk::* column) {
  const auto of = [column](const ColumnChunk& chunk) { return chunk.*column; };
  return std::make_unique<Bits<decltype(of)>>(of);
}

ScanTermPtr scan_presence(std::size_t column) {
  const auto of = [column](const ColumnChunk& chunk) { return chunk.has_text.at(column); };
  return std::make_unique<Bits<decltype(of)>>(of);
}

ScanTermPtr scan_product(AskProduct ask) { return std::make_unique<AskedProduct>(std::move(ask)); }

}  // namespace vitrine::recommend
