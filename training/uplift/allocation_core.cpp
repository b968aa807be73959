#include "training/uplift/allocation_core.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace vitrine::training {
namespace {

using Choice = std::optional<std::uint32_t>;

// One way to decide for the people seen so far.
struct State {
  double loss = 0;              // of the bound, at the prices
  std::uint32_t parent = 0;     // among the states before
  std::uint32_t deviation = 0;  // place in the person's choices; 0 is the best one
};

struct Deviation {
  Choice to;
  double loss = 0;
};

struct CorePerson {
  std::size_t person = 0;
  std::vector<Deviation> choices;  // by rising loss; the first has none
};

class CoreSearch {
 public:
  CoreSearch(const AllocationProblem& problem, const CoreLimits& limits, Allocation& allocation)
      : problem_(problem),
        limits_(limits),
        allocation_(allocation),
        budgets_(problem.budgets.size()) {}

  void run() {
    pick_core();
    grow();
    if (const std::optional<std::size_t> best = best_final()) adopt(*best);
  }

 private:
  double score_of(const AllocationOption& option) const {
    return option.value -
           price_of(problem_.budgets_of_offer[option.offer], allocation_.prices) * option.cost;
  }

  // All choices of a person with what they lose.
  CorePerson choices_of(std::size_t person) const {
    const auto options = problem_.options_of(person);
    const Choice best = best_option(options, problem_.budgets_of_offer, allocation_.prices);
    const double best_score = best ? score_of(options[*best]) : 0;
    CorePerson core{.person = person, .choices = {{best, 0}}};
    if (best) core.choices.push_back({std::nullopt, best_score});
    for (std::uint32_t place = 0; place < options.size(); ++place) {
      if (best != place) core.choices.push_back({place, best_score - score_of(options[place])});
    }
    std::ranges::stable_sort(core.choices, {}, &Deviation::loss);
    return core;
  }

  void pick_core() {
    const double gap = allocation_.bound - allocation_.value;
    start_.assign(budgets_, 0);
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      CorePerson core = choices_of(person);
      add_cost(person, core.choices.front().to, 1, start_.data());
      if (core.choices.size() > 1 && core.choices[1].loss < gap) core_.push_back(std::move(core));
    }
    std::ranges::stable_sort(core_, {}, [](const CorePerson& one) { return one.choices[1].loss; });
    if (core_.size() > limits_.people) core_.resize(limits_.people);
  }

  void add_cost(std::size_t person, Choice choice, double sign, double* spent) const {
    if (!choice) return;
    const AllocationOption& option = problem_.options_of(person)[*choice];
    for (const std::uint32_t b : problem_.budgets_of_offer[option.offer])
      spent[b] += sign * option.cost;
  }

  void grow() {
    layers_.assign(1, {State{}});
    spent_ = start_;
    for (const CorePerson& core : core_) {
      std::vector<State> next;
      std::vector<double> next_spent;
      const std::vector<State>& states = layers_.back();
      const double gap = allocation_.bound - allocation_.value;
      for (std::uint32_t parent = 0; parent < states.size(); ++parent) {
        for (std::uint32_t d = 0; d < core.choices.size(); ++d) {
          const double loss = states[parent].loss + core.choices[d].loss;
          if (loss >= gap) break;  // choices rise in loss
          next.push_back({loss, parent, d});
          next_spent.insert(next_spent.end(), spent_.begin() + offset(parent),
                            spent_.begin() + offset(parent + 1));
          double* const spent = next_spent.data() + (next_spent.size() - budgets_);
          add_cost(core.person, core.choices[0].to, -1, spent);
          add_cost(core.person, core.choices[d].to, 1, spent);
        }
      }
      keep_best(next, next_spent);
      layers_.push_back(std::move(next));
      spent_ = std::move(next_spent);
    }
  }

  std::ptrdiff_t offset(std::size_t state) const {
    return static_cast<std::ptrdiff_t>(state * budgets_);
  }

  // The most that a state can still be worth falls with its loss, but only those that come to
  // spend what there is become worth it: half of the places go to the least loss, half to the least
  // loss with what is not spent, at its price.
  void keep_best(std::vector<State>& states, std::vector<double>& spent) const {
    if (states.size() <= limits_.states) return;
    std::vector<std::uint32_t> order(states.size());
    std::iota(order.begin(), order.end(), 0U);
    std::vector<double> worth(states.size());
    for (std::size_t i = 0; i < states.size(); ++i)
      worth[i] = value_of(states[i], spent.data() + i * budgets_);
    const auto half = static_cast<std::ptrdiff_t>(limits_.states / 2);
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return states[i].loss; });
    std::stable_sort(order.begin() + half, order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return worth[a] > worth[b]; });
    order.resize(limits_.states);
    std::vector<State> kept;
    std::vector<double> kept_spent;
    for (const std::uint32_t i : order) {
      kept.push_back(states[i]);
      kept_spent.insert(kept_spent.end(), spent.begin() + offset(i), spent.begin() + offset(i + 1));
    }
    states = std::move(kept);
    spent = std::move(kept_spent);
  }

  // Value of the whole allocation if the rest keeps its best options; -infinity over a budget.
  double value_of(const State& state, const double* spent) const {
    double value = allocation_.bound - state.loss;
    for (std::size_t b = 0; b < budgets_; ++b) {
      if (spent[b] > problem_.budgets[b]) return -std::numeric_limits<double>::infinity();
      value -= allocation_.prices[b] * (problem_.budgets[b] - spent[b]);
    }
    return value;
  }

  std::optional<std::size_t> best_final() const {
    std::optional<std::size_t> best;
    double best_value = allocation_.value;
    for (std::size_t i = 0; i < layers_.back().size(); ++i) {
      const double value = value_of(layers_.back()[i], spent_.data() + i * budgets_);
      if (value > best_value) {
        best_value = value;
        best = i;
      }
    }
    return best;
  }

  // Takes a state over, unless summing in order of the people rounds above a budget.
  void adopt(std::size_t state) {
    Allocation found = allocation_;
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      found.chosen[person] =
          best_option(problem_.options_of(person), problem_.budgets_of_offer, allocation_.prices);
    }
    for (std::size_t layer = core_.size(); layer > 0; --layer) {
      const State& at = layers_[layer][state];
      found.chosen[core_[layer - 1].person] = core_[layer - 1].choices[at.deviation].to;
      state = at.parent;
    }
    found.spent.assign(budgets_, 0);
    found.value = 0;
    for (std::size_t person = 0; person < problem_.people(); ++person) {
      if (!found.chosen[person]) continue;
      found.value += problem_.options_of(person)[*found.chosen[person]].value;
      add_cost(person, found.chosen[person], 1, found.spent.data());
    }
    for (std::size_t b = 0; b < budgets_; ++b) {
      if (found.spent[b] > problem_.budgets[b]) return;
    }
    if (found.value > allocation_.value) allocation_ = std::move(found);
  }

  const AllocationProblem& problem_;
  const CoreLimits& limits_;
  Allocation& allocation_;
  std::size_t budgets_;
  std::vector<CorePerson> core_;
  std::vector<double> start_;  // spent when everybody has the best option
  std::vector<std::vector<State>> layers_;
  std::vector<double> spent_;  // of the last layer, budgets_ numbers a state
};

}  // namespace

void improve_by_core(const AllocationProblem& problem, const CoreLimits& limits,
                     Allocation& allocation) {
  if (allocation.value >= limits.good_enough * allocation.bound) return;
  CoreSearch(problem, limits, allocation).run();
}

}  // namespace vitrine::training
