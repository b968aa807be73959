#include "server/coupons/pricing.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

#include "base/check.h"
#include "server/coupons/spread.h"

namespace vitrine::coupons {
namespace {

Money sum_of(const std::vector<Money>& amounts) {
  Money sum;
  for (const Money amount : amounts) sum.minor += amount.minor;
  return sum;
}

// One cart being priced. Lines are kept by their ids, so that ties do not depend on the order in
// which they came.
class Pricing {
 public:
  explicit Pricing(const Cart& cart) : cart_(cart), order_(cart.lines.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_, {}, [&](std::size_t i) { return std::string_view(line(i).line_id); });
    for (const CartLine& line : cart.lines) left_.push_back(line.amount());
    after_lines_ = left_;
    shipping_left_ = cart.shipping;
  }

  // What is left after the line stage is what later thresholds are measured on.
  void end_line_stage() { after_lines_ = left_; }

  Cut apply(const Applied& offer) {
    Cut cut{.by_line = std::vector<Money>(cart_.lines.size())};
    cut.gap = gap_of(offer);
    if (cut.gap) return cut;
    switch (offer.effect->kind) {
      case Kind::full_reduction:
        full_reduction(offer, cut);
        break;
      case Kind::percent:
        percent(offer, cut);
        break;
      case Kind::exchange:
        exchange(offer, cut);
        break;
      case Kind::free_shipping:
        free_shipping(offer, cut);
        break;
      case Kind::bundle:
        bundle(offer, cut);
        break;
      case Kind::nth_item:
        nth_item(offer, cut);
        break;
      case Kind::points:
        points(offer, cut);
        break;
    }
    for (std::size_t i = 0; i < left_.size(); ++i) {
      left_[i].minor -= cut.by_line[i].minor;
      CHECK(left_[i].minor >= 0, "no line is below zero");
    }
    shipping_left_.minor -= cut.shipping.minor;
    return cut;
  }

 private:
  const CartLine& line(std::size_t i) const { return cart_.lines[i]; }

  Money base(const Applied& offer) const {
    Money sum;
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (offer.covers[i]) sum.minor += after_lines_[i].minor;
    }
    return sum;
  }
  std::int64_t pieces(const Applied& offer) const {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (offer.covers[i]) count += line(i).quantity;
    }
    return count;
  }

  // Why the offer does nothing here, by its conditions.
  std::optional<Gap> gap_of(const Applied& offer) const {
    const std::int64_t covered = pieces(offer);
    if (covered == 0) return Gap{};
    const std::int64_t wanted =
        std::max(offer.min_quantity,
                 offer.effect->kind == Kind::nth_item ? offer.effect->nth : std::int64_t{0});
    if (covered < wanted) {
      return Gap{.reason = Gap::Reason::quantity, .pieces = wanted - covered};
    }
    const Money has = base(offer);
    Money threshold = offer.amounts->min_subtotal;
    const std::vector<Tier>& tiers = offer.amounts->tiers;
    const bool is_reduction = offer.effect->kind == Kind::full_reduction && !tiers.empty();
    if (is_reduction) threshold = std::max(threshold, tiers.front().threshold);
    if (has >= threshold) return std::nullopt;
    return Gap{.reason = Gap::Reason::spend,
               .missing = {threshold.minor - has.minor},
               .unlocks = is_reduction ? tiers.front().off : Money{}};
  }

  // No more than the offer's cap, and than what is left of a budget that caps.
  static Money capped(const Applied& offer, Money amount) {
    if (offer.amounts->max_discount) amount = std::min(amount, *offer.amounts->max_discount);
    if (offer.left) amount = std::min(amount, std::max(*offer.left, Money{}));
    return amount;
  }

  // Takes `amount` off the weights, which are at most what is left of each line.
  void take(const Applied& offer, Money amount, const std::vector<Money>& weights, Cut& cut) const {
    amount = std::min(capped(offer, amount), sum_of(weights));
    std::vector<Money> sorted;
    for (const std::size_t i : order_) sorted.push_back(weights[i]);
    const std::vector<Money> parts = spread(amount, sorted);
    for (std::size_t place = 0; place < order_.size(); ++place) {
      cut.by_line[order_[place]] = parts[place];
    }
  }

  std::vector<Money> covered_left(const Applied& offer) const {
    std::vector<Money> amounts(left_.size());
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (offer.covers[i]) amounts[i] = left_[i];
    }
    return amounts;
  }

  // What is left of `count` pieces of each line, the cheapest pieces first, `wanted` in all.
  std::vector<Money> cheapest(const Applied& offer, std::int64_t wanted) const {
    std::vector<std::size_t> cheap;
    for (const std::size_t i : order_) {
      if (offer.covers[i]) cheap.push_back(i);
    }
    std::ranges::sort(cheap, {}, [&](std::size_t i) {
      return std::tuple(line(i).unit_price, std::string_view(line(i).line_id));
    });
    std::vector<Money> amounts(left_.size());
    for (const std::size_t i : cheap) {
      const std::int64_t taken = std::min(wanted, line(i).quantity);
      amounts[i] = share_of(left_[i], taken, line(i).quantity);
      wanted -= taken;
    }
    return amounts;
  }

  void full_reduction(const Applied& offer, Cut& cut) const {
    const std::vector<Tier>& tiers = offer.amounts->tiers;
    if (tiers.empty()) return;
    const Money has = base(offer);
    Money off;
    std::optional<Tier> next;
    if (offer.effect->repeats) {
      const Tier& step = tiers.front();
      const std::int64_t times = has.minor / step.threshold.minor;
      // More than there is would be cut anyway; so the product stays small.
      off.minor = std::min(times, has.minor / step.off.minor + 1) * step.off.minor;
      next = Tier{{(times + 1) * step.threshold.minor}, {off.minor + step.off.minor}};
    } else {
      for (const Tier& tier : tiers) {
        if (tier.threshold <= has) {
          off = tier.off;
        } else if (!next) {
          next = tier;
        }
      }
    }
    if (next && capped(offer, next->off) > capped(offer, off)) {
      cut.next_gap = Gap{.reason = Gap::Reason::spend,
                         .missing = {next->threshold.minor - has.minor},
                         .unlocks = capped(offer, next->off)};
    }
    take(offer, off, covered_left(offer), cut);
  }

  void percent(const Applied& offer, Cut& cut) const {
    const Effect& effect = *offer.effect;
    std::vector<Money> weights =
        effect.max_quantity ? cheapest(offer, *effect.max_quantity) : covered_left(offer);
    if (effect.by_line) {
      // Each line is rounded by itself, as its price tag would be.
      for (Money& weight : weights) {
        weight = share_of(weight, effect.off_basis_points, Effect::k_whole);
      }
      cut.pieces = std::min(effect.max_quantity.value_or(CartLine::k_quantity_max), pieces(offer));
      return take(offer, sum_of(weights), weights, cut);
    }
    take(offer, share_of(sum_of(weights), effect.off_basis_points, Effect::k_whole), weights, cut);
  }

  // The gifts that are in the cart cost their small price, the others are to be added.
  void exchange(const Applied& offer, Cut& cut) const {
    const Effect& effect = *offer.effect;
    std::int64_t wanted = effect.gift_quantity;
    std::vector<Money> weights(left_.size());
    for (const std::size_t i : order_) {
      if (line(i).product_id != effect.gift_product_id) continue;
      const std::int64_t taken = std::min(wanted, line(i).quantity);
      const Money has = share_of(left_[i], taken, line(i).quantity);
      weights[i] = std::max(Money{}, Money{has.minor - taken * offer.amounts->price.minor});
      wanted -= taken;
    }
    take(offer, sum_of(weights), weights, cut);
    cut.pieces = effect.gift_quantity;
    if (wanted > 0) cut.gift = Gift{effect.gift_product_id, wanted, offer.amounts->price};
  }

  void free_shipping(const Applied& offer, Cut& cut) const {
    cut.shipping = capped(offer, shipping_left_);
  }

  void bundle(const Applied& offer, Cut& cut) const {
    const Effect& effect = *offer.effect;
    std::int64_t sets = effect.max_quantity.value_or(CartLine::k_quantity_max);
    for (const SetPart& part : effect.set) {
      std::int64_t has = 0;
      for (const CartLine& line : cart_.lines) {
        if (line.product_id == part.product_id) has += line.quantity;
      }
      sets = std::min(sets, has / part.quantity);
    }
    if (sets == 0) {
      cut.gap = Gap{};
      return;
    }
    std::vector<Money> weights(left_.size());
    for (const SetPart& part : effect.set) weigh_part(part, sets, weights);
    cut.pieces = sets;
    const Money usual = sum_of(weights);
    const Money off{std::max(std::int64_t{0}, usual.minor - sets * offer.amounts->price.minor)};
    take(offer, off, weights, cut);
  }

  void weigh_part(const SetPart& part, std::int64_t sets, std::vector<Money>& weights) const {
    std::int64_t wanted = sets * part.quantity;
    for (const std::size_t i : order_) {
      if (line(i).product_id != part.product_id) continue;
      const std::int64_t taken = std::min(wanted, line(i).quantity);
      weights[i] = share_of(left_[i], taken, line(i).quantity);
      wanted -= taken;
    }
  }

  // The cheapest pieces are the ones that cost less.
  void nth_item(const Applied& offer, Cut& cut) const {
    const Effect& effect = *offer.effect;
    std::int64_t cheaper = effect.repeats ? pieces(offer) / effect.nth : 1;
    if (effect.max_quantity) cheaper = std::min(cheaper, *effect.max_quantity);
    cut.pieces = cheaper;
    std::vector<Money> weights = cheapest(offer, cheaper);
    for (Money& weight : weights) {
      weight = share_of(weight, effect.off_basis_points, Effect::k_whole);
    }
    take(offer, sum_of(weights), weights, cut);
  }

  // One point a whole unit of what is paid for the covered lines, times the multiplier; parts of a
  // point are not given.
  void points(const Applied& offer, Cut& cut) const {
    std::int64_t unit = 1;
    for (int digit = currency_digits(cart_.currency); digit > 0; --digit) unit *= 10;
    const Money paid = sum_of(covered_left(offer));
    const std::int64_t whole = paid.minor / unit;
    cut.points = whole * offer.effect->multiplier_hundredths / 100 + offer.effect->bonus_points;
  }

  const Cart& cart_;
  std::vector<std::size_t> order_;  // of the lines, by id
  std::vector<Money> left_;         // of each line, after all so far
  std::vector<Money> after_lines_;  // after the line stage
  Money shipping_left_;
};

}  // namespace

Money Cut::total() const { return {sum_of(by_line).minor + shipping.minor}; }

Priced price(const Cart& cart, std::span<const Applied> offers) {
  std::vector<std::size_t> order(offers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    return std::tuple(stage_of(*offers[i].effect), -offers[i].priority, offers[i].id);
  });
  Priced priced{.cuts = std::vector<Cut>(offers.size()),
                .by_line = std::vector<Money>(cart.lines.size())};
  priced.payable.minor = cart.subtotal().minor + cart.shipping.minor;
  Pricing pricing(cart);
  bool are_lines = true;
  for (const std::size_t i : order) {
    if (are_lines && stage_of(*offers[i].effect) != Stage::line) {
      pricing.end_line_stage();
      are_lines = false;
    }
    const Cut& cut = priced.cuts[i] = pricing.apply(offers[i]);
    for (std::size_t line = 0; line < cut.by_line.size(); ++line) {
      priced.by_line[line].minor += cut.by_line[line].minor;
    }
    priced.discount.minor += cut.total().minor;
    priced.shipping_discount.minor += cut.shipping.minor;
    priced.points += cut.points;
    if (cut.gift) priced.payable.minor += cut.gift->price.minor * cut.gift->quantity;
  }
  priced.payable.minor -= priced.discount.minor;
  return priced;
}

}  // namespace vitrine::coupons
