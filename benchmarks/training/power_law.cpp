// Writes a made-up set of interactions whose users and products are as unequal as those of shops:
// the bench of memory and of rows of all lengths.
//
//   bench_power_law USERS PRODUCTS INTERACTIONS FILE    lines of `user product product ...`
//
// The k-th product is taken in proportion to (k + 50)^-0.9, the k-th user has interactions in
// proportion to (k + 1000)^-0.6 and one at least. Same numbers, same file. A user may draw a
// product twice: then it is one pair.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace vitrine {
namespace {

// Rising sums of (k + start)^-power.
std::vector<double> power_law(std::size_t count, double start, double power) {
  std::vector<double> sums(count);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    sum += std::pow(static_cast<double>(k) + start, -power);
    sums[k] = sum;
  }
  return sums;
}

// One number, in proportion to its share.
std::size_t draw(const std::vector<double>& sums, Random& random) {
  const double point = random.uniform() * sums.back();
  const auto place = std::upper_bound(sums.begin(), sums.end(), point) - sums.begin();
  return std::min(static_cast<std::size_t>(place), sums.size() - 1);
}

int write(std::size_t users, std::size_t products, std::uint64_t interactions, const char* path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "w"), std::fclose);
  if (file == nullptr) {
    fmt::print(stderr, "cannot write {}\n", path);
    return 1;
  }
  const std::vector<double> by_product = power_law(products, 50, 0.9);
  const std::vector<double> by_user = power_law(users, 1000, 0.6);
  Random random(1);
  std::string line;
  std::uint64_t written = 0;
  for (std::size_t user = 0; user < users; ++user) {
    const double until = by_user[user] / by_user.back() * static_cast<double>(interactions);
    const std::uint64_t last = std::max(written + 1, static_cast<std::uint64_t>(until));
    line = fmt::format("{}", user);
    for (; written < last; ++written) line += fmt::format(" {}", draw(by_product, random));
    line += '\n';
    if (std::fwrite(line.data(), 1, line.size(), file.get()) != line.size()) {
      fmt::print(stderr, "cannot write all of {}\n", path);
      return 1;
    }
  }
  fmt::print("{} interactions of {} users with {} products\n", written, users, products);
  return 0;
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: bench_power_law USERS PRODUCTS INTERACTIONS FILE\n");
    return 2;
  }
  const auto number = [&](int place) { return std::strtoull(argv[place], nullptr, 10); };
  if (number(1) == 0 || number(2) == 0) {
    fmt::print(stderr, "USERS and PRODUCTS must be above 0\n");
    return 2;
  }
  return vitrine::write(number(1), number(2), number(3), argv[4]);
}
