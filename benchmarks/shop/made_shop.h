// A shop that never was, of any size: what it sells, who comes, and what they like.
//
// Products lie on shelves, shelves in departments; a few products are wanted by many and most by
// few (Zipf); a person likes three shelves and sometimes what everybody likes. Everything follows
// from the seed. Thread-safety: immutable once made; const methods from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "model/product.h"

namespace vitrine::made_shop {

struct Size {
  std::uint32_t products = 100'000;
  std::uint32_t users = 100'000;
  std::uint32_t events = 2'000'000;  // at least one visit a user
  std::uint64_t seed = 1;
};

// The share of all products that a department holds, for measuring filters.
struct Department {
  std::string_view name;
  double share;
};
std::span<const Department> departments();

class Shop {
 public:
  static constexpr std::uint32_t k_shelves = 1000;

  explicit Shop(const Size& size);

  const Size& size() const { return size_; }
  std::uint32_t shelf_of(std::uint32_t product) const { return product % k_shelves; }
  // How much everybody wants it; the most wanted product of all has the largest.
  double popularity(std::uint32_t product) const;
  Product product(std::uint32_t number) const;

  // What one person turns to next.
  std::uint32_t next_product(std::uint32_t user, Random& chance) const;

 private:
  Size size_;
  std::vector<double> wanted_up_to_;  // running sums of popularity by rank
};

std::string product_id(std::uint32_t product);
std::string user_id(std::uint32_t user);

}  // namespace vitrine::made_shop
