#include "server/app/commands/session_rankings.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cmath>

#include "server/profiles/profile_book.h"
#include "server/profiles/session_book.h"
#include "server/recommend/next_products.h"

namespace vitrine::app {
namespace {

using Scores = absl::flat_hash_map<ProductNumber, double>;

// Best first, equal scores by product number; without `current`.
std::vector<ProductNumber> best_of(const Scores& scores, ProductNumber current, std::size_t limit) {
  std::vector<std::pair<double, ProductNumber>> order;
  order.reserve(scores.size());
  for (const auto& [product, score] : scores) {
    if (product != current) order.emplace_back(-score, product);
  }
  limit = std::min(limit, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(limit), order.end());
  std::vector<ProductNumber> best(limit);
  std::transform(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(limit), best.begin(),
                 [](const auto& entry) { return entry.second; });
  return best;
}

// The products of each session in the order of their first clicks.
class Sessions {
 public:
  // False when the session has the product already.
  bool add(const SessionClick& click) {
    if (click.session >= products_.size()) products_.resize(click.session + 1);
    std::vector<ProductNumber>& products = products_[click.session];
    if (std::ranges::find(products, click.product) != products.end()) return false;
    products.push_back(click.product);
    return true;
  }
  const std::vector<ProductNumber>& of(std::uint32_t session) const { return products_[session]; }
  std::size_t size() const { return products_.size(); }

 private:
  std::vector<std::vector<ProductNumber>> products_;
};

class Popularity final : public SessionRanking {
 public:
  std::string_view name() const override { return "popularity"; }
  void learn(const SessionClick& click) override {
    ++counts_[click.product];
    best_.clear();
  }
  std::vector<ProductNumber> next(std::uint32_t, std::span<const ProductNumber> clicks,
                                  std::size_t limit) override {
    if (best_.empty()) best_ = best_of(counts_, ProductNumber(UINT32_MAX), limit + 1);
    std::vector<ProductNumber> best = best_;
    std::erase(best, clicks.back());
    best.resize(std::min(best.size(), limit));
    return best;
  }

 private:
  Scores counts_;
  std::vector<ProductNumber> best_;
};

class Covisitation final : public SessionRanking {
 public:
  std::string_view name() const override { return "co-visitation"; }
  void learn(const SessionClick& click) override {
    std::vector<ProductNumber>& clicks = sessions_[click.session];
    for (std::size_t i = 0; i < clicks.size(); ++i) {
      if (clicks[i] == click.product) continue;
      const double near = 1.0 / static_cast<double>(clicks.size() - i);
      pairs_[clicks[i]][click.product] += near;
      pairs_[click.product][clicks[i]] += near;
    }
    clicks.push_back(click.product);
  }
  std::vector<ProductNumber> next(std::uint32_t, std::span<const ProductNumber> clicks,
                                  std::size_t limit) override {
    const auto found = pairs_.find(clicks.back());
    if (found == pairs_.end()) return {};
    return best_of(found->second, clicks.back(), limit);
  }

 private:
  absl::flat_hash_map<std::uint32_t, std::vector<ProductNumber>> sessions_;
  absl::flat_hash_map<ProductNumber, Scores> pairs_;
};

class PlainVmisKnn final : public SessionRanking {
 public:
  std::string_view name() const override { return "plain VMIS-kNN"; }
  void learn(const SessionClick& click) override {
    std::vector<std::uint32_t>& holding = holding_[click.product];
    if (!sessions_.add(click)) std::erase(holding, click.session);
    holding.push_back(click.session);
  }
  std::vector<ProductNumber> next(std::uint32_t session, std::span<const ProductNumber> clicks,
                                  std::size_t limit) override {
    std::vector<ProductNumber> steps;  // newest first
    for (std::size_t i = clicks.size(); i-- > 0;) {
      if (std::ranges::find(steps, clicks[i]) == steps.end()) steps.push_back(clicks[i]);
    }
    Scores scores;
    for (const auto& [alike, neighbor] : neighbors(steps, session)) {
      const std::vector<ProductNumber>& products = sessions_.of(neighbor);
      const auto shared = std::ranges::find_if(steps, [&](ProductNumber step) {
        return std::ranges::find(products, step) != products.end();
      });
      const double match =
          1 - 0.1 * static_cast<double>(std::min<std::ptrdiff_t>(10, shared - steps.begin()));
      for (const ProductNumber product : products) {
        scores[product] += alike * match *
                           std::log(static_cast<double>(sessions_.size()) /
                                    static_cast<double>(holding_[product].size()));
      }
    }
    return best_of(scores, clicks.back(), limit);
  }

 private:
  static constexpr std::size_t k_sessions_max = 500;
  static constexpr std::size_t k_neighbors_max = 100;
  using Neighbors = std::vector<std::pair<double, std::uint32_t>>;

  Neighbors neighbors(std::span<const ProductNumber> steps, std::uint32_t own) const {
    absl::flat_hash_map<std::uint32_t, double> alike;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto holding = holding_.find(steps[i]);
      if (holding == holding_.end()) continue;
      std::size_t looked_at = 0;
      for (auto other = holding->second.rbegin();
           other != holding->second.rend() && looked_at < k_sessions_max; ++other) {
        if (*other == own) continue;
        ++looked_at;
        alike[*other] += static_cast<double>(steps.size() - i) / static_cast<double>(steps.size());
      }
    }
    Neighbors order;
    for (const auto& [other, weight] : alike) order.emplace_back(weight, other);
    std::ranges::sort(order, std::greater<>());
    order.resize(std::min(order.size(), k_neighbors_max));
    return order;
  }

  Sessions sessions_;
  absl::flat_hash_map<ProductNumber, std::vector<std::uint32_t>> holding_;  // oldest first
};

class ServedNextProducts final : public SessionRanking {
 public:
  explicit ServedNextProducts(catalog::ProductNumbers& numbers)
      : numbers_(numbers), book_(numbers) {}
  std::string_view name() const override { return "session"; }
  void learn(const SessionClick& click) override {
    Event event;
    event.event_id = std::to_string(++entries_);
    event.type = EventType::view;
    event.time_ms = click.time_ms;
    event.session_id = std::to_string(click.session);
    event.product_id = std::string(numbers_.id_of(click.product));
    LogEntry entry;
    entry.position = entries_;
    entry.committed_ms = click.time_ms;
    entry.what = std::move(event);
    book_.apply(entry);
  }
  std::vector<ProductNumber> next(std::uint32_t session, std::span<const ProductNumber> clicks,
                                  std::size_t limit) override {
    recommend::find_next_products(book_, clicks,
                                  book_.find(profiles::session_key_of(std::to_string(session))),
                                  limit, found_);
    std::vector<ProductNumber> best(found_.size());
    std::ranges::transform(found_, best.begin(), &recommend::NextProduct::product);
    return best;
  }

 private:
  catalog::ProductNumbers& numbers_;
  profiles::SessionBook book_;
  Position entries_ = 0;
  std::vector<recommend::NextProduct> found_;
};

}  // namespace

std::unique_ptr<SessionRanking> session_popularity() { return std::make_unique<Popularity>(); }
std::unique_ptr<SessionRanking> session_covisitation() { return std::make_unique<Covisitation>(); }
std::unique_ptr<SessionRanking> plain_vmis_knn() { return std::make_unique<PlainVmisKnn>(); }
std::unique_ptr<SessionRanking> served_next_products(catalog::ProductNumbers& numbers) {
  return std::make_unique<ServedNextProducts>(numbers);
}

}  // namespace vitrine::app
