#include "training/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/status.h"

namespace vitrine::training {
namespace {

bool takes_back(EventType type) { return type == EventType::refund || type == EventType::cancel; }

bool is_look(EventType type) { return type == EventType::view || type == EventType::click; }

// Adds (row, column) pairs that come in rising order, and knows where the last row began.
class RowsBuilder {
 public:
  explicit RowsBuilder(std::size_t row_count) { rows_.bounds.assign(row_count + 1, 0); }

  void add(std::size_t row, std::uint32_t column) {
    rows_.columns.push_back(column);
    ++rows_.bounds[row + 1];
  }
  void add(std::size_t row, std::uint32_t column, float value) {
    add(row, column);
    rows_.values.push_back(value);
  }
  SparseRows take() && {
    std::partial_sum(rows_.bounds.begin(), rows_.bounds.end(), rows_.bounds.begin());
    return std::move(rows_);
  }

 private:
  SparseRows rows_;
};

}  // namespace

SparseRows transposed(const SparseRows& rows, std::size_t column_count) {
  SparseRows result;
  result.bounds.assign(column_count + 1, 0);
  for (const std::uint32_t column : rows.columns) ++result.bounds[column + 1];
  std::partial_sum(result.bounds.begin(), result.bounds.end(), result.bounds.begin());
  result.columns.resize(rows.columns.size());
  result.values.resize(rows.values.size());
  std::vector<std::uint64_t> next(result.bounds.begin(), result.bounds.end() - 1);
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    for (std::uint64_t k = rows.bounds[row]; k < rows.bounds[row + 1]; ++k) {
      const std::uint64_t target = next[rows.columns[k]]++;
      result.columns[target] = static_cast<std::uint32_t>(row);
      if (!rows.values.empty()) result.values[target] = rows.values[k];
    }
  }
  return result;
}

std::uint32_t pieces_of(const Interaction& interaction) {
  constexpr std::int64_t k_most = UINT32_MAX - 1;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(interaction.quantity, 0, k_most));
}

std::uint32_t TextNumbers::number(std::string_view text) {
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(texts_.size());
  texts_.emplace_back(text);
  numbers_.emplace(texts_.back(), number);
  return number;
}

std::optional<std::uint32_t> TextNumbers::find(std::string_view text) const {
  const auto found = numbers_.find(text);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

// A shop has far fewer markets than numbers; those beyond are as good as not known.
std::uint16_t DatasetBuilder::market_number(std::string_view market) {
  if (market.empty()) return k_no_market;
  const std::optional<std::uint32_t> known = markets_.find(market);
  if (!known && markets_.size() >= k_no_market) return k_no_market;
  return static_cast<std::uint16_t>(known ? *known : markets_.number(market));
}

void DatasetBuilder::add(const Interaction& interaction) {
  if (options_.until && interaction.time_ms > *options_.until) return;
  if (options_.is_left_out && !interaction.user.empty() && options_.is_left_out(interaction.user)) {
    ++left_out_;
    return;
  }
  const float weight = interaction.weight.value_or(options_.confidence.weight(interaction.type));
  if (takes_back(interaction.type)) {
    const bool is_cancel = interaction.type == EventType::cancel;
    refunds_.push_back({interaction.time_ms, is_cancel ? k_whole_line : pieces_of(interaction),
                        std::string(interaction.user), std::string(interaction.product),
                        std::string(interaction.order)});
    return;
  }
  if (weight <= 0) return;
  const std::uint32_t user = interaction.user.empty() ? k_none : users_.number(interaction.user);
  const std::uint32_t order =
      interaction.order.empty() ? k_none : orders_.number(interaction.order);
  const std::uint32_t product = products_.number(interaction.product);
  facts_.push_back({interaction.time_ms, weight, user, product, order,
                    std::max(1U, pieces_of(interaction)), market_number(interaction.market),
                    interaction.type});
  if (is_look(interaction.type) && !interaction.session.empty())
    views_.push_back({interaction.time_ms, sessions_.number(interaction.session), product});
}

// Those of users, orders and products that nothing else is known of have nothing to take back.
void DatasetBuilder::add_refunds(std::vector<Fact>& facts) const {
  for (const Refund& refund : refunds_) {
    const std::optional<std::uint32_t> product = products_.find(refund.product);
    const std::uint32_t user = users_.find(refund.user).value_or(k_none);
    const std::uint32_t order = orders_.find(refund.order).value_or(k_none);
    if (!product || (user == k_none && order == k_none)) continue;
    facts.push_back(
        {refund.time_ms, 0, user, *product, order, refund.pieces, k_no_market, EventType::refund});
  }
}

// From the purchases of one user and product, newest last, of which some pieces are left. Whether
// there was something to take.
bool DatasetBuilder::take_back(const Fact& refund, std::vector<Fact*>& open) {
  const auto is_of_order = [&](const Fact* purchase) {
    return refund.order != k_none && purchase->order == refund.order;
  };
  const bool names_order = std::any_of(open.begin(), open.end(), is_of_order);
  // Nobody's refund can only be told by its order.
  if (!names_order && refund.user == k_none) return false;
  std::uint32_t left = refund.pieces;
  bool took = false;
  for (auto one = open.rbegin(); one != open.rend() && left > 0; ++one) {
    Fact& purchase = **one;
    if (names_order && !is_of_order(&purchase)) continue;
    const std::uint32_t taken = std::min(left, purchase.pieces);
    purchase.pieces -= taken;
    purchase.taken_back = purchase.pieces == 0;
    left = refund.pieces == k_whole_line ? 0 : left - taken;
    took = true;
  }
  std::erase_if(open, [](const Fact* purchase) { return purchase->taken_back; });
  return took;
}

// Expects facts by user, product and time.
std::uint64_t DatasetBuilder::take_back_refunded(std::vector<Fact>& facts) {
  std::uint64_t matched = 0;
  std::vector<Fact*> open;  // of one user and product
  for (std::size_t i = 0; i < facts.size(); ++i) {
    Fact& fact = facts[i];
    if (i > 0 && (fact.user != facts[i - 1].user || fact.product != facts[i - 1].product))
      open.clear();
    if (fact.type == EventType::purchase) open.push_back(&fact);
    if (fact.type == EventType::refund && take_back(fact, open)) ++matched;
  }
  std::erase_if(facts, [](const Fact& fact) { return fact.type == EventType::refund; });
  return matched;
}

// One pass over the facts of known users, group by group of (user, product).
void DatasetBuilder::fill_pairs(const std::vector<Fact>& facts, Dataset& data) const {
  RowsBuilder pairs(data.users.size());
  RowsBuilder seen(data.users.size());
  RowsBuilder bought(data.users.size());
  double total = 0;
  std::vector<std::uint32_t> orders;
  for (std::size_t first = 0; first < facts.size() && facts[first].user != k_none;) {
    const Fact& group = facts[first];
    double sum = 0;
    float purchases_alone = 0;
    orders.clear();
    std::size_t i = first;
    for (; i < facts.size() && facts[i].user == group.user && facts[i].product == group.product;
         ++i) {
      const Fact& fact = facts[i];
      if (fact.taken_back) continue;
      sum += fact.weight * data.confidence.decay(data.until_ms - fact.time_ms);
      if (fact.type != EventType::purchase) continue;
      if (fact.order == k_none) ++purchases_alone;
      if (fact.order != k_none) orders.push_back(fact.order);
    }
    add_repeats(std::span(facts).subspan(first, i - first), data.repeats);
    first = i;
    seen.add(group.user, group.product);
    // Decay may reach 0 in single precision; such a pair says nothing any more.
    const auto capped = static_cast<float>(std::min(sum, static_cast<double>(data.confidence.cap)));
    if (capped > 0) {
      pairs.add(group.user, group.product, capped);
      total += capped;
    }
    std::sort(orders.begin(), orders.end());
    const auto distinct = std::unique(orders.begin(), orders.end()) - orders.begin();
    const float order_count = purchases_alone + static_cast<float>(distinct);
    if (order_count > 0) bought.add(group.user, group.product, order_count);
  }
  data.by_user = std::move(pairs).take();
  data.seen_by_user = std::move(seen).take();
  data.orders_by_user = std::move(bought).take();
  if (data.pair_count() == 0) return;
  data.confidence.mean = total / static_cast<double>(data.pair_count());
  for (float& value : data.by_user.values) value = data.confidence.confidence(value);
  data.by_product = transposed(data.by_user, data.products.size());
}

// Of one user and product, by time.
void DatasetBuilder::add_repeats(std::span<const Fact> group, std::vector<Repeat>& repeats) {
  std::optional<TimeMs> before;
  for (const Fact& fact : group) {
    if (fact.type != EventType::purchase || fact.taken_back) continue;
    if (!before) {
      before = fact.time_ms;
    } else if (fact.time_ms - *before >= k_day_ms) {
      const auto gap = static_cast<double>(fact.time_ms - *before);
      repeats.push_back({fact.product, static_cast<float>(gap / static_cast<double>(k_day_ms))});
      before = fact.time_ms;
    }
  }
}

void DatasetBuilder::fill_popularity(const std::vector<Fact>& facts, Dataset& data) const {
  data.popularity.assign(data.products.size(), 0);
  std::map<std::pair<std::uint16_t, std::uint32_t>, double> by_market;
  for (const Fact& fact : facts) {
    if (fact.taken_back) continue;
    const double weight = fact.weight * data.confidence.decay(data.until_ms - fact.time_ms);
    data.popularity[fact.product] += static_cast<float>(weight);
    if (fact.market != k_no_market) by_market[{fact.market, fact.product}] += weight;
  }
  for (const auto& [key, weight] : by_market) {
    data.popularity_by_market[markets_.texts()[key.first]].push_back(
        {key.second, static_cast<float>(weight)});
  }
}

void DatasetBuilder::fill_views(Dataset& data) {
  std::stable_sort(views_.begin(), views_.end(), [](const View& a, const View& b) {
    return std::tie(a.session, a.time_ms) < std::tie(b.session, b.time_ms);
  });
  SessionViews& views = data.views;
  for (std::size_t first = 0; first < views_.size();) {
    bool is_varied = false;
    std::size_t i = first;
    for (; i < views_.size() && views_[i].session == views_[first].session; ++i)
      is_varied = is_varied || views_[i].product != views_[first].product;
    if (is_varied) {
      for (std::size_t k = first; k < i; ++k) views.products.push_back(views_[k].product);
      views.bounds.push_back(views.products.size());
      views.last_ms.push_back(views_[i - 1].time_ms);
    }
    first = i;
  }
  views_.clear();
  views_.shrink_to_fit();
}

void DatasetBuilder::fill_orders(const std::vector<Fact>& facts, Dataset& data) const {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> lines;
  for (const Fact& fact : facts) {
    if (fact.type != EventType::purchase || fact.order == k_none || fact.taken_back) continue;
    lines.emplace_back(fact.order, fact.product);
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  RowsBuilder orders(orders_.size());
  for (const auto& [order, product] : lines) orders.add(order, product);
  data.orders = std::move(orders).take();
}

absl::StatusOr<Dataset> DatasetBuilder::build() {
  VITRINE_RETURN_IF_ERROR(validate(options_.confidence));
  std::vector<Fact> facts = std::move(facts_);
  facts_.clear();
  add_refunds(facts);
  refunds_.clear();
  std::stable_sort(facts.begin(), facts.end(), [](const Fact& a, const Fact& b) {
    return std::tie(a.user, a.product, a.time_ms) < std::tie(b.user, b.product, b.time_ms);
  });
  Dataset data;
  data.refunds_matched = take_back_refunded(facts);
  data.users = users_.texts();
  data.products = products_.texts();
  data.confidence = options_.confidence;
  data.interactions = facts.size();
  for (const Fact& fact : facts) data.until_ms = std::max(data.until_ms, fact.time_ms);
  if (options_.until) data.until_ms = *options_.until;

  fill_views(data);  // first, so that their memory is free for the pairs
  fill_popularity(facts, data);
  fill_pairs(facts, data);
  fill_orders(facts, data);
  data.left_out = std::exchange(left_out_, 0);
  users_ = {};
  sessions_ = {};
  markets_ = {};
  products_ = {};
  orders_ = {};
  if (data.pair_count() == 0) {
    return failed_precondition(
        "nothing to learn from: no interaction of a user with a product among {}", facts.size());
  }
  return data;
}

}  // namespace vitrine::training
