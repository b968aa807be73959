#include "training/split.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "base/status.h"

namespace vitrine::training {
namespace {

constexpr std::uint32_t k_unknown = UINT32_MAX;

// Where each of `texts` stands in `known`; k_unknown where it does not.
std::vector<std::uint32_t> places_of(const TextNumbers& texts,
                                     const std::vector<std::string>& known) {
  std::vector<std::uint32_t> places(texts.size(), k_unknown);
  for (std::uint32_t i = 0; i < known.size(); ++i) {
    if (const std::optional<std::uint32_t> number = texts.find(known[i])) places[*number] = i;
  }
  return places;
}

std::uint64_t unknown_count(const std::vector<std::uint32_t>& places) {
  return static_cast<std::uint64_t>(std::count(places.begin(), places.end(), k_unknown));
}

void append(TestSet& set, std::uint32_t user, std::uint32_t product) {
  if (set.users.empty() || set.users.back() != user) {
    set.users.push_back(user);
    set.products.bounds.push_back(set.products.columns.size());
  }
  set.products.columns.push_back(product);
  set.products.bounds.back() = set.products.columns.size();
}

}  // namespace

void SplitBuilder::add_test(const Interaction& interaction) {
  if (interaction.user.empty() || !test_types_.contains(interaction.type)) return;
  if (is_left_out_ && is_left_out_(interaction.user)) return;
  test_pairs_.push_back({test_users_.number(interaction.user),
                         test_products_.number(interaction.product), interaction.type,
                         interaction.time_ms});
}

void SplitBuilder::add_by_time(const Interaction& interaction, TimeMs split_ms) {
  if (interaction.time_ms < split_ms) {
    add_train(interaction);
  } else {
    add_test(interaction);
  }
}

// Products in the order in which a user first had them, oldest first.
void SplitBuilder::fill_cold(const std::vector<std::uint32_t>& users,
                             const std::vector<std::uint32_t>& products, Split& split) const {
  std::vector<TestPair> pairs;
  for (const TestPair& pair : test_pairs_) {
    if (users[pair.user] == k_unknown && products[pair.product] != k_unknown)
      pairs.push_back({pair.user, products[pair.product], pair.type, pair.time_ms});
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const TestPair& a, const TestPair& b) {
    return std::tie(a.user, a.time_ms) < std::tie(b.user, b.time_ms);
  });
  const ConfidenceRule& rule = split.train.confidence;
  for (std::size_t first = 0; first < pairs.size();) {
    std::vector<TestPair> distinct;
    std::size_t i = first;
    for (; i < pairs.size() && pairs[i].user == pairs[first].user; ++i) {
      const bool is_new = std::none_of(distinct.begin(), distinct.end(), [&](const TestPair& one) {
        return one.product == pairs[i].product;
      });
      if (is_new) distinct.push_back(pairs[i]);
    }
    first = i;
    if (distinct.size() < 2) continue;
    const auto known = distinct.begin() +
                       static_cast<std::ptrdiff_t>(std::min(k_cold_known_max, distinct.size() / 2));
    const auto by_product = [](const TestPair& a, const TestPair& b) {
      return a.product < b.product;
    };
    std::sort(distinct.begin(), known, by_product);
    std::sort(known, distinct.end(), by_product);
    for (auto one = distinct.begin(); one != known; ++one) {
      split.cold_known.columns.push_back(one->product);
      split.cold_known.values.push_back(
          rule.confidence(std::max(rule.weight(one->type), std::numeric_limits<float>::min())));
    }
    split.cold_known.bounds.push_back(split.cold_known.columns.size());
    const auto number = static_cast<std::uint32_t>(split.cold_known.row_count() - 1);
    for (auto one = known; one != distinct.end(); ++one) append(split.cold, number, one->product);
  }
}

Dataset cold_view(const Split& split) {
  Dataset view;
  view.users.resize(split.cold_known.row_count());
  view.products = split.train.products;
  view.by_user = split.cold_known;
  view.by_product = split.train.by_product;
  view.seen_by_user = {split.cold_known.bounds, split.cold_known.columns, {}};
  view.popularity = split.train.popularity;
  view.confidence = split.train.confidence;
  return view;
}

absl::StatusOr<Split> SplitBuilder::build() {
  Split split;
  VITRINE_ASSIGN_OR_RETURN(split.train, train_.build());
  const Dataset& train = split.train;
  const std::vector<std::uint32_t> users = places_of(test_users_, train.users);
  std::vector<std::uint32_t> products = places_of(test_products_, train.products);
  // A product that only anonymous customers had is as new to every method as one that nobody had.
  std::vector<bool> is_known(train.products.size());
  for (const std::uint32_t product : train.seen_by_user.columns) is_known[product] = true;
  for (std::uint32_t& product : products) {
    if (product != k_unknown && !is_known[product]) product = k_unknown;
  }
  split.cold_users = unknown_count(users);
  split.cold_products = unknown_count(products);

  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  std::set<std::pair<std::uint32_t, std::uint32_t>> out_of_reach;
  for (const TestPair& pair : test_pairs_) {
    if (users[pair.user] == k_unknown) continue;
    if (products[pair.product] != k_unknown) {
      pairs.emplace_back(users[pair.user], products[pair.product]);
    } else {
      out_of_reach.emplace(pair.user, pair.product);
    }
  }
  split.cold_product_pairs = out_of_reach.size();
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const auto& [user, product] : pairs) {
    append(split.repeats, user, product);
    const auto seen = train.seen_by_user.columns_of(user);
    if (!std::binary_search(seen.begin(), seen.end(), product)) append(split.fresh, user, product);
  }
  fill_cold(users, products, split);
  if (split.repeats.users.empty()) {
    return failed_precondition(
        "nothing to test on: of {} test pairs none has a user and a product of the training set",
        test_pairs_.size());
  }
  return split;
}

}  // namespace vitrine::training
