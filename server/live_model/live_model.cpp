#include "server/live_model/live_model.h"

#include "base/check.h"

namespace vitrine::live_model {

absl::StatusOr<std::vector<index::Neighbor>> LiveModel::search(std::span<const float> query,
                                                               std::size_t k,
                                                               const index::RowFilter& allowed,
                                                               std::int64_t patience_us) const {
  return is_large_ ? scans_->search(*index_, query, k, allowed, patience_us)
                   : index_->search(query, k, allowed);
}

std::vector<absl::StatusOr<std::vector<index::Neighbor>>> LiveModel::search_batch(
    std::span<const index::SearchRequest> requests, std::int64_t patience_us) const {
  CHECK(requests.size() <= k_together_max, "so many share a pass");
  if (requests.empty()) return {};
  return is_large_ ? scans_->search_batch(*index_, requests, patience_us)
                   : index_->search_batch(requests);
}

std::span<const float> LiveModel::vector(std::uint32_t row) const {
  CHECK(row < row_count(), "the row belongs to the model");
  return row < model_row_count() ? model_->factors().row(row) : index_->vector(row);
}

}  // namespace vitrine::live_model
