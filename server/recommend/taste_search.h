// What lies nearest to a person's tastes, looked up before the sources ask for it: all tastes of an
// answer, and those of the answers made at the same time, share passes over the index.
//
// Thread-safety: of one thread.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "index/product_index.h"
#include "server/recommend/interest.h"

namespace vitrine::recommend {

struct Context;

struct TasteSearch {
  Confidence confidence = nullptr;
  std::vector<float> query = {};  // in the basis of the model
  std::size_t k = 0;
  const index::RowFilter* allowed = nullptr;
  absl::StatusOr<std::vector<index::Neighbor>> found = std::vector<index::Neighbor>();
  std::int64_t took_us = 0;   // the pass it was made in
  std::int64_t share_us = 0;  // its part of that
};

// Those of one answer.
class TasteSearches {
 public:
  static constexpr std::size_t k_tastes_max = 2;  // those of Interest

  void begin() { count_ = 0; }
  // Folds the interests in. Adds nothing without a model, when it has a vector of none of the
  // interests, or when the taste is there already.
  void add(const Context& context, Confidence confidence);
  // Null for a taste that was not added.
  const TasteSearch* find(Confidence confidence) const;
  std::span<TasteSearch> all() { return std::span(searches_).first(count_); }

 private:
  std::array<TasteSearch, k_tastes_max> searches_;
  std::size_t count_ = 0;
};

// Those of several answers. What is added outlives it.
class SharedTastes {
 public:
  void add(const Context& context, TasteSearches& tastes);
  // Looks up all, as many in a pass as may share one: those that go by the same live model.
  void search();

 private:
  using Asked = std::pair<const Context*, TasteSearch*>;
  static void search(std::span<const Asked> together);

  std::vector<Asked> asked_;
};

}  // namespace vitrine::recommend
