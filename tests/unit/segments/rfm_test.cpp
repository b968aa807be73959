// Scores against their definition, and against what a real shop's customers did next.
#include "server/segments/rfm.h"

#include <gmock/gmock.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "base/inflate.h"
#include "base/random.h"

namespace vitrine::segments {
namespace {

TEST(RfmTest, EqualValuesHaveEqualScoresAndFifthsAreOffByTiesAtMost) {
  Random random(7);
  for (const std::size_t people :
       {std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{1001}}) {
    std::vector<RfmFigures> buyers;
    std::map<double, std::size_t> ties;
    for (std::size_t i = 0; i < people; ++i) {
      buyers.push_back({.recency_days = static_cast<double>(random.below(50)),
                        .frequency = static_cast<double>(1 + random.below(9)),
                        .monetary = static_cast<double>(random.below(1'000'000))});
      ++ties[buyers.back().frequency];
    }
    const RfmBounds bounds = rfm_bounds(buyers, 0);
    std::array<std::size_t, 6> counts{};
    for (const RfmFigures& buyer : buyers)
      ++counts.at(static_cast<std::size_t>(rfm_scores(buyer, bounds)->monetary));
    for (int score = 1; score <= 5; ++score) {
      EXPECT_NEAR(static_cast<double>(counts.at(static_cast<std::size_t>(score))),
                  static_cast<double>(people) / 5, 1.01)
          << people;
    }
    std::map<double, int> score_of;
    for (const RfmFigures& buyer : buyers) {
      const int score = rfm_scores(buyer, bounds)->frequency;
      EXPECT_EQ(score_of.try_emplace(buyer.frequency, score).first->second, score);
    }
  }
}

TEST(RfmTest, FiguresAreOfTheLatestYearAndOfTheLatestCurrency) {
  constexpr TimeMs k_now_ms = 1000 * k_day_ms;
  const auto order = [&](TimeMs days_ago, std::int64_t minor, std::string_view currency) {
    return profiles::OrderSum{
        .time_ms = k_now_ms - days_ago * k_day_ms,
        .order_key = static_cast<std::uint64_t>(days_ago),
        .net = {.minor = minor, .currency = profiles::currency_code_of(currency)}};
  };
  const std::vector<profiles::OrderSum> orders = {order(400, 1000, "EUR"), order(200, 500, "USD"),
                                                  order(100, 700, "EUR"), order(3, 900, "EUR")};
  const RfmFigures figures = *rfm_figures(orders, k_now_ms);
  EXPECT_EQ(figures.recency_days, 3);
  EXPECT_EQ(figures.frequency, 3);
  EXPECT_EQ(figures.monetary, 1600);
  EXPECT_FALSE(rfm_figures({}, k_now_ms).has_value());
  EXPECT_FALSE(rfm_scores(figures, RfmBounds{}).has_value()) << "nobody has bought yet";
}

TEST(RfmTest, EveryScoreIsInOneGroupAndOneCell) {
  std::set<std::string_view> groups = {k_prospects};
  std::set<std::string_view> cells;
  for (int r = 1; r <= 5; ++r) {
    for (int f = 1; f <= 5; ++f) {
      for (int m = 1; m <= 5; ++m) {
        const RfmScores scores{.recency = r, .frequency = f, .monetary = m};
        for (const std::size_t orders : {std::size_t{1}, std::size_t{5}}) {
          groups.insert(rfm_group_of(scores, orders));
        }
        cells.insert(rfm_cell_of(scores).name);
      }
    }
  }
  EXPECT_EQ(groups.size(), rfm_groups().size());
  EXPECT_EQ(cells.size(), rfm_cells().size());
  EXPECT_EQ(rfm_group_of({5, 5, 5}, 9), "champions");
  EXPECT_EQ(rfm_group_of({5, 1, 2}, 1), "new");
  EXPECT_EQ(rfm_group_of({1, 5, 5}, 9), "at_risk");
  EXPECT_EQ(rfm_group_of({}, 0), k_prospects);
  EXPECT_EQ(rfm_cell_of({5, 5, 5}).chinese, "重要价值");
  EXPECT_EQ(rfm_cell_of({1, 1, 5}).chinese, "重要挽留");
}

// What each buyer of the example did before a day, and whether they bought within days after it.
class Customers {
 public:
  Customers(TimeMs as_of_ms, TimeMs days_after)
      : as_of_ms_(as_of_ms), until_ms_(as_of_ms + days_after * k_day_ms) {
    std::ifstream file(ONLINE_RETAIL "/events.csv.gz", std::ios::binary);
    const std::string packed{std::istreambuf_iterator<char>(file), {}};
    const auto text = inflate(packed, std::size_t{256} << 20);
    EXPECT_TRUE(text.ok()) << text.status();
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) take(line);
  }

  struct Customer {
    std::map<std::string, profiles::OrderSum> orders;
    bool bought_again = false;
  };
  const std::map<std::string, Customer>& all() const { return customers_; }

 private:
  void take(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
    if (cells.size() < 9 || cells[2].empty() || cells[6] != "purchase") return;
    const TimeMs time_ms = *parse_time(cells[1]);
    if (time_ms >= until_ms_) return;
    if (time_ms >= as_of_ms_) {
      again_.insert(cells[2]);
      if (const auto found = customers_.find(cells[2]); found != customers_.end())
        found->second.bought_again = true;
      return;
    }
    profiles::OrderSum& order = customers_[cells[2]].orders[cells[4]];
    order.time_ms = time_ms;
    order.net.currency = profiles::currency_code_of("GBP");
    order.net.minor += parse_money(cells[8], "GBP")->minor * std::stoll(cells[7]);
  }

  TimeMs as_of_ms_;
  TimeMs until_ms_;
  std::map<std::string, Customer> customers_;
  std::set<std::string> again_;
};

struct Share {
  double people = 0;
  double again = 0;
  void add(bool bought_again) {
    ++people;
    again += bought_again ? 1 : 0;
  }
  double value() const { return again / people; }
};

// The figures of a study of the same data made elsewhere, in another language.
TEST(RfmTest, ScoresSayWhoOfARealShopBuysAgain) {
  const TimeMs as_of_ms = *parse_time("2011-10-01");
  const Customers customers(as_of_ms, 58);
  std::vector<RfmFigures> buyers;
  std::vector<const Customers::Customer*> of;
  for (const auto& [id, customer] : customers.all()) {
    std::vector<profiles::OrderSum> orders;
    for (const auto& [key, order] : customer.orders) orders.push_back(order);
    std::ranges::sort(orders, {}, &profiles::OrderSum::time_ms);
    buyers.push_back(*rfm_figures(orders, as_of_ms));
    of.push_back(&customer);
  }
  ASSERT_GT(buyers.size(), 3'000U);
  const RfmBounds bounds = rfm_bounds(buyers, as_of_ms);
  std::array<Share, 6> by_recency;
  Share once;
  Share often;
  for (std::size_t i = 0; i < buyers.size(); ++i) {
    by_recency.at(static_cast<std::size_t>(rfm_scores(buyers[i], bounds)->recency))
        .add(of[i]->bought_again);
    if (of[i]->orders.size() == 1) once.add(of[i]->bought_again);
    if (of[i]->orders.size() >= 6) often.add(of[i]->bought_again);
  }
  constexpr double k_within = 0.02;
  const std::array<double, 6> known = {0, .234, .343, .497, .622, .609};
  for (std::size_t score = 1; score <= 5; ++score) {
    EXPECT_NEAR(by_recency.at(score).value(), known.at(score), k_within) << "recency " << score;
  }
  EXPECT_NEAR(once.value(), .279, k_within);
  EXPECT_NEAR(often.value(), .848, k_within);
}

}  // namespace
}  // namespace vitrine::segments
