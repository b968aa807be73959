// Who gets which offer under budgets: the most value that the expected cost allows.
//
//   maximise sum x_ij r_ij   subject to   sum x_ij c_ij <= B_b for each budget b,  sum_j x_ij <= 1
//
// by Lagrange multipliers: at a price lambda_b for each unit of budget, everybody takes the option
// of the largest r - (lambda_1 + ...) c, or none at 0. Spending falls as a price rises, so a budget
// alone is met by bisection, several by bisecting one after the other until they rest. What is left
// after that is spent on the best single exchanges. A decision for one person is the same formula
// with the prices of the last batch.
//
// Values and costs may be negative: an offer can lose orders, and it can save money. A cost is what
// is expected, P(redeemed) x face value, with those who would have bought anyway.
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vitrine::training {

// One offer that one person may get.
struct AllocationOption {
  std::uint32_t offer = 0;
  double value = 0;  // expected gain against no offer
  double cost = 0;   // expected cost against no offer
};

struct AllocationProblem {
  static constexpr std::size_t k_budgets_max = 64;

  std::vector<AllocationOption> options;  // person by person
  std::vector<std::size_t> ends;          // of each person's options
  // What each budget may pay; at least 0.
  std::vector<double> budgets;
  // The budgets that each offer draws from, its campaign's and the shop's, say. An offer without
  // budgets is free of limits.
  std::vector<std::vector<std::uint32_t>> budgets_of_offer;

  std::size_t people() const { return ends.size(); }
  std::span<const AllocationOption> options_of(std::size_t person) const {
    const std::size_t begin = person == 0 ? 0 : ends[person - 1];
    return {options.data() + begin, ends[person] - begin};
  }
};

struct Allocation {
  std::vector<std::optional<std::uint32_t>> chosen;  // by person, a place in its options
  std::vector<double> prices;                        // lambda of each budget
  std::vector<double> spent;                         // of each budget; never above it
  double value = 0;
  double bound = 0;  // no allocation is worth more
};

// The sum of the prices that an offer has to bear.
double price_of(std::span<const std::uint32_t> budgets, std::span<const double> prices);

// The place of the option worth most at these prices; none when nothing is worth more than 0. Of
// equal ones the cheaper, then the first.
std::optional<std::uint32_t> best_option(
    std::span<const AllocationOption> options,
    std::span<const std::vector<std::uint32_t>> budgets_of_offer, std::span<const double> prices);

// InvalidArgument: a number that is not finite, a budget below 0, an offer or a budget out of
// range.
absl::StatusOr<Allocation> allocate(const AllocationProblem& problem);

// Moves one price while a period goes on, so that its budget lasts until the end and not longer.
//
//   lambda <- max(0, lambda + rate x scale x (spent / due - 1))
//
// where `due` is what is left of the budget spread over the traffic that is still expected. The
// hard stop is the ledger, never this price. Thread-safety: one thread.
class Pacer {
 public:
  struct Options {
    double budget = 0;       // of the period; above 0
    double first_price = 0;  // the price at which the last batch or period ended
    double scale = 1;        // a typical value of an offer per unit of cost; above 0
    double rate = 0.05;      // how fast the price follows, in (0, 1]
    double ratio_max = 3;    // of spent to due, so that one strange interval moves little
  };

  // InvalidArgument: an option outside its range.
  static absl::StatusOr<Pacer> create(const Options& options);

  // After each interval: what it spent, the share of the period's traffic that was expected in it,
  // and the share expected after it. Returns the new price.
  double update(double spent, double expected_share, double share_left);

  double price() const { return price_; }
  double left() const { return left_; }

 private:
  explicit Pacer(const Options& options);

  Options options_;
  double price_;
  double left_;
};

}  // namespace vitrine::training
