#include "training/uplift/allocation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/status.h"
#include "training/uplift/allocation_core.h"

namespace vitrine::training {
namespace {

constexpr int k_bisections = 60;
constexpr int k_sweeps_max = 30;       // over several budgets
constexpr double k_sweep_gain = 1e-4;  // of a price, below which a sweep changes nothing
constexpr double k_price_max = 1e18;
constexpr double k_price_precision = 1e-10;  // relative
// Kept free by exchanges, of a budget: summing in another order may round by less.
constexpr double k_rounding_room = 1e-9;
constexpr int k_exchange_rounds = 20;

absl::Status check(const AllocationProblem& problem) {
  if (problem.budgets.size() > AllocationProblem::k_budgets_max) {
    return invalid_argument("at most {} budgets, got {}", AllocationProblem::k_budgets_max,
                            problem.budgets.size());
  }
  for (std::size_t b = 0; b < problem.budgets.size(); ++b) {
    if (!(problem.budgets[b] >= 0) || !std::isfinite(problem.budgets[b]))
      return invalid_argument("budget {} must be at least 0, got {}", b, problem.budgets[b]);
  }
  for (std::size_t offer = 0; offer < problem.budgets_of_offer.size(); ++offer) {
    const std::vector<std::uint32_t>& budgets = problem.budgets_of_offer[offer];
    for (const std::uint32_t budget : budgets) {
      if (budget >= problem.budgets.size()) {
        return invalid_argument("offer {} draws from budget {} of {}", offer, budget,
                                problem.budgets.size());
      }
      if (std::ranges::count(budgets, budget) > 1)
        return invalid_argument("offer {} draws from budget {} twice", offer, budget);
    }
  }
  if (!std::ranges::is_sorted(problem.ends) ||
      (problem.ends.empty() ? 0 : problem.ends.back()) != problem.options.size())
    return invalid_argument("the ends do not divide {} options", problem.options.size());
  for (const AllocationOption& option : problem.options) {
    if (option.offer >= problem.budgets_of_offer.size()) {
      return invalid_argument("offer {} of {}", option.offer, problem.budgets_of_offer.size());
    }
    if (!std::isfinite(option.value) || !std::isfinite(option.cost)) {
      return invalid_argument("offer {}: value {} and cost {} must be finite", option.offer,
                              option.value, option.cost);
    }
  }
  return absl::OkStatus();
}

// See best_option; `price(offer)` is what an offer has to bear.
template <class Price>
std::optional<std::uint32_t> best_by(std::span<const AllocationOption> options,
                                     const Price& price) {
  std::optional<std::uint32_t> best;
  double best_score = 0;
  double best_cost = 0;  // of no offer
  for (std::uint32_t place = 0; place < options.size(); ++place) {
    const AllocationOption& option = options[place];
    const double score = option.value - price(option.offer) * option.cost;
    if (score > best_score || (score == best_score && option.cost < best_cost)) {
      best = place;
      best_score = score;
      best_cost = option.cost;
    }
  }
  return best;
}

class Allocator {
 public:
  explicit Allocator(const AllocationProblem& problem) : problem_(problem) {
    result_.prices.resize(problem.budgets.size());
    result_.chosen.resize(problem.people());
  }

  Allocation run() && {
    find_prices();
    result_.bound = bound();
    choose();
    repair();
    exchange();
    repair();  // does nothing, unless costs of both signs cancelled to the last digit
    improve_by_core(problem_, CoreLimits{}, result_);
    return std::move(result_);
  }

 private:
  std::span<const std::uint32_t> budgets_of(const AllocationOption& option) const {
    return problem_.budgets_of_offer[option.offer];
  }

  std::optional<std::uint32_t> best_of(std::size_t person) const {
    return best_option(problem_.options_of(person), problem_.budgets_of_offer, result_.prices);
  }

  double spending_of(std::size_t budget) const {
    std::vector<double> offer_prices;
    std::vector<bool> is_charged;
    for (const std::vector<std::uint32_t>& budgets : problem_.budgets_of_offer) {
      offer_prices.push_back(price_of(budgets, result_.prices));
      is_charged.push_back(std::ranges::count(budgets, budget) > 0);
    }
    double spent = 0;
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      const auto options = problem_.options_of(person);
      const std::optional<std::uint32_t> best =
          best_by(options, [&](std::uint32_t offer) { return offer_prices[offer]; });
      if (best && is_charged[options[*best].offer]) spent += options[*best].cost;
    }
    return spent;
  }

  // The least price from `least` on at which `budget` is kept, with the other prices as they are.
  void bisect(std::size_t budget, double least) {
    double& price = result_.prices[budget];
    const double limit = problem_.budgets[budget];
    price = least;
    if (spending_of(budget) <= limit) return;
    double low = least;
    double high = std::max(1.0, 4 * least);
    for (price = high; spending_of(budget) > limit && high < k_price_max; price = high) {
      low = high;
      high *= 4;
    }
    for (int i = 0; i < k_bisections && high - low > k_price_precision * high; ++i) {
      price = (low + high) / 2;
      (spending_of(budget) > limit ? low : high) = price;
    }
    price = high;
  }

  // Sweeps until the prices rest. Prices found later may have moved people to budgets met before:
  // those are then met again by prices that only rise.
  void find_prices() {
    for (int sweep = 0; sweep < k_sweeps_max; ++sweep) {
      const std::vector<double> before = result_.prices;
      for (std::size_t budget = 0; budget < before.size(); ++budget) bisect(budget, 0);
      if (before.size() < 2 || change_since(before) < k_sweep_gain) return;
    }
    for (int sweep = 0; sweep < k_sweeps_max; ++sweep) {
      const std::vector<double> before = result_.prices;
      for (std::size_t budget = 0; budget < before.size(); ++budget)
        bisect(budget, result_.prices[budget]);
      if (change_since(before) == 0) return;
    }
  }

  // The largest relative change of a price.
  double change_since(const std::vector<double>& before) const {
    double change = 0;
    for (std::size_t b = 0; b < before.size(); ++b) {
      change = std::max(
          change, std::abs(result_.prices[b] - before[b]) / std::max(1e-300, result_.prices[b]));
    }
    return change;
  }

  // The Lagrangian at the prices bounds every allocation from above.
  double bound() const {
    double sum = 0;
    for (std::size_t b = 0; b < result_.prices.size(); ++b)
      sum += result_.prices[b] * problem_.budgets[b];
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      const std::optional<std::uint32_t> best = best_of(person);
      if (!best) continue;
      const AllocationOption& option = problem_.options_of(person)[*best];
      sum += option.value - price_of(budgets_of(option), result_.prices) * option.cost;
    }
    return sum;
  }

  void choose() {
    for (std::size_t person = 0; person < problem_.people(); ++person)
      result_.chosen[person] = best_of(person);
    add_up();
  }

  // Sums anew, in one order, so that what is reported is what was compared with the budgets.
  void add_up() {
    result_.spent.assign(problem_.budgets.size(), 0);
    result_.value = 0;
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      if (!result_.chosen[person]) continue;
      const AllocationOption& option = problem_.options_of(person)[*result_.chosen[person]];
      result_.value += option.value;
      for (const std::uint32_t budget : budgets_of(option)) result_.spent[budget] += option.cost;
    }
  }

  bool is_over() const {
    for (std::size_t b = 0; b < problem_.budgets.size(); ++b) {
      if (result_.spent[b] > problem_.budgets[b]) return true;
    }
    return false;
  }

  // One exchange of what a person has: what it changes.
  struct Exchange {
    std::size_t person = 0;
    std::optional<std::uint32_t> to;
    double value = 0;
    double price = 0;  // at the found prices, of the budget it takes
  };

  // Spending of each budget after `exchange`.
  std::vector<double> spent_after(const Exchange& exchange) const {
    std::vector<double> spent = result_.spent;
    const auto options = problem_.options_of(exchange.person);
    if (const auto from = result_.chosen[exchange.person]) {
      for (const std::uint32_t b : budgets_of(options[*from])) spent[b] -= options[*from].cost;
    }
    if (exchange.to) {
      for (const std::uint32_t b : budgets_of(options[*exchange.to]))
        spent[b] += options[*exchange.to].cost;
    }
    return spent;
  }

  // By how much all budgets are overdrawn together.
  double overdraft(const std::vector<double>& spent) const {
    double sum = 0;
    for (std::size_t b = 0; b < spent.size(); ++b)
      sum += std::max(0.0, spent[b] - problem_.budgets[b]);
    return sum;
  }

  template <class Take>
  void for_each_exchange(const Take& take) const {
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      const auto options = problem_.options_of(person);
      const auto from = result_.chosen[person];
      const double value = from ? options[*from].value : 0;
      const double price = from ? priced(options[*from]) : 0;
      if (from) take(Exchange{person, std::nullopt, -value, -price});
      for (std::uint32_t to = 0; to < options.size(); ++to) {
        if (from == to) continue;
        take(Exchange{person, to, options[to].value - value, priced(options[to]) - price});
      }
    }
  }

  double priced(const AllocationOption& option) const {
    return price_of(budgets_of(option), result_.prices) * option.cost;
  }

  // Several prices need not meet all budgets at once: gives up what costs the least value for each
  // unit of overdraft, until none is left. Choosing nothing at all is always within the budgets.
  void repair() {
    while (is_over()) {
      const double before = overdraft(result_.spent);
      std::optional<Exchange> best;
      double best_rate = -std::numeric_limits<double>::infinity();
      for_each_exchange([&](const Exchange& exchange) {
        const double saved = before - overdraft(spent_after(exchange));
        if (!(saved > 0)) return;
        const double rate = exchange.value / saved;
        if (rate > best_rate) {
          best_rate = rate;
          best = exchange;
        }
      });
      if (!best) {
        std::ranges::fill(result_.chosen, std::nullopt);
      } else {
        result_.chosen[best->person] = best->to;
      }
      add_up();
    }
  }

  // Spends what is left: the exchanges that lose least against the bound, as long as they fit.
  void exchange() {
    for (int round = 0; round < k_exchange_rounds; ++round) {
      std::vector<Exchange> gains;
      // Whatever loses more against the bound than there is to win cannot help.
      const double gap = result_.bound - result_.value;
      for_each_exchange([&](const Exchange& exchange) {
        if (exchange.value > 0 && exchange.price - exchange.value <= gap) gains.push_back(exchange);
      });
      std::ranges::stable_sort(gains, [](const Exchange& a, const Exchange& b) {
        return a.value - a.price > b.value - b.price;
      });
      bool has_changed = false;
      std::vector<bool> is_done(problem_.people());
      for (const Exchange& exchange : gains) {
        if (is_done[exchange.person]) continue;
        const std::vector<double> spent = spent_after(exchange);
        if (!has_room(spent)) continue;
        result_.chosen[exchange.person] = exchange.to;
        result_.spent = spent;
        is_done[exchange.person] = true;
        has_changed = true;
      }
      add_up();
      if (!has_changed) return;
    }
  }

  bool has_room(const std::vector<double>& spent) const {
    for (std::size_t b = 0; b < spent.size(); ++b) {
      if (spent[b] > problem_.budgets[b] * (1 - k_rounding_room)) return false;
    }
    return true;
  }

  const AllocationProblem& problem_;
  Allocation result_;
};

}  // namespace

double price_of(std::span<const std::uint32_t> budgets, std::span<const double> prices) {
  double sum = 0;
  for (const std::uint32_t budget : budgets) sum += prices[budget];
  return sum;
}

std::optional<std::uint32_t> best_option(
    std::span<const AllocationOption> options,
    std::span<const std::vector<std::uint32_t>> budgets_of_offer, std::span<const double> prices) {
  return best_by(options,
                 [&](std::uint32_t offer) { return price_of(budgets_of_offer[offer], prices); });
}

absl::StatusOr<Allocation> allocate(const AllocationProblem& problem) {
  VITRINE_RETURN_IF_ERROR(check(problem));
  return Allocator(problem).run();
}

Pacer::Pacer(const Options& options)
    : options_(options), price_(options.first_price), left_(options.budget) {}

absl::StatusOr<Pacer> Pacer::create(const Options& options) {
  if (!(options.budget > 0))
    return invalid_argument("budget must be above 0, got {}", options.budget);
  if (!(options.first_price >= 0))
    return invalid_argument("first_price must be at least 0, got {}", options.first_price);
  if (!(options.scale > 0)) return invalid_argument("scale must be above 0, got {}", options.scale);
  if (!(options.rate > 0 && options.rate <= 1))
    return invalid_argument("rate must be in (0, 1], got {}", options.rate);
  if (!(options.ratio_max > 1))
    return invalid_argument("ratio_max must be above 1, got {}", options.ratio_max);
  return Pacer(options);
}

double Pacer::update(double spent, double expected_share, double share_left) {
  const double due = left_ * expected_share / std::max(1e-12, expected_share + share_left);
  left_ -= spent;
  const double ratio =
      due > 0 ? std::min(spent / due, options_.ratio_max) : (spent > 0 ? options_.ratio_max : 1);
  price_ = std::max(0.0, price_ + options_.rate * options_.scale * (ratio - 1));
  return price_;
}

}  // namespace vitrine::training
