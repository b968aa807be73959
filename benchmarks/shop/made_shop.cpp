#include "benchmarks/shop/made_shop.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::made_shop {
namespace {

constexpr double k_zipf = 0.8;
constexpr double k_zipf_head = 10;  // flattens the very top
constexpr std::uint32_t k_liked_shelves = 3;
constexpr double k_liked_share = 0.8;  // of what somebody does; the rest follows the crowd

// The last shelf of each department, counted in thousandths of the products.
constexpr std::array<std::uint32_t, 5> k_shelf_ends = {500, 600, 610, 611, Shop::k_shelves};
constexpr std::array<Department, 5> k_departments = {
    {{"Fashion", 0.5}, {"Home", 0.1}, {"Toys", 0.01}, {"Candles", 0.001}, {"Sport", 0.389}}};

std::string_view department_of(std::uint32_t shelf) {
  const auto end = std::ranges::upper_bound(k_shelf_ends, shelf);
  return k_departments[static_cast<std::size_t>(end - k_shelf_ends.begin())].name;
}

std::uint32_t place_below(double uniform, std::uint32_t bound) {
  return std::min(bound - 1, static_cast<std::uint32_t>(uniform * bound));
}

}  // namespace

std::span<const Department> departments() { return k_departments; }

std::string product_id(std::uint32_t product) { return fmt::format("p{}", product); }
std::string user_id(std::uint32_t user) { return fmt::format("u{}", user); }

// Product numbers are ranks: shelf and rank are independent, because shelves take turns.
Shop::Shop(const Size& size) : size_(size) {
  wanted_up_to_.reserve(size.products);
  double sum = 0;
  for (std::uint32_t rank = 0; rank < size.products; ++rank) {
    wanted_up_to_.push_back(sum += popularity(rank));
  }
}

double Shop::popularity(std::uint32_t product) const {
  return std::pow(k_zipf_head + product, -k_zipf);
}

Product Shop::product(std::uint32_t number) const {
  const std::uint32_t shelf = shelf_of(number);
  const std::uint64_t chance = mix64(size_.seed ^ number);
  Product product;
  product.product_id = product_id(number);
  product.title = fmt::format("{} no. {} of shelf {}", department_of(shelf), number, shelf);
  product.categories = {
      fmt::format("{} > Line {} > Shelf {}", department_of(shelf), shelf / 10, shelf)};
  product.brand = fmt::format("Brand {}", chance % 200);
  product.currency = "EUR";
  product.price = Money{static_cast<std::int64_t>(199 + chance / 200 % 20'000)};
  product.image_url = fmt::format("https://images.example/{}.jpg", number);
  product.url = fmt::format("https://shop.example/{}", number);
  return product;
}

std::uint32_t Shop::next_product(std::uint32_t user, Random& chance) const {
  if (chance.uniform() >= k_liked_share) {
    const double wanted = chance.uniform() * wanted_up_to_.back();
    const auto found = std::ranges::upper_bound(wanted_up_to_, wanted);
    return static_cast<std::uint32_t>(
        std::min<std::ptrdiff_t>(found - wanted_up_to_.begin(), size_.products - 1));
  }
  const std::uint64_t which = chance.below(k_liked_shelves);
  const std::uint64_t shelves = std::min(k_shelves, size_.products);
  const auto shelf =
      static_cast<std::uint32_t>(mix64(std::uint64_t{user} * k_liked_shelves + which) % shelves);
  // The cube of a uniform number falls as steeply as popularity does.
  const std::uint32_t on_shelf = (size_.products - shelf - 1) / k_shelves + 1;
  const double uniform = chance.uniform();
  return shelf + k_shelves * place_below(uniform * uniform * uniform, on_shelf);
}

}  // namespace vitrine::made_shop
