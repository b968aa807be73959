// What the content map is worth for products that nobody had before the split, beside the mean of
// their category and beside leaving them out.
//
//   bench_cold_products                           examples/online_retail, split on 2011-10-01
//   bench_cold_products EVENTS PRODUCTS TIME      other files, as `vitrine import` takes them
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/string_map.h"
#include "server/app/catalog_products.h"
#include "training/interaction_file.h"
#include "training/train_job.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_cutoff = 20;

struct Data {
  Dataset train;
  std::vector<Product> catalog;
  // By user number of the training set: products bought afterwards that training does not know.
  std::map<std::uint32_t, std::set<std::string>> truth;
};

absl::StatusOr<Data> read_data(const std::string& events, const std::string& products,
                               const std::string& split) {
  Data data;
  VITRINE_ASSIGN_OR_RETURN(const TimeMs split_ms, parse_time(split));
  VITRINE_ASSIGN_OR_RETURN(data.catalog, app::read_products(products, {}));
  DatasetBuilder builder{DatasetOptions{}};
  std::vector<std::pair<std::string, std::string>> later;
  const auto take = [&](const Interaction& one) {
    if (one.time_ms < split_ms) {
      builder.add(one);
    } else if (one.type == EventType::purchase && !one.user.empty()) {
      later.emplace_back(one.user, one.product);
    }
  };
  VITRINE_RETURN_IF_ERROR(read_interactions(events, take).status());
  VITRINE_ASSIGN_OR_RETURN(data.train, builder.build());
  StringMap<std::uint32_t> users;
  for (std::uint32_t user = 0; user < data.train.users.size(); ++user)
    users.emplace(data.train.users[user], user);
  const std::set<std::string> known(data.train.products.begin(), data.train.products.end());
  std::set<std::string> described;
  for (const Product& product : data.catalog) {
    if (!product.hidden) described.insert(product.product_id);
  }
  for (const auto& [user, product] : later) {
    const auto found = users.find(user);
    if (found != users.end() && !known.contains(product) && described.contains(product))
      data.truth[found->second].insert(product);
  }
  return data;
}

// The mean vector of each category's products.
std::map<std::string, std::vector<float>> category_means(const TrainedModel& model,
                                                         const std::vector<Product>& catalog) {
  std::map<std::string, std::pair<std::vector<float>, float>> sums;
  for (const Product& product : catalog) {
    const std::optional<std::uint32_t> row = model.products().row(product.product_id);
    const std::string category(deepest_category(product));
    if (!row || category.empty()) continue;
    auto& [sum, count] = sums[category];
    sum.resize(model.factors().dimension());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += model.factors().row(*row)[i];
    ++count;
  }
  std::map<std::string, std::vector<float>> means;
  for (auto& [category, sum] : sums) {
    for (float& value : sum.first) value /= sum.second;
    means.emplace(category, std::move(sum.first));
  }
  return means;
}

struct Cold {
  std::string id;
  std::vector<float> vector;
};

// Mean share of the cold products a user bought that are among the best `k_cutoff`: of the cold
// ones alone, and of everything that the user did not have.
std::pair<double, double> recalls(const Data& data, const TrainedModel& model,
                                  const std::vector<Cold>& cold) {
  const FactorModel& factors = model.factors();
  double alone = 0, among_all = 0;
  for (const auto& [user, bought] : data.truth) {
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t product : data.train.by_user.columns_of(user))
      rows.push_back(model.products().row(data.train.products[product]).value());
    const auto confidences = data.train.by_user.values_of(user);
    std::vector<float> vector(factors.dimension());
    factors.fold_in(rows, std::vector<float>(confidences.begin(), confidences.end()), vector);
    std::vector<float> warm;
    const std::set<std::uint32_t> had(rows.begin(), rows.end());
    for (std::uint32_t row = 0; row < factors.row_count(); ++row) {
      if (!had.contains(row)) warm.push_back(factors.score(row, vector));
    }
    std::sort(warm.begin(), warm.end(), std::greater<>());
    std::vector<std::pair<float, const Cold*>> ranked;
    ranked.reserve(cold.size());
    for (const Cold& one : cold) {
      ranked.emplace_back(
          std::inner_product(vector.begin(), vector.end(), one.vector.begin(), 0.0F), &one);
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    double hits = 0, hits_among_all = 0;
    for (std::size_t place = 0; place < std::min(k_cutoff, ranked.size()); ++place) {
      if (!bought.contains(ranked[place].second->id)) continue;
      ++hits;
      const auto better =
          std::lower_bound(warm.begin(), warm.end(), ranked[place].first, std::greater<>());
      hits_among_all += place + static_cast<std::size_t>(better - warm.begin()) < k_cutoff ? 1 : 0;
    }
    alone += hits / static_cast<double>(bought.size());
    among_all += hits_among_all / static_cast<double>(bought.size());
  }
  const auto users = static_cast<double>(data.truth.size());
  return {alone / users, among_all / users};
}

void print_method(const char* name, const Data& data, const TrainedModel& model,
                  const std::vector<Cold>& cold) {
  const auto [alone, among_all] = recalls(data, model, cold);
  fmt::print("{:<14} placed {:>6}  recall@{} of cold products: alone {:.4f}  among all {:.4f}\n",
             name, cold.size(), k_cutoff, alone, among_all);
}

absl::Status run(const std::string& events, const std::string& products, const std::string& split) {
  VITRINE_ASSIGN_OR_RETURN(const Data data, read_data(events, products, split));
  VITRINE_ASSIGN_OR_RETURN(const TrainOutcome outcome,
                           train(data.train, {}, {}, SystemClock(), {}, {}, data.catalog));
  const TrainedModel& model = *outcome.model;
  std::vector<Cold> by_content, by_category;
  std::size_t unknown = 0;
  const auto means = category_means(model, data.catalog);
  for (const Product& product : data.catalog) {
    if (product.hidden || model.products().row(product.product_id)) continue;
    ++unknown;
    std::vector<float> vector(model.factors().dimension());
    if (model.content().place(product, vector)) by_content.push_back({product.product_id, vector});
    if (const auto mean = means.find(std::string(deepest_category(product))); mean != means.end())
      by_category.push_back({product.product_id, mean->second});
  }
  const auto metric = [&](const char* name) {
    const auto found = model.record().metrics.find(name);
    return found == model.record().metrics.end() ? 0 : found->second;
  };
  fmt::print("{} products unknown to training, bought by {} users; map: R2 {:.3f}, cosine {:.3f}\n",
             unknown, data.truth.size(), metric("content_r2"), metric("content_cosine"));
  print_method("content map", data, model, by_content);
  print_method("category mean", data, model, by_category);
  fmt::print("any order of them alone gives {:.4f}, leaving them out 0\n",
             static_cast<double>(k_cutoff) / static_cast<double>(std::max(unknown, k_cutoff)));
  return absl::OkStatus();
}

}  // namespace
}  // namespace vitrine::training

int main(int argc, char** argv) {
  const std::vector<std::string> given(argv + 1, argv + argc);
  const bool is_default = given.size() != 3;
  const absl::Status status =
      vitrine::training::run(is_default ? "examples/online_retail/events.csv.gz" : given[0],
                             is_default ? "examples/online_retail/items.csv.gz" : given[1],
                             is_default ? "2011-10-01" : given[2]);
  if (!status.ok()) fmt::print(stderr, "{}\n", vitrine::message_of(status));
  return status.ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
