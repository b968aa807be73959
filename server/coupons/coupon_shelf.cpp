#include "server/coupons/coupon_shelf.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "index/exact_index.h"
#include "server/recommend/inner_product.h"

namespace vitrine::coupons {
namespace {

// What nobody wanted yet counts a little, so that new products have a say in their coupon.
constexpr float k_weight_min = 1e-3F;
// A taste moves a coupon by so much at most: the model is no oracle, least for narrow coupons.
constexpr double k_lift_max = 20;

double units_of(Money amount, const std::string& currency) {
  return static_cast<double>(amount.minor) / std::pow(10.0, currency_digits(currency));
}

// How much each product is wanted, by number: what the model says of its time, and what is popular
// now; the most wanted has about 1 of each.
std::vector<float> weights_of(const CouponShelf::Inputs& inputs) {
  std::vector<float> weights;
  const auto weight_of = [&](ProductNumber product) -> float& {
    if (product.value() >= weights.size()) weights.resize(product.value() + std::size_t{1}, 0);
    return weights[product.value()];
  };
  const TrainedModel* const model = inputs.live->model();
  float most = 0;
  if (model != nullptr) {
    for (const float weight : model->popularity().weights()) most = std::max(most, weight);
  }
  inputs.catalog->for_each([&](ProductNumber product, const Product&) {
    float& weight = weight_of(product);
    weight = k_weight_min;
    const auto row = most > 0 ? inputs.live->row_of(product) : std::nullopt;
    if (row && *row < inputs.live->model_row_count()) {
      weight += model->popularity().weight(*row) / most;
    }
  });
  for (const profiles::PopularProduct& popular : *inputs.popular) {
    if (inputs.catalog->find(popular.product) != nullptr) {
      weight_of(popular.product) += static_cast<float>(popular.score);
    }
  }
  return weights;
}

}  // namespace

// Of the products that one coupon covers.
struct CouponShelf::Sums {
  Sums(const Inputs& inputs_in, const std::vector<float>& weights_in, std::string currency_in)
      : inputs(inputs_in), weights(weights_in), currency(std::move(currency_in)) {}

  void add(ProductNumber number, const Product& product) {
    const double weight = number.value() < weights.size() ? weights[number.value()] : 0;
    ++count;
    wanted += weight;
    if (product.price && (currency.empty() || product.currency == currency)) {
      paid += weight * units_of(*product.price, product.currency);
      priced += weight;
    }
    const auto row = inputs.live->row_of(number);
    if (!row) return;
    const std::span<const float> vector = inputs.live->vector(*row);
    centroid.resize(vector.size(), 0);
    for (std::size_t i = 0; i < vector.size(); ++i) centroid[i] += weight * vector[i];
    placed += weight;
  }

  const Inputs& inputs;
  const std::vector<float>& weights;
  const std::string currency;
  std::size_t count = 0;
  double wanted = 0;
  double paid = 0;               // weighted prices
  double priced = 0;             // of so much weight
  std::vector<double> centroid;  // a sum, over so much weight:
  double placed = 0;
};

// Sums up what the offer covers, and lists it where that is little enough.
CouponShelf::Listed CouponShelf::cover(const Offer& offer, const CouponShelf* before,
                                       Sums& sums) const {
  const ShelfCoupon* const former = before == nullptr ? nullptr : before->find(offer.id);
  if (former != nullptr && former->terms.offer->conditions.products == offer.conditions.products) {
    const auto place = static_cast<std::size_t>(former - before->coupons_.data());
    if (const Listed& listed = before->listed_[place]) {
      for (const ProductNumber number : *listed) {
        const Product* const product = inputs_.catalog->find(number);
        if (product != nullptr) sums.add(number, *product);
      }
      return listed;
    }
  }
  auto listed = std::make_shared<std::vector<ProductNumber>>();
  const auto cover_one = [&](ProductNumber number, const Product& product) {
    if (!offer.conditions.products.holds(product, inputs_.now_ms)) return;
    sums.add(number, product);
    if (listed->size() <= k_listed_max) listed->push_back(number);
  };
  if (offer.conditions.products.ids().empty()) {
    inputs_.catalog->for_each(cover_one);
  } else {
    for (const std::string& id : offer.conditions.products.ids()) {
      const auto number = inputs_.numbers->find(id);
      const Product* const product = number ? inputs_.catalog->find(*number) : nullptr;
      if (product != nullptr) cover_one(*number, *product);
    }
  }
  return listed->size() > k_listed_max ? nullptr : Listed(std::move(listed));
}

CoveredPrices CouponShelf::prices_of(const Offer& offer, const Sums& sums) const {
  CoveredPrices prices;
  if (sums.priced > 0) prices.usual = sums.paid / sums.priced;
  const auto price_of = [&](const std::string& id) {
    const auto number = inputs_.numbers->find(id);
    const Product* const product = number ? inputs_.catalog->find(*number) : nullptr;
    return product != nullptr && product->price ? units_of(*product->price, product->currency) : 0;
  };
  if (offer.effect.kind == Kind::exchange) prices.gift = price_of(offer.effect.gift_product_id);
  for (const SetPart& part : offer.effect.set) {
    prices.set_price += price_of(part.product_id) * static_cast<double>(part.quantity);
  }
  return prices;
}

void CouponShelf::weigh_assortment(const std::vector<float>& weights) {
  Sums sums(inputs_, weights, "");
  inputs_.catalog->for_each(
      [&](ProductNumber number, const Product& product) { sums.add(number, product); });
  wanted_ = sums.wanted;
  if (sums.priced > 0) usual_price_ = sums.paid / sums.priced;
  if (!(sums.placed > 0)) return;
  for (const double value : sums.centroid)
    whole_.push_back(static_cast<float>(value / sums.placed));
}

void CouponShelf::add(const Terms& terms, const CouponShelf* before,
                      const std::vector<float>& weights) {
  const Offer& offer = *terms.offer;
  Sums sums(inputs_, weights, offer.amounts.empty() ? "" : offer.amounts.begin()->second.currency);
  ShelfCoupon coupon{.terms = terms, .covers_all = offer.conditions.products.is_empty()};
  const std::size_t place = coupons_.size();
  Listed listed = coupon.covers_all ? nullptr : cover(offer, before, sums);
  if (coupon.covers_all) {
    coupon.mass = 1;
    coupon.products = inputs_.catalog->size();
  } else {
    coupon.mass = wanted_ > 0 ? sums.wanted / wanted_ : 0;
    coupon.products = sums.count;
    if (!listed) unlisted_.push_back(place);
    if (sums.placed > 0) {
      coupon.row = static_cast<std::uint32_t>(place_of_row_.size());
      place_of_row_.push_back(place);
      for (const double value : sums.centroid) {
        centroids_.push_back(static_cast<float>(value / sums.placed));
      }
    }
  }
  coupon.prices = prices_of(offer, sums);
  if (coupon.covers_all) coupon.prices.usual = usual_price_;
  if (inputs_.counts) coupon.counts = inputs_.counts(offer.id);
  if (listed) {
    for (const ProductNumber number : *listed) {
      covering_[number.value()].push_back(static_cast<std::uint32_t>(place));
    }
  }
  places_.emplace(offer.id, place);
  coupons_.push_back(std::move(coupon));
  listed_.push_back(std::move(listed));
}

void CouponShelf::build_index() {
  if (place_of_row_.empty()) return;
  const std::size_t dimension = whole_.size();
  auto built = index::ExactIndex::build({.values = centroids_.data(),
                                         .row_count = place_of_row_.size(),
                                         .dimension = dimension,
                                         .stride = dimension});
  if (built.ok()) index_ = *std::move(built);
}

std::shared_ptr<const CouponShelf> CouponShelf::build(const Inputs& inputs,
                                                      const CouponShelf* before) {
  auto shelf = std::make_shared<CouponShelf>();
  shelf->inputs_ = inputs;
  const std::vector<float> weights = weights_of(inputs);
  shelf->weigh_assortment(weights);
  for (const auto& [id, offer] : inputs.book->offers()) {
    const Terms terms = inputs.book->terms(id);
    if (terms.campaign) shelf->add(terms, before, weights);
  }
  shelf->build_index();
  return shelf;
}

const ShelfCoupon* CouponShelf::find(std::string_view offer) const {
  const auto found = places_.find(offer);
  return found == places_.end() ? nullptr : &coupons_[found->second];
}

// What a coupon's products mean to this person, beside what all products do. A person whose taste
// points away from everything has no lift.
std::vector<double> CouponShelf::lifts(std::span<const float> taste) const {
  std::vector<double> lifts(coupons_.size(), 1.0);
  if (!index_ || taste.size() != whole_.size()) return lifts;
  const double usual = recommend::dot(taste, whole_);
  if (!(usual > 0)) return lifts;
  const std::size_t k = std::min(place_of_row_.size(), index::ProductIndex::k_max);
  const auto nearest = index_->search(taste, k, index::RowFilter::all(index_->row_count()));
  if (!nearest.ok()) return lifts;
  for (const std::size_t place : place_of_row_) lifts[place] = 1 / k_lift_max;
  for (const index::Neighbor& near : *nearest) {
    lifts[place_of_row_[near.row]] =
        std::clamp(static_cast<double>(near.score) / usual, 1 / k_lift_max, k_lift_max);
  }
  return lifts;
}

bool CouponShelf::covers(std::size_t place, ProductNumber product) const {
  if (coupons_[place].covers_all) return true;
  if (const Listed& listed = listed_[place]) return std::ranges::binary_search(*listed, product);
  const Product* const known = inputs_.catalog->find(product);
  return known != nullptr &&
         coupons_[place].terms.offer->conditions.products.holds(*known, inputs_.now_ms);
}

void CouponShelf::for_each_covering(ProductNumber product,
                                    const std::function<void(std::size_t place)>& visit) const {
  const auto found = covering_.find(product.value());
  if (found != covering_.end()) {
    for (const std::uint32_t place : found->second) visit(place);
  }
  for (const std::size_t place : unlisted_) {
    if (covers(place, product)) visit(place);
  }
}

}  // namespace vitrine::coupons
