// The fast ranking is judged by a slow twin that recounts everything from plain lists of clicks.
#include "server/recommend/next_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <span>

#include "base/random.h"
#include "server/profiles/profile_book.h"

namespace vitrine::recommend {
namespace {

using profiles::SessionBook;

struct PlainClick {
  int session;
  std::uint32_t product;
  TimeMs time_ms;
};

// Sums as the formula says, occurrence by occurrence.
class SlowTwin {
 public:
  SlowTwin(const std::vector<PlainClick>& all, const NextProductsOptions& options)
      : options_(options) {
    for (const PlainClick& click : all) {
      auto& session = sessions_[click.session];
      last_[{click.session, click.product}] = click.time_ms;
      if (session.empty() || session.back() != click.product) session.push_back(click.product);
    }
    std::erase_if(sessions_, [](const auto& entry) { return entry.second.size() < 2; });
  }

  // Of a session that is not in the book.
  std::map<std::uint32_t, double> scores(const std::vector<std::uint32_t>& clicks) const {
    std::vector<std::pair<std::uint32_t, double>> steps;
    double weight = 1;
    for (auto click = clicks.rbegin(); click != clicks.rend(); ++click) {
      if (steps.size() == options_.steps_max) break;
      const bool is_known =
          std::ranges::any_of(steps, [&](const auto& step) { return step.first == *click; });
      if (!is_known) steps.emplace_back(*click, weight);
      weight *= options_.step_decay;
    }
    std::map<std::uint32_t, double> scores;
    std::size_t places = 0;
    for (const int neighbor : neighbors(steps)) {
      if (places >= options_.neighbor_places_max) break;
      places += sessions_.at(neighbor).size();
      for (const auto& [product, worth] : heard(sessions_.at(neighbor), steps)) {
        if (worth > 0) scores[product] += worth;
      }
    }
    cross_bridges(scores);
    double best = 0;
    for (auto& [product, score] : scores) {
      score *= std::log1p(static_cast<double>(sessions_.size()) /
                          static_cast<double>(holding(product).size()));
      best = std::max(best, score);
    }
    for (std::size_t i = 1; i < steps.size() && !scores.empty(); ++i) {
      scores[steps[i].first] += best * options_.return_weight *
                                std::pow(options_.return_decay, static_cast<double>(i - 1));
    }
    scores.erase(clicks.back());
    return scores;
  }

 private:
  using Steps = std::vector<std::pair<std::uint32_t, double>>;

  std::vector<int> holding(std::uint32_t product) const {  // latest first
    std::vector<std::pair<TimeMs, int>> order;
    for (const auto& [number, clicks] : sessions_) {
      if (std::ranges::find(clicks, product) != clicks.end()) {
        order.emplace_back(-last_.at({number, product}), number);
      }
    }
    std::ranges::sort(order);
    std::vector<int> sessions;
    for (const auto& entry : order) sessions.push_back(entry.second);
    return sessions;
  }

  std::vector<int> neighbors(const Steps& steps) const {
    std::map<int, double> alike;
    std::map<int, TimeMs> newest;
    for (const auto& [product, weight] :
         std::span(steps).first(std::min(steps.size(), options_.asked_steps_max))) {
      auto sessions = holding(product);
      sessions.resize(std::min(sessions.size(), options_.sessions_of_step_max));
      for (const int session : sessions) {
        alike[session] += weight;
        newest.try_emplace(session, last_.at({session, product}));
      }
    }
    std::vector<std::tuple<double, TimeMs, int>> order;
    for (const auto& [session, sum] : alike) order.emplace_back(-sum, -newest[session], session);
    std::ranges::sort(order);
    std::vector<int> best;
    for (const auto& entry : order) {
      if (best.size() < options_.neighbors_max) best.push_back(std::get<2>(entry));
    }
    return best;
  }

  static double kernel(std::ptrdiff_t distance, double decay, double before, double itself) {
    if (distance == 0) return itself;
    return (distance > 0 ? 1.0 : before) *
           std::pow(decay, static_cast<double>(std::abs(distance) - 1));
  }

  std::map<std::uint32_t, double> heard(const std::vector<std::uint32_t>& clicks,
                                        const Steps& steps) const {
    std::map<std::uint32_t, double> best;
    for (std::size_t at = 0; at < clicks.size(); ++at) {
      double worth = 0;
      for (std::size_t from = 0; from < clicks.size(); ++from) {
        for (const auto& [product, weight] : steps) {
          if (clicks[from] != product) continue;
          worth +=
              weight * kernel(static_cast<std::ptrdiff_t>(at) - static_cast<std::ptrdiff_t>(from),
                              options_.distance_decay, options_.before, options_.itself);
        }
      }
      best[clicks[at]] = std::max(best[clicks[at]], worth);
    }
    return best;
  }

  void cross_bridges(std::map<std::uint32_t, double>& scores) const {
    std::vector<std::pair<double, std::uint32_t>> bridges;
    for (const auto& [product, score] : scores) bridges.emplace_back(-score, product);
    std::ranges::sort(bridges);
    bridges.resize(std::min(bridges.size(), options_.bridges_max));
    const auto reach = static_cast<std::ptrdiff_t>(options_.bridge_reach);
    std::size_t places = 0;
    for (const auto& [negative, bridge] : bridges) {
      auto sessions = holding(bridge);
      sessions.resize(std::min(sessions.size(), options_.sessions_of_bridge_max));
      const double weight =
          options_.bridge_weight * -negative /
          std::pow(static_cast<double>(sessions.size()), options_.bridge_share_power);
      for (const int session : sessions) {
        if (places >= options_.bridge_places_max) return;
        const auto& clicks = sessions_.at(session);
        std::ptrdiff_t from = 0;
        for (std::size_t i = 0; i < clicks.size(); ++i) {
          if (clicks[i] == bridge) from = static_cast<std::ptrdiff_t>(i);
        }
        std::map<std::uint32_t, double> best;
        for (std::size_t at = 0; at < clicks.size(); ++at) {
          if (std::abs(static_cast<std::ptrdiff_t>(at) - from) > reach) continue;
          ++places;
          best[clicks[at]] =
              std::max(best[clicks[at]],
                       weight * kernel(static_cast<std::ptrdiff_t>(at) - from,
                                       options_.bridge_distance_decay, options_.bridge_before, 0));
        }
        for (const auto& [product, worth] : best) {
          if (worth > 0) scores[product] += worth;
        }
      }
    }
  }

  NextProductsOptions options_;
  std::map<int, std::vector<std::uint32_t>> sessions_;
  std::map<std::pair<int, std::uint32_t>, TimeMs> last_;
};

class NextProductsTest : public ::testing::Test {
 protected:
  NextProductsTest() {
    for (std::uint32_t i = 0; i < 60; ++i) numbers_.number_of(std::to_string(i));
  }

  void click(int session, std::uint32_t product) {
    Event event;
    event.event_id = std::to_string(++position_);
    event.time_ms = static_cast<TimeMs>(position_) * 1000;
    event.session_id = std::to_string(session);
    event.product_id = std::to_string(product);
    clicks_.push_back({session, product, event.time_ms});
    LogEntry entry;
    entry.position = position_;
    entry.committed_ms = event.time_ms;
    entry.what = std::move(event);
    book_.apply(entry);
  }

  std::vector<NextProduct> next(const std::vector<std::uint32_t>& clicks, std::size_t limit = 100,
                                const NextProductsOptions& options = {}) {
    std::vector<ProductNumber> numbers;
    for (const std::uint32_t product : clicks) numbers.emplace_back(product);
    std::vector<NextProduct> found;
    find_next_products(book_, numbers, std::nullopt, limit, found, options);
    return found;
  }

  void expect_like_twin(const std::vector<std::uint32_t>& clicks,
                        const NextProductsOptions& options) {
    const auto expected = SlowTwin(clicks_, options).scores(clicks);
    const auto found = next(clicks, 100, options);
    ASSERT_EQ(found.size(), expected.size());
    for (const NextProduct& product : found) {
      const auto twin = expected.find(product.product.value());
      ASSERT_NE(twin, expected.end()) << product.product.value();
      EXPECT_NEAR(product.score, twin->second, 1e-4 * std::max(1.0, twin->second));
    }
    EXPECT_TRUE(std::ranges::is_sorted(found, std::greater<>(), &NextProduct::score));
  }

  catalog::ProductNumbers numbers_;
  SessionBook book_{numbers_};
  std::vector<PlainClick> clicks_;
  Position position_ = 0;
};

TEST_F(NextProductsTest, CountsAsTheSlowTwinDoes) {
  Random random(11);
  // People wander between neighbouring products, and jump now and then.
  for (int i = 0; i < 1500; ++i) {
    const int session = i / 30 * 5 + static_cast<int>(random.below(5));
    const auto shelf = static_cast<std::uint32_t>(session % 6 * 10);
    click(session,
          (shelf + static_cast<std::uint32_t>(random.below(random.below(5) == 0 ? 60 : 8))) % 60);
  }
  NextProductsOptions patient;  // a limit that falls among equals falls otherwise in the twin
  patient.bridge_places_max = 100'000;
  NextProductsOptions narrow;
  narrow.sessions_of_step_max = 7;
  narrow.neighbors_max = 9;
  narrow.steps_max = 3;
  narrow.bridges_max = 4;
  narrow.sessions_of_bridge_max = 3;
  NextProductsOptions frugal;
  frugal.asked_steps_max = 2;
  frugal.neighbor_places_max = 40;
  frugal.bridge_reach = 1;
  frugal.bridge_places_max = 25;
  for (int round = 0; round < 30; ++round) {
    std::vector<std::uint32_t> clicks;
    for (std::uint64_t i = random.below(8) + 1; i > 0; --i) {
      const auto product = static_cast<std::uint32_t>(random.below(60));
      if (clicks.empty() || clicks.back() != product) clicks.push_back(product);
    }
    expect_like_twin(clicks, patient);
    expect_like_twin(clicks, narrow);
    expect_like_twin(clicks, frugal);
  }
}

TEST_F(NextProductsTest, KnowsNothingOfProductsWithoutSessions) {
  click(1, 1);
  EXPECT_TRUE(next({1}).empty());
  EXPECT_TRUE(next({42}).empty());
  EXPECT_TRUE(next({}).empty());
}

TEST_F(NextProductsTest, LearnsAClickForTheVeryNextCall) {
  click(1, 1);
  click(1, 2);
  ASSERT_EQ(next({1}).size(), 1U);
  click(2, 1);
  click(2, 3);
  click(3, 1);
  click(3, 3);
  EXPECT_EQ(next({1}).front().product, ProductNumber(3));
}

TEST_F(NextProductsTest, PrefersWhatFollowsAndWhatIsNear) {
  for (int session = 1; session < 4; ++session) {
    for (const std::uint32_t product : {5U, 6U, 7U, 8U, 9U}) click(session, product);
  }
  const auto found = next({6});
  std::vector<std::uint32_t> order;
  for (const NextProduct& product : found) order.push_back(product.product.value());
  EXPECT_THAT(order, testing::ElementsAre(7, 5, 8, 9));
}

TEST_F(NextProductsTest, IsNotItsOwnNeighbor) {
  click(1, 1);
  click(1, 2);
  click(1, 1);
  std::vector<NextProduct> found;
  const std::vector<ProductNumber> clicks = {ProductNumber(1), ProductNumber(2), ProductNumber(1)};
  find_next_products(book_, clicks, book_.find(profiles::session_key_of("1")), 10, found);
  EXPECT_TRUE(found.empty());
}

TEST_F(NextProductsTest, GivesTheBestOfAllWhenAskedForFew) {
  for (int session = 1; session < 9; ++session) {
    click(session, 1);
    for (std::uint32_t step = 0; step < 3; ++step) {
      click(session, 2 + (static_cast<std::uint32_t>(session) * 3 + step) % 10);
    }
  }
  const auto all = next({1});
  const auto few = next({1}, 3);
  ASSERT_EQ(few.size(), 3U);
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].product, all[i].product);
}

}  // namespace
}  // namespace vitrine::recommend
