// Product ids to dense numbers and back.
//
// Numbers are given in the order ids are first seen and never taken back. They hold for as long as
// the process lives; those that a checkpoint keeps hold after a restart too, so that what is
// checkpointed beside them may name products by number. Thread-safe; reading does not wait for
// long.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/ids.h"
#include "server/events/projection.h"
#include "server/store/database.h"

namespace vitrine::catalog {

class ProductNumbers {
 public:
  ProductNumbers();
  ~ProductNumbers();
  ProductNumbers(const ProductNumbers&) = delete;
  ProductNumbers& operator=(const ProductNumbers&) = delete;

  ProductNumber number_of(std::string_view product_id);  // gives a new one when it must
  ProductNumber add(std::string_view product_id);        // the same, sooner where it is new
  std::optional<ProductNumber> find(std::string_view product_id) const;
  std::string_view id_of(ProductNumber number) const;  // valid as long as this object
  std::size_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The numbers in the checkpoint. Follows the log for its position only; to be restored before
// anything else asks for a number.
class CheckpointedNumbers final : public events::Projection {
 public:
  // Both outlive it.
  CheckpointedNumbers(ProductNumbers& numbers, const store::Database& database);

  std::string_view name() const override { return "product_numbers"; }
  void apply(const LogEntry& entry) override { position_ = entry.position; }
  Position position() const override { return position_; }
  std::string checkpoint() const override { return "1"; }
  absl::Status restore(std::string_view checkpoint, Position at) override;
  events::CheckpointPart begin_checkpoint() override;
  void end_checkpoint(bool is_durable) override;
  // Numbers depend on what was asked first, not on the log alone.
  std::uint64_t fingerprint() const override { return 0; }

 private:
  ProductNumbers& numbers_;
  const std::unique_ptr<events::CheckpointReader> durable_;
  std::atomic<Position> position_ = 0;
  std::size_t writing_ = 0;               // how many there are after the checkpoint being written
  std::atomic<std::size_t> written_ = 0;  // how many the last durable one has
};

}  // namespace vitrine::catalog
