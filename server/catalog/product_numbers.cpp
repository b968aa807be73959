#include "server/catalog/product_numbers.h"

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "base/check.h"
#include "base/string_map.h"

namespace vitrine::catalog {

struct ProductNumbers::State {
  std::optional<ProductNumber> find(std::string_view product_id) const {
    const auto found = numbers.find(product_id);
    if (found == numbers.end()) return std::nullopt;
    return found->second;
  }

  mutable std::shared_mutex mutex;
  std::deque<std::string> ids;  // a deque: the texts never move
  absl::flat_hash_map<std::string_view, ProductNumber, TextHash, TextEqual> numbers;
};

ProductNumbers::ProductNumbers() : state_(std::make_unique<State>()) {}
ProductNumbers::~ProductNumbers() = default;

ProductNumber ProductNumbers::number_of(std::string_view product_id) {
  if (const auto known = find(product_id)) return *known;
  const std::lock_guard lock(state_->mutex);
  if (const auto known = state_->find(product_id)) return *known;
  const ProductNumber number(static_cast<std::uint32_t>(state_->ids.size()));
  state_->ids.emplace_back(product_id);
  state_->numbers.emplace(state_->ids.back(), number);
  return number;
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

}  // namespace vitrine::catalog
