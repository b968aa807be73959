// What one request knows about each product: marks, and the verdict of the filter once it was
// asked.
//
// One table for a thread's whole life; a new request costs a counter, not a wipe. Not thread-safe.
#pragma once

#include <cstdint>

#include "model/ids.h"
#include "server/recommend/round_table.h"

namespace vitrine::recommend {

enum class Mark : std::uint8_t {
  excluded = 1,   // by the request
  in_cart = 2,    // of the request
  current = 4,    // the product looked at
  purchased = 8,  // bought by the person, ever, and not given back
  seen = 16,      // looked at lately and never bought: for the source `recent` alone
  on_page = 32    // shown by an earlier placement of the same page
};

class ProductMarks {
 public:
  static constexpr std::uint32_t k_no_slot = 0xFFFFFFFF;

  struct Entry {
    std::uint32_t slot = k_no_slot;  // place in the pool of candidates
    std::uint8_t marks = 0;
    std::uint8_t verdict = 0;  // the filter's, see FilterStage; 0 before it was asked

    bool has(Mark mark) const { return (marks & static_cast<std::uint8_t>(mark)) != 0; }
  };

  // Forgets the last request.
  void begin() { entries_.begin(); }
  // Valid until the next call.
  Entry& at(ProductNumber product) { return entries_.at(product.value()).first; }
  void add(ProductNumber product, Mark mark) {
    Entry& entry = at(product);
    entry.marks = static_cast<std::uint8_t>(entry.marks | static_cast<std::uint8_t>(mark));
  }
  bool has(ProductNumber product, Mark mark) const {
    const Entry* const entry = entries_.find(product.value());
    return entry != nullptr && entry->has(mark);
  }

 private:
  RoundTable<Entry> entries_;  // by product number
};

}  // namespace vitrine::recommend
