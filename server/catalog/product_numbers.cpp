#include "server/catalog/product_numbers.h"

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "base/check.h"
#include "base/status.h"
#include "base/string_map.h"
#include "server/store/key.h"

namespace vitrine::catalog {

struct ProductNumbers::State {
  std::optional<ProductNumber> find(std::string_view product_id) const {
    const auto found = numbers.find(product_id);
    if (found == numbers.end()) return std::nullopt;
    return found->second;
  }

  // Looks once.
  ProductNumber add(std::string_view product_id) {
    const ProductNumber number(static_cast<std::uint32_t>(ids.size()));
    ids.emplace_back(product_id);
    const auto [known, is_new] = numbers.try_emplace(ids.back(), number);
    if (!is_new) ids.pop_back();
    return known->second;
  }

  mutable std::shared_mutex mutex;
  std::deque<std::string> ids;  // a deque: the texts never move
  absl::flat_hash_map<std::string_view, ProductNumber, TextHash, TextEqual> numbers;
};

ProductNumbers::ProductNumbers() : state_(std::make_unique<State>()) {}
ProductNumbers::~ProductNumbers() = default;

ProductNumber ProductNumbers::number_of(std::string_view product_id) {
  if (const auto known = find(product_id)) return *known;
  return add(product_id);
}

ProductNumber ProductNumbers::add(std::string_view product_id) {
  const std::lock_guard lock(state_->mutex);
  return state_->add(product_id);
}

std::optional<ProductNumber> ProductNumbers::find(std::string_view product_id) const {
  const std::shared_lock lock(state_->mutex);
  return state_->find(product_id);
}

std::string_view ProductNumbers::id_of(ProductNumber number) const {
  const std::shared_lock lock(state_->mutex);
  CHECK(number.value() < state_->ids.size(), "a product number this process gave");
  return state_->ids[number.value()];
}

std::size_t ProductNumbers::size() const {
  const std::shared_lock lock(state_->mutex);
  return state_->ids.size();
}

CheckpointedNumbers::CheckpointedNumbers(ProductNumbers& numbers, const store::Database& database)
    : numbers_(numbers), durable_(events::read_checkpoint_of("product_numbers", database)) {}

absl::Status CheckpointedNumbers::restore(std::string_view checkpoint, Position at) {
  // Everything else in the checkpoint rests on the numbers: no replaying without them.
  if (checkpoint != "1") return data_loss("the checkpoint's product numbers are of another form");
  absl::Status dense;
  VITRINE_RETURN_IF_ERROR(durable_->walk({}, [&](std::string_view key, std::string_view id) {
    const auto number = store::small_number_in(key);
    if (!number || numbers_.add(id) != ProductNumber(*number)) {
      dense = data_loss("the checkpoint's product numbers have a gap at {}", numbers_.size());
    }
    return dense.ok();
  }));
  VITRINE_RETURN_IF_ERROR(dense);
  written_ = numbers_.size();
  position_ = at;
  return absl::OkStatus();
}

events::CheckpointPart CheckpointedNumbers::begin_checkpoint() {
  writing_ = numbers_.size();
  return [this, first = written_.load(), end = writing_](events::CheckpointWriter& out) {
    for (std::size_t i = first; i < end; ++i) {
      const auto number = static_cast<std::uint32_t>(i);
      out.put(store::key_of(number), numbers_.id_of(ProductNumber(number)));
    }
  };
}

void CheckpointedNumbers::end_checkpoint(bool is_durable) {
  if (is_durable) written_ = writing_;
}

}  // namespace vitrine::catalog
