// How long people take to buy a product again.
//
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

struct BuyAgain {
  float days = 0;             // the median gap between two orders of one person
  std::uint32_t repeats = 0;  // gaps it is the median of

  friend bool operator==(const BuyAgain&, const BuyAgain&) = default;
};

class BuyAgainTable {
 public:
  // By path; the empty path is the whole shop, the ancestor of all.
  using Categories = std::map<std::string, BuyAgain, std::less<>>;
  // Of all pairs of a person and a product they bought, those bought in a second order; by path.
  using RepeatShares = std::map<std::string, float, std::less<>>;

  BuyAgainTable() = default;  // nothing is known

  // by_row  an entry without repeats where nothing is known
  // shares   empty in older models
  // InvalidArgument: days that are not finite and at least 0, a category without repeats, or a
  // share outside [0, 1].
  static absl::StatusOr<BuyAgainTable> create(std::vector<BuyAgain> by_row, Categories categories,
                                              RepeatShares shares = {});

  std::size_t row_count() const { return by_row_.size(); }
  // Nothing where too few bought it again to tell.
  std::optional<BuyAgain> of_product(std::uint32_t row) const;
  // Of the category path, or of its nearest ancestor that is known.
  std::optional<BuyAgain> of_category(std::string_view path) const;
  // Likewise.
  std::optional<float> repeat_share_of(std::string_view path) const;

  std::span<const BuyAgain> rows() const { return by_row_; }
  const Categories& categories() const { return categories_; }
  const RepeatShares& repeat_shares() const { return shares_; }

 private:
  std::vector<BuyAgain> by_row_;
  Categories categories_;
  RepeatShares shares_;
};

}  // namespace vitrine
