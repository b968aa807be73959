// Decayed counts of all products, the largest always in order.
//
// All counts halve together as time passes, so an order never changes by itself: what is kept is
// log2(count at t) + t / half-life, the same number at any t, called a level. Levels only rise, so
// the largest need no look at the others. Not thread-safe.
#pragma once

#include <absl/container/btree_set.h>

#include <limits>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/catalog/product_numbers.h"

namespace vitrine::profiles {

struct PopularProduct {
  ProductNumber product;
  double score = 0;  // in proportion to the decayed count; the first of a list has 1
};

// The k_top_max largest levels, ties by product id.
class TopLevels {
 public:
  TopLevels(std::size_t size_max, const catalog::ProductNumbers& numbers)
      : size_max_(size_max), order_(Before{&numbers}) {}
  // The product's level rose from `before`.
  void raise(ProductNumber product, double before, double level);
  // Built by the first who asks after a change.
  std::shared_ptr<const std::vector<PopularProduct>> list();

 private:
  struct Entry {
    double level;
    ProductNumber product;
  };
  struct Before {
    const catalog::ProductNumbers* numbers;
    bool operator()(const Entry& a, const Entry& b) const {
      if (a.level != b.level) return a.level > b.level;
      return a.product != b.product && numbers->id_of(a.product) < numbers->id_of(b.product);
    }
  };

  std::size_t size_max_;
  absl::btree_set<Entry, Before> order_;
  std::shared_ptr<const std::vector<PopularProduct>> list_;
};

// Every product's levels, in blocks of which a checkpoint can hold on to some.
class LevelTable {
 public:
  static constexpr double k_none = -std::numeric_limits<double>::infinity();
  static constexpr std::uint32_t k_block_products = 256;
  struct Levels {
    double popular = k_none;
    double trending = k_none;
  };
  using Block = std::vector<Levels>;  // k_block_products
  struct NumberedBlock {
    std::uint32_t number;
    std::shared_ptr<const Block> block;
  };

  Levels at(ProductNumber product) const;
  Levels& change(ProductNumber product);
  // The blocks that changed since this was called last, ascending; they do not change any more.
  std::vector<NumberedBlock> take_changed();
  void put_back(const std::vector<NumberedBlock>& changed);  // changed still, as it turns out
  void load(std::uint32_t number, std::shared_ptr<Block> block);
  const std::vector<std::shared_ptr<Block>>& blocks() const { return blocks_; }  // null: empty

 private:
  struct Marks {
    bool is_changed = false;
    bool is_held = false;  // by a checkpoint: to be copied before it changes
  };
  void grow(std::size_t blocks);
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<Marks> marks_;
};

// The level after `weight` more at `time_ms`.
double raised(double level, double weight, TimeMs time_ms, double half_life_ms);

}  // namespace vitrine::profiles
