// What comes back of an order: what is refunded, and what the ledger gets back.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/coupons/desk.h"
#include "server/coupons/spread.h"

namespace vitrine::coupons {

struct Desk::ReturnRequest {
  std::string order_id;
  std::string return_id;
  std::vector<ReturnedLine> lines;
  std::string request_hash;
};

namespace {

using store::Family;

// Pieces of each line that came back so far.
std::vector<std::int64_t> returned_so_far(const Order& order) {
  std::vector<std::int64_t> sum(order.cart.lines.size());
  for (const Return& back : order.returns) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += back.quantities[i];
  }
  return sum;
}

absl::StatusOr<std::vector<std::int64_t>> wanted_quantities(
    const Order& order, const std::vector<Desk::ReturnedLine>& lines) {
  const std::vector<std::int64_t> before = returned_so_far(order);
  std::vector<std::int64_t> wanted(before.size());
  for (std::size_t i = 0; lines.empty() && i < wanted.size(); ++i) {
    wanted[i] = order.cart.lines[i].quantity - before[i];
  }
  for (const Desk::ReturnedLine& line : lines) {
    const auto found = std::ranges::find(order.cart.lines, line.line_id, &CartLine::line_id);
    if (found == order.cart.lines.end()) {
      return invalid_argument("lines names {}, which order {} does not have", line.line_id,
                              order.order_id);
    }
    const auto place = static_cast<std::size_t>(found - order.cart.lines.begin());
    wanted[place] += line.quantity;
    if (before[place] + wanted[place] > found->quantity) {
      return failed_precondition("of line {} {} pieces are left to return, got {}", line.line_id,
                                 found->quantity - before[place], wanted[place]);
    }
  }
  if (std::ranges::all_of(wanted, [](std::int64_t count) { return count == 0; })) {
    return failed_precondition("nothing of order {} is left to return", order.order_id);
  }
  return wanted;
}

Cart kept_cart(const Order& order, const std::vector<std::int64_t>& returned) {
  Cart kept = order.cart;
  for (std::size_t i = 0; i < returned.size(); ++i) kept.lines[i].quantity -= returned[i];
  return kept;
}

// The discount of each use on what is kept, by line, as its offer's policy says.
class KeptDiscounts {
 public:
  KeptDiscounts(const Order& order, const OfferBook& book, const catalog::Catalog& catalog,
                const std::vector<std::int64_t>& returned)
      : order_(order),
        book_(book),
        catalog_(catalog),
        returned_(returned),
        kept_(kept_cart(order, returned)) {}

  std::vector<std::vector<Money>> by_use() const {
    std::vector<std::vector<Money>> all;
    const std::vector<Cut> repriced = reprice();
    for (std::size_t u = 0; u < order_.uses.size(); ++u) {
      std::vector<Money> kept;
      for (std::size_t i = 0; i < returned_.size(); ++i) kept.push_back(of(u, i, repriced));
      all.push_back(std::move(kept));
    }
    for (std::size_t i = 0; i < returned_.size(); ++i) bound(i, all);
    return all;
  }

 private:
  ReturnPolicy policy_of(const Use& use) const {
    const Terms terms = book_.terms(use.offer, use.version);
    return terms.offer ? terms.offer->on_return : ReturnPolicy::proportional;
  }

  Money of(std::size_t u, std::size_t line, const std::vector<Cut>& repriced) const {
    const Money given = order_.uses[u].by_line[line];
    const std::int64_t quantity = order_.cart.lines[line].quantity;
    switch (policy_of(order_.uses[u])) {
      case ReturnPolicy::keep:
        return given;
      case ReturnPolicy::recalculate:
        return std::min(given, repriced[u].by_line[line]);
      case ReturnPolicy::proportional:
        break;
    }
    return {given.minor - share_of(given, returned_[line], quantity).minor};
  }

  // All offers anew on what is kept; those that are gone take nothing off.
  std::vector<Cut> reprice() const {
    std::vector<Terms> terms;
    std::vector<Applied> applied;
    for (const Use& use : order_.uses) terms.push_back(book_.terms(use.offer, use.version));
    static const Effect no_effect{.kind = Kind::percent};
    static const Amounts no_amounts;
    for (std::size_t u = 0; u < terms.size(); ++u) {
      const Offer* const offer = terms[u].offer.get();
      const Amounts* const amounts =
          offer == nullptr ? nullptr : offer->amounts_in(order_.cart.market, order_.cart.currency);
      Applied one{.id = order_.uses[u].offer, .effect = &no_effect, .amounts = &no_amounts};
      if (amounts != nullptr) {
        one.effect = &offer->effect;
        one.amounts = amounts;
        one.priority = offer->priority;
        one.min_quantity = offer->conditions.min_quantity;
      }
      for (const CartLine& line : kept_.lines) one.covers.push_back(covers(offer, line));
      applied.push_back(std::move(one));
    }
    return price(kept_, applied).cuts;
  }

  bool covers(const Offer* offer, const CartLine& line) const {
    if (offer == nullptr || line.quantity == 0) return false;
    if (offer->effect.kind == Kind::exchange && line.product_id == offer->effect.gift_product_id) {
      return false;
    }
    return offer->conditions.products.covers(line.product_id, catalog_, order_.time_ms);
  }

  // What is kept of a line never costs less than nothing.
  void bound(std::size_t line, std::vector<std::vector<Money>>& all) const {
    Money left = kept_.lines[line].amount();
    for (std::vector<Money>& use : all) {
      use[line] = std::min(use[line], left);
      left.minor -= use[line].minor;
    }
  }

  const Order& order_;
  const OfferBook& book_;
  const catalog::Catalog& catalog_;
  const std::vector<std::int64_t>& returned_;
  Cart kept_;
};

// What the order's lines cost with these discounts.
Money net_of(const Order& order, const std::vector<std::int64_t>& returned, std::size_t line,
             const std::vector<std::vector<Money>>& discounts) {
  const CartLine& one = order.cart.lines[line];
  Money net{one.unit_price.minor * (one.quantity - returned[line])};
  for (const std::vector<Money>& use : discounts) net.minor -= use[line].minor;
  return net;
}

}  // namespace

absl::StatusOr<Desk::Outcome> Desk::stage_return(events::Batch& batch,
                                                 const ReturnRequest& request) {
  const Source source(batch);
  std::optional<Order> found = read_order(source, keys_.redemption(request.order_id));
  VITRINE_RETURN_IF_ERROR(source.status());
  if (!found) return not_found("there is no redemption of order {}", request.order_id);
  Order& order = *found;
  const auto known = std::ranges::find(order.returns, request.return_id, &Return::id);
  if (known != order.returns.end()) {
    if (known->request_hash != request.request_hash) {
      return conflict("return {} came before with another request", request.return_id);
    }
    std::rotate(known, known + 1, order.returns.end());
    return Outcome{.order = std::move(found), .denied = {}, .is_replay = true};
  }
  if (order.returns.size() >= k_returns_max) {
    return failed_precondition("order {} has {} returns, at most {} may be", request.order_id,
                               order.returns.size(), k_returns_max);
  }
  VITRINE_ASSIGN_OR_RETURN(const std::vector<std::int64_t> wanted,
                           wanted_quantities(order, request.lines));
  VITRINE_ASSIGN_OR_RETURN(auto points, points_with(source, order, batch.time_ms()));
  Return back{.id = request.return_id,
              .request_hash = request.request_hash,
              .time_ms = batch.time_ms(),
              .quantities = wanted};
  order.returns.push_back(back);
  settle_return(batch, source, order, std::move(points));
  VITRINE_RETURN_IF_ERROR(source.status());
  put_redemption(batch, order);
  return Outcome{.order = std::move(found), .denied = {}};
}

// Works out the last return of the order: refunds by line, and what the accounts get back.
void Desk::settle_return(events::Batch& batch, const Source& source, Order& order,
                         std::optional<PointsAccount> account) {
  Return& back = order.returns.back();
  const std::vector<std::int64_t> returned = returned_so_far(order);
  const std::shared_ptr<const OfferBook> book = offers();
  const auto discounts = KeptDiscounts(order, *book, parts_.catalog, returned).by_use();
  bool is_all = true;
  PaidShare share;
  for (std::size_t i = 0; i < returned.size(); ++i) {
    const Money net = net_of(order, returned, i, discounts);
    Money paid{order.cart.lines[i].amount().minor};
    for (const Use& use : order.uses) paid.minor -= use.by_line[i].minor;
    share.left.minor += net.minor;
    share.whole.minor += paid.minor;
    for (const Return& earlier : order.returns) {
      if (&earlier != &back) paid.minor -= earlier.refund_by_line[i].minor;
    }
    back.refund_by_line.push_back({paid.minor - net.minor});
    back.refund.minor += paid.minor - net.minor;
    is_all = is_all && returned[i] == order.cart.lines[i].quantity;
  }
  // A threshold that broke can cost more than what came back: then nothing is refunded, and
  // nothing is asked for.
  if (back.refund.minor < 0) {
    back.refund = {};
    std::ranges::fill(back.refund_by_line, Money{});
  }
  if (is_all) back.refund.minor += order.cart.shipping.minor - shipping_discount_of(order).minor;
  Tally tally(source);
  for (std::size_t u = 0; u < order.uses.size(); ++u) {
    give_back_use(order.uses[u], discounts[u], is_all, share, back, tally);
    if (is_all) restore_grant(batch, source, order.uses[u], *book);
  }
  if (account && back.points_taken_back > 0) {
    account->take_back(back.points_taken_back, order.order_id);
    account->stage(batch, tally);
  }
  ledger_->post(batch, "return", "order/" + order.order_id + "/" + back.id, tally);
  order.state = is_all ? OrderState::returned : OrderState::partly_returned;
  if (!is_all) return;
  release_first_order(batch, source, order);
}

Money Desk::shipping_discount_of(const Order& order) {
  Money sum;
  for (const Use& use : order.uses) sum.minor += use.shipping.minor;
  return sum;
}

std::int64_t Desk::share_down(std::int64_t points, PaidShare paid) {
  if (paid.whole.minor <= 0) return 0;
  return static_cast<std::int64_t>(static_cast<double>(points) *
                                   static_cast<double>(paid.left.minor) /
                                   static_cast<double>(paid.whole.minor));
}

// What the counts of a use go down by; they hold what is still given.
void Desk::give_back_use(Use& use, const std::vector<Money>& kept, bool is_all, PaidShare paid,
                         Return& back, Tally& tally) {
  Money still{is_all ? 0 : use.shipping.minor};
  for (const Money part : kept) still.minor += part.minor;
  std::int64_t taken_back = 0;
  for (Use::Count& count : use.counts) {
    std::int64_t left = count.amount;
    if (is_money(count.measure)) left = std::min(left, still.minor);
    if (count.measure == Measure::points) {
      left = std::min(left, share_down(use.points, paid));
      taken_back = count.amount - left;
    }
    if (is_all) left = 0;
    tally.add({.account = count.account, .committed = left - count.amount});
    count.amount = left;
  }
  back.points_taken_back += taken_back;
}

void Desk::restore_grant(events::Batch& batch, const Source& source, const Use& use,
                         const OfferBook& book) {
  if (use.grant == 0) return;
  std::optional<Grant> grant = read_grant(source, use.grant);
  if (!grant) return;
  const Terms terms = book.terms(use.offer, use.version);
  if (terms.offer && terms.offer->restores_grant) {
    grant->uses = std::max(std::int64_t{0}, grant->uses - 1);
  } else {
    grant->was_returned = true;
  }
  put_grant(batch, *grant);
}

absl::Status Desk::give_back(std::string order_id, std::string return_id,
                             std::vector<ReturnedLine> lines, std::string request_hash,
                             OnOutcome done) {
  const auto request = std::make_shared<ReturnRequest>(ReturnRequest{
      std::move(order_id), std::move(return_id), std::move(lines), std::move(request_hash)});
  return submit([this, request](events::Batch& batch) { return stage_return(batch, *request); },
                std::move(done));
}

}  // namespace vitrine::coupons
