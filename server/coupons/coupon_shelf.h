// All offers as they are ranked for somebody: what each covers, a vector for it in an index of its
// own, what it is worth, and how often it was used.
//
// The vector of a coupon is the centroid of the products it covers, each weighted by how much it is
// wanted; so an offer made a moment ago has one. `mass` is its part of all that is wanted: what
// share of anybody's next purchases it is good for. Immutable; thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "index/product_index.h"
#include "server/catalog/catalog.h"
#include "server/coupons/coupon_worth.h"
#include "server/coupons/offer_book.h"
#include "server/live_model/live_model.h"
#include "server/profiles/decayed_counts.h"

namespace vitrine::coupons {

// How an offer did so far.
struct CouponCounts {
  std::uint64_t shown = 0;  // in answers that are still remembered, or given to people: the larger
  std::uint64_t uses = 0;   // of all time
};

struct ShelfCoupon {
  Terms terms = {};
  std::optional<std::uint32_t> row = {};  // in the index; none: no covered product has a vector
  bool covers_all = false;                // its terms name no products
  double mass = 0;                        // in [0, 1]
  std::size_t products = 0;               // covered ones
  CoveredPrices prices = {};
  CouponCounts counts = {};
};

class CouponShelf {
 public:
  // Of a coupon that covers at most so many it is kept which; others are asked one product at a
  // time.
  static constexpr std::size_t k_listed_max = 20'000;

  struct Inputs {
    std::shared_ptr<const OfferBook> book;
    const catalog::ProductNumbers* numbers;  // outlives the shelf
    std::shared_ptr<const catalog::CatalogSnapshot> catalog;
    std::shared_ptr<const live_model::LiveModel> live;
    std::shared_ptr<const std::vector<profiles::PopularProduct>> popular;  // best first
    TimeMs now_ms = 0;
    std::function<CouponCounts(const std::string& offer)> counts = {};  // may be empty
  };
  // What is covered is taken from `before` where an offer is the same; null: all is looked up.
  static std::shared_ptr<const CouponShelf> build(const Inputs& inputs,
                                                  const CouponShelf* before = nullptr);

  const std::vector<ShelfCoupon>& coupons() const { return coupons_; }
  // Null when the offer came later.
  const ShelfCoupon* find(std::string_view offer) const;
  const Inputs& inputs() const { return inputs_; }
  // The affinity of each coupon to a taste in the basis of the live model, by place; 0 without a
  // vector. Relative to the whole assortment: 1 is nobody in particular's.
  std::vector<double> lifts(std::span<const float> taste) const;
  // Whether the coupon at a place is good for the product.
  bool covers(std::size_t place, ProductNumber product) const;
  // Places of the coupons that are good for it, those that cover all left out.
  void for_each_covering(ProductNumber product,
                         const std::function<void(std::size_t place)>& visit) const;

 private:
  using Listed = std::shared_ptr<const std::vector<ProductNumber>>;
  struct Sums;
  void add(const Terms& terms, const CouponShelf* before, const std::vector<float>& weights);
  Listed cover(const Offer& offer, const CouponShelf* before, Sums& sums) const;
  CoveredPrices prices_of(const Offer& offer, const Sums& sums) const;
  void weigh_assortment(const std::vector<float>& weights);
  void build_index();

  Inputs inputs_;
  std::vector<ShelfCoupon> coupons_;
  std::vector<Listed> listed_;         // by place: what is covered; null: all, or too many to list
  std::vector<std::size_t> unlisted_;  // places of coupons that are asked one product at a time
  StringMap<std::size_t> places_;
  absl::flat_hash_map<std::uint32_t, std::vector<std::uint32_t>> covering_;  // by product
  double wanted_ = 0;             // the weight of the assortment
  double usual_price_ = 0;        // of it, whatever the currency
  std::vector<float> whole_;      // its centroid; empty without a model
  std::vector<float> centroids_;  // by row
  std::vector<std::size_t> place_of_row_;
  std::shared_ptr<const index::ProductIndex> index_;
};

}  // namespace vitrine::coupons
