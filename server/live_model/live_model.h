// What an answer is computed from: one trained model, its index, and what the catalog made of both
// since.
//
// Rows are the model's own (the rows of its product table), then tail rows: products of the catalog
// that the model does not know yet. Row filters, row numbers and the index belong to one LiveModel;
// a request takes it once and keeps it. Thread-safety: immutable; shared as shared_ptr<const
// LiveModel>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "index/product_index.h"
#include "index/row_filter.h"
#include "index/shared_scans.h"
#include "model/ids.h"
#include "model/trained_model.h"
#include "server/live_model/shared_vector.h"

namespace vitrine::live_model {

class LiveModel {
 public:
  LiveModel() = default;  // no model yet: no rows

  // Null while there is no model; index() is null then, too.
  const TrainedModel* model() const { return model_.get(); }
  const index::ProductIndex* index() const { return index_.get(); }
  // Whether the rows of `other` are rows here, too: then `other` came earlier or later from the
  // same trained model. Compare owners, not values: it may be gone.
  std::weak_ptr<const TrainedModel> model_handle() const { return model_; }
  // Empty while there is no model.
  std::string version() const { return model_ ? model_->version() : std::string(); }

  std::size_t row_count() const { return numbers_.size(); }  // tail included
  std::size_t model_row_count() const { return model_ ? model_->row_count() : 0; }

  // Empty for a product without a vector: neither in the model nor related to a product that is.
  std::optional<std::uint32_t> row_of(ProductNumber number) const {
    if (number.value() >= rows_.size()) return std::nullopt;
    const std::uint32_t row = rows_[number.value()];
    return row == k_no_row ? std::nullopt : std::optional(row);
  }
  // Precondition, checked: row < row_count(), also below.
  ProductNumber number_of(std::uint32_t row) const {
    CHECK(row < row_count(), "the row belongs to the model");
    return numbers_[row];
  }
  // The row's vector in the basis of the model, of a tail row as well.
  std::span<const float> vector(std::uint32_t row) const;

  // As ProductIndex::search; of a large model, searches that wait for a processor share a pass, and
  // say DeadlineExceeded when none begins within `patience_us`. Precondition: there is an index.
  absl::StatusOr<std::vector<index::Neighbor>> search(std::span<const float> query, std::size_t k,
                                                      const index::RowFilter& allowed,
                                                      std::int64_t patience_us) const;
  // The same for several that share one pass. At most k_together_max, checked.
  static constexpr std::size_t k_together_max = index::SharedScans::k_together_max;
  std::vector<absl::StatusOr<std::vector<index::Neighbor>>> search_batch(
      std::span<const index::SearchRequest> requests, std::int64_t patience_us) const;
  // Whether one search takes so long (half a millisecond) that other clients of its thread notice.
  bool is_large() const { return is_large_; }

  // Rows whose product, or a variant of it, may be shown at all: in the catalog, not hidden, in
  // stock; while the catalog is empty, all. Availability windows and markets depend on the request
  // and are not in it. The index returns no others.
  const index::RowFilter& showable() const { return showable_; }

 private:
  friend class LiveModelBuilder;
  static constexpr std::uint32_t k_no_row = 0xFFFFFFFF;

  std::shared_ptr<const TrainedModel> model_;
  std::shared_ptr<const index::ProductIndex> index_;
  std::shared_ptr<index::SharedScans> scans_;  // of all snapshots of one model
  bool is_large_ = false;
  SharedVector<ProductNumber> numbers_;  // by row
  SharedVector<std::uint32_t> rows_;     // by product number, k_no_row where there is none
  index::RowFilter showable_;
};

// Where requests get the live model.
class LiveModelSource {
 public:
  virtual ~LiveModelSource() = default;
  // Never null. Thread-safe.
  virtual std::shared_ptr<const LiveModel> current() const = 0;
};

}  // namespace vitrine::live_model
