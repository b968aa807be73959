#include "training/split.h"

#include <algorithm>
#include <optional>

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
  test_pairs_.emplace_back(test_users_.number(interaction.user),
                           test_products_.number(interaction.product));
}

void SplitBuilder::add_by_time(const Interaction& interaction, TimeMs split_ms) {
  if (interaction.time_ms < split_ms) {
    add_train(interaction);
  } else {
    add_test(interaction);
  }
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
  for (const auto& [user, product] : test_pairs_) {
    if (users[user] != k_unknown && products[product] != k_unknown)
      pairs.emplace_back(users[user], products[product]);
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const auto& [user, product] : pairs) {
    append(split.repeats, user, product);
    const auto seen = train.seen_by_user.columns_of(user);
    if (!std::binary_search(seen.begin(), seen.end(), product)) append(split.fresh, user, product);
  }
  if (split.repeats.users.empty()) {
    return failed_precondition(
        "nothing to test on: of {} test pairs none has a user and a product of the training set",
        test_pairs_.size());
  }
  return split;
}

}  // namespace vitrine::training
