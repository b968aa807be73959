#include "training/shop_tables.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/string_map.h"

namespace vitrine::training {
namespace {

// Distinct paths that a product is in: its own and their ancestors.
std::set<std::string_view> paths_of(const Product& product) {
  constexpr std::string_view k_step = " > ";
  std::set<std::string_view> paths;
  for (const std::string_view path : product.categories) {
    if (path.empty()) continue;
    for (std::size_t end = path.find(k_step); end != std::string_view::npos;
         end = path.find(k_step, end + k_step.size())) {
      paths.insert(path.substr(0, end));
    }
    paths.insert(path);
  }
  return paths;
}

void keep_most_popular(std::vector<PopularProduct>& products, std::size_t count) {
  std::sort(products.begin(), products.end(), [](const PopularProduct& a, const PopularProduct& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.row < b.row;
  });
  if (products.size() > count) products.resize(count);
  products.shrink_to_fit();
}

absl::StatusOr<PopularLists> lists_of(PopularLists::Lists lists, std::size_t row_count,
                                      const ShopTableOptions& options) {
  for (auto& [group, products] : lists) keep_most_popular(products, options.popular_max);
  return PopularLists::create(std::move(lists), row_count);
}

std::vector<std::uint32_t> rows_of(std::span<const std::uint32_t> order) {
  std::vector<std::uint32_t> rows(order.size());
  for (std::uint32_t row = 0; row < order.size(); ++row) rows[order[row]] = row;
  return rows;
}

// Of an even number the lower of the two in the middle: rather a day early than late.
BuyAgain median_of(std::vector<float>& gaps) {
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>((gaps.size() - 1) / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return {*middle, static_cast<std::uint32_t>(gaps.size())};
}

// Of pairs of a person and a product: all, and those of two orders and more.
struct Pairs {
  std::uint32_t all = 0;
  std::uint32_t repeated = 0;
};

BuyAgainTable::RepeatShares repeat_shares(const Dataset& data, std::span<const std::uint32_t> rows,
                                          const Descriptions& descriptions,
                                          const ShopTableOptions& options) {
  std::vector<Pairs> of_row(rows.size());
  const SparseRows& orders = data.orders_by_user;
  for (std::size_t i = 0; i < orders.columns.size(); ++i) {
    Pairs& pairs = of_row[rows[orders.columns[i]]];
    ++pairs.all;
    if (orders.values[i] >= 2) ++pairs.repeated;
  }
  StringMap<Pairs> of_path;
  const auto add = [&](std::string_view path, const Pairs& pairs) {
    Pairs& sum = of_path[std::string(path)];
    sum.all += pairs.all;
    sum.repeated += pairs.repeated;
  };
  for (std::size_t row = 0; row < of_row.size(); ++row) {
    if (of_row[row].all == 0) continue;
    add("", of_row[row]);
    if (descriptions[row] == nullptr) continue;
    for (const std::string_view path : paths_of(*descriptions[row])) add(path, of_row[row]);
  }
  BuyAgainTable::RepeatShares shares;
  for (const auto& [path, pairs] : of_path) {
    if (pairs.all >= options.category_pairs_min)
      shares[path] = static_cast<float>(pairs.repeated) / static_cast<float>(pairs.all);
  }
  return shares;
}

}  // namespace

Descriptions described_rows(const Dataset& data, std::span<const std::uint32_t> order,
                            std::span<const Product> catalog) {
  StringMap<const Product*> described;
  for (const Product& product : catalog) {
    if (!product.hidden) described.emplace(product.product_id, &product);
  }
  Descriptions descriptions(order.size());
  for (std::size_t row = 0; row < order.size(); ++row) {
    const auto found = described.find(data.products[order[row]]);
    if (found != described.end()) descriptions[row] = found->second;
  }
  return descriptions;
}

absl::StatusOr<PopularLists> popular_in_categories(const Dataset& data,
                                                   std::span<const std::uint32_t> order,
                                                   const Descriptions& descriptions,
                                                   const ShopTableOptions& options) {
  PopularLists::Lists lists;
  for (std::uint32_t row = 0; row < order.size(); ++row) {
    const float weight = data.popularity[order[row]];
    if (descriptions[row] == nullptr || weight <= 0) continue;
    for (const std::string_view path : paths_of(*descriptions[row]))
      lists[std::string(path)].push_back({row, weight});
  }
  return lists_of(std::move(lists), order.size(), options);
}

absl::StatusOr<PopularLists> popular_in_markets(const Dataset& data,
                                                std::span<const std::uint32_t> order,
                                                const ShopTableOptions& options) {
  const std::vector<std::uint32_t> rows = rows_of(order);
  PopularLists::Lists lists;
  for (const auto& [market, products] : data.popularity_by_market) {
    for (const ProductWeight& one : products) {
      if (one.weight > 0) lists[market].push_back({rows[one.product], one.weight});
    }
  }
  return lists_of(std::move(lists), order.size(), options);
}

absl::StatusOr<BuyAgainTable> buy_again_intervals(const Dataset& data,
                                                  std::span<const std::uint32_t> order,
                                                  const Descriptions& descriptions,
                                                  const ShopTableOptions& options) {
  if (data.repeats.empty()) return BuyAgainTable();
  const std::vector<std::uint32_t> rows = rows_of(order);
  std::vector<std::vector<float>> gaps_of_row(order.size());
  for (const Repeat& repeat : data.repeats)
    gaps_of_row[rows[repeat.product]].push_back(repeat.days);
  StringMap<std::vector<float>> gaps_of_category;
  std::vector<BuyAgain> by_row(order.size());
  for (std::size_t row = 0; row < order.size(); ++row) {
    std::vector<float>& gaps = gaps_of_row[row];
    std::vector<float>& shop = gaps_of_category[""];
    shop.insert(shop.end(), gaps.begin(), gaps.end());
    if (descriptions[row] != nullptr && !gaps.empty()) {
      for (const std::string_view path : paths_of(*descriptions[row])) {
        std::vector<float>& all = gaps_of_category[std::string(path)];
        all.insert(all.end(), gaps.begin(), gaps.end());
      }
    }
    if (!gaps.empty() && gaps.size() >= options.product_repeats_min) by_row[row] = median_of(gaps);
  }
  BuyAgainTable::Categories categories;
  for (auto& [path, gaps] : gaps_of_category) {
    if (gaps.size() >= options.category_repeats_min) categories[path] = median_of(gaps);
  }
  return BuyAgainTable::create(std::move(by_row), std::move(categories),
                               repeat_shares(data, rows, descriptions, options));
}

}  // namespace vitrine::training
