#include "server/profiles/decayed_counts.h"

#include <algorithm>
#include <cmath>

namespace vitrine::profiles {

double raised(double level, double weight, TimeMs time_ms, double half_life_ms) {
  const double added = std::log2(weight) + static_cast<double>(time_ms) / half_life_ms;
  const double high = std::max(level, added);
  return high + std::log2(1 + std::exp2(std::min(level, added) - high));
}

void TopLevels::raise(ProductNumber product, double before, double level) {
  const bool was_in = order_.erase({before, product}) > 0;
  const Entry entry{level, product};
  if (!was_in && order_.size() == size_max_) {
    const auto last = std::prev(order_.end());
    if (!order_.key_comp()(entry, *last)) return;
    order_.erase(last);
  }
  order_.insert(entry);
  list_ = nullptr;
}

std::shared_ptr<const std::vector<PopularProduct>> TopLevels::list() {
  if (list_ == nullptr) {
    auto list = std::make_shared<std::vector<PopularProduct>>();
    list->reserve(order_.size());
    for (const Entry& entry : order_) {
      list->push_back({entry.product, std::exp2(entry.level - order_.begin()->level)});
    }
    list_ = std::move(list);
  }
  return list_;
}

LevelTable::Levels LevelTable::at(ProductNumber product) const {
  const std::size_t block = product.value() / k_block_products;
  if (block >= blocks_.size() || blocks_[block] == nullptr) return {};
  return (*blocks_[block])[product.value() % k_block_products];
}

LevelTable::Levels& LevelTable::change(ProductNumber product) {
  const std::size_t number = product.value() / k_block_products;
  grow(number + 1);
  std::shared_ptr<Block>& block = blocks_[number];
  if (block == nullptr) {
    block = std::make_shared<Block>(k_block_products);
  } else if (marks_[number].is_held) {
    block = std::make_shared<Block>(*block);
  }
  marks_[number] = {.is_changed = true, .is_held = false};
  return (*block)[product.value() % k_block_products];
}

std::vector<LevelTable::NumberedBlock> LevelTable::take_changed() {
  std::vector<NumberedBlock> changed;
  for (std::uint32_t number = 0; number < blocks_.size(); ++number) {
    if (!marks_[number].is_changed) continue;
    changed.push_back({number, blocks_[number]});
    marks_[number] = {.is_changed = false, .is_held = true};
  }
  return changed;
}

void LevelTable::put_back(const std::vector<NumberedBlock>& changed) {
  for (const NumberedBlock& block : changed) marks_[block.number].is_changed = true;
}

void LevelTable::load(std::uint32_t number, std::shared_ptr<Block> block) {
  grow(number + 1);
  blocks_[number] = std::move(block);
}

void LevelTable::grow(std::size_t blocks) {
  if (blocks <= blocks_.size()) return;
  blocks_.resize(blocks);
  marks_.resize(blocks);
}

}  // namespace vitrine::profiles
