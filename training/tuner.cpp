#include "training/tuner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/train_job.h"

namespace vitrine::training {
namespace {

constexpr std::uint32_t k_rungs = 3;
constexpr std::uint64_t k_hold_out_one_in = 10;

// FNV-1a: the same pair is on the same side on every machine.
std::uint64_t hash_of(const Interaction& one, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325U ^ seed;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3U;
    hash = (hash ^ 0xFFU) * 0x100000001B3U;
  };
  add(one.user);
  add(one.product);
  return mix64(hash);
}

// The time before which all but `share` of the interactions lie.
TimeMs newest_from(const InteractionList& interactions, double share) {
  std::vector<TimeMs> times;
  times.reserve(interactions.size());
  interactions.for_each([&](const Interaction& one) { times.push_back(one.time_ms); });
  const auto place = static_cast<std::ptrdiff_t>((1 - share) * static_cast<double>(times.size()));
  std::nth_element(times.begin(), times.begin() + place, times.end());
  return times[static_cast<std::size_t>(place)];
}

// Draws numbers on a logarithmic scale and choices from lists.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  // Rounded to two digits, so that a recipe can be read and typed.
  float log_uniform(double low, double high) {
    const double value = low * std::pow(high / low, random_.uniform());
    const double unit = std::pow(10.0, std::floor(std::log10(value)) - 1);
    return static_cast<float>(std::round(value / unit) * unit);
  }
  template <class T, std::size_t n>
  T one_of(const std::array<T, n>& choices) {
    return choices[random_.below(n)];
  }

 private:
  Random random_;
};

class Tuning {
 public:
  Tuning(const InteractionList& interactions, const TuneOptions& options,
         const TuneObserver& observer)
      : interactions_(interactions), options_(options), observer_(observer) {
    const auto [oldest, newest] = interactions.time_span();
    result_.cut.is_by_time = oldest < newest;
    if (result_.cut.is_by_time)
      result_.cut.from_ms = newest_from(interactions, options.validation_share);
  }

  absl::StatusOr<TuneResult> run() {
    const std::vector<std::uint32_t> rungs = rungs_of(options_.budget);
    for (const std::uint32_t runs : rungs) planned_ += runs;
    VITRINE_ASSIGN_OR_RETURN(const Split split, split_for(options_.base));
    result_.cut.users = split.fresh.users.size();
    std::vector<Recipe> recipes = draw(rungs.front(), split.train);
    std::vector<TuneRun> ranked;
    std::vector<TuneRun> left_behind;  // those of the latest rung first
    for (std::uint32_t rung = 0; rung < rungs.size(); ++rung) {
      recipes.resize(std::min<std::size_t>(recipes.size(), rungs[rung]));
      ranked.clear();
      for (Recipe recipe : recipes) {
        recipe.als.epochs = epochs_of(rung, static_cast<std::uint32_t>(rungs.size()));
        VITRINE_ASSIGN_OR_RETURN(TuneRun one, run_once(recipe, rung));
        ranked.push_back(one);
        result_.runs.push_back(std::move(one));
      }
      std::ranges::stable_sort(ranked, std::greater(), mean_ndcg);
      recipes.clear();
      for (const TuneRun& one : ranked) recipes.push_back(one.recipe);
      const std::size_t kept = rung + 1 < rungs.size() ? rungs[rung + 1] : ranked.size();
      left_behind.insert(
          left_behind.begin(),
          ranked.begin() + static_cast<std::ptrdiff_t>(std::min(kept, ranked.size())),
          ranked.end());
    }
    result_.leaderboard = std::move(ranked);
    result_.leaderboard.insert(result_.leaderboard.end(), left_behind.begin(), left_behind.end());
    for (TuneRun& one : result_.leaderboard) one = best_epochs_of(one);
    std::ranges::stable_sort(result_.leaderboard, std::greater(), mean_ndcg);
    return std::move(result_);
  }

 private:
  static double mean_ndcg(const TuneRun& run) { return run.ndcg.mean; }

  // The rungs are points of one curve: more epochs may well have ranked worse. Of equally good
  // runs the shortest.
  TuneRun best_epochs_of(const TuneRun& last) const {
    TuneRun best = last;
    for (const TuneRun& run : result_.runs) {
      Recipe same_length = run.recipe;
      same_length.als.epochs = last.recipe.als.epochs;
      const bool is_shorter = run.recipe.als.epochs < best.recipe.als.epochs;
      if (!is_same(same_length, last.recipe)) continue;
      if (run.ndcg.mean > best.ndcg.mean || (run.ndcg.mean == best.ndcg.mean && is_shorter))
        best = run;
    }
    return best;
  }

  // All of the last rung's, half of it before, a quarter before that.
  std::uint32_t epochs_of(std::uint32_t rung, std::uint32_t rungs) const {
    return std::max(1U, options_.base.als.epochs >> (rungs - 1 - rung));
  }

  absl::StatusOr<Split> split_for(const Recipe& recipe) const {
    DatasetOptions dataset;
    dataset.confidence = recipe.confidence;
    SplitBuilder builder(dataset);
    interactions_.for_each([&](const Interaction& one) {
      if (result_.cut.is_by_time) {
        builder.add_by_time(one, result_.cut.from_ms);
      } else if (hash_of(one, options_.seed) % k_hold_out_one_in == 0) {
        builder.add_test(one);
      } else {
        builder.add_train(one);
      }
    });
    VITRINE_ASSIGN_OR_RETURN(Split split, builder.build());
    if (split.fresh.users.empty())
      return failed_precondition("nothing to tune on: nobody has a new product in the newest part");
    return split;
  }

  // Which recipes are tried. lambda is drawn as if nu were 1 and then scaled, so that the
  // regularization of all users together does not depend on nu.
  std::vector<Recipe> draw(std::uint32_t count, const Dataset& train) const {
    Draw draw(options_.seed);
    std::vector<std::uint32_t> dimensions;
    for (const std::uint32_t dimension : {32U, 64U, 128U, 256U, 512U, 1024U}) {
      if (dimension <= options_.dimension_max) dimensions.push_back(dimension);
    }
    if (dimensions.empty()) dimensions.push_back(options_.dimension_max);
    std::vector<Recipe> recipes{options_.base};
    while (recipes.size() < count) {
      Recipe recipe = options_.base;
      FactorParameters& factors = recipe.als.factors;
      const float lambda = draw.log_uniform(3e-4, 0.1);
      factors.alpha0 = draw.log_uniform(0.003, 1);
      factors.nu = draw.one_of(std::array{1.0F, 1.0F, 0.75F, 0.5F});
      factors.lambda = scaled_lambda(lambda, factors, train);
      // Two draws of the larger half to one of the smaller: more numbers rarely hurt.
      const double place = std::sqrt(draw.one_of(std::array{0.1, 0.3, 0.5, 0.7, 0.9}));
      factors.dimension =
          dimensions[static_cast<std::size_t>(place * static_cast<double>(dimensions.size()))];
      const double half_life = draw.one_of(std::array{0.0, 30.0, 90.0, 180.0, 365.0});
      const double purchase_times = draw.one_of(std::array{0.0, 1.0, 1.0, 3.0});
      if (result_.cut.is_by_time) recipe.confidence.half_life_days = half_life;
      weigh(recipe.confidence, purchase_times);
      recipes.push_back(recipe);
    }
    return recipes;
  }

  // 0: every event alike; otherwise purchases count so many times what the base gives them.
  static void weigh(ConfidenceRule& rule, double purchase_times) {
    float& purchase = rule.weights[static_cast<std::size_t>(EventType::purchase)];
    purchase *= static_cast<float>(purchase_times);
    if (purchase_times > 0) return;
    purchase = 1;
    for (float& weight : rule.weights) weight = weight > 0 ? 1.0F : 0.0F;
  }

  static float scaled_lambda(float lambda, const FactorParameters& factors, const Dataset& train) {
    const double others = factors.alpha0 * static_cast<double>(train.products.size());
    double linear = 0;
    double scaled = 0;
    for (std::size_t user = 0; user < train.users.size(); ++user) {
      const double base = static_cast<double>(train.by_user.columns_of(user).size()) + others;
      linear += base;
      scaled += std::pow(base, factors.nu);
    }
    const double value = lambda * linear / scaled;
    const double unit = std::pow(10.0, std::floor(std::log10(value)) - 1);
    return static_cast<float>(std::round(value / unit) * unit);
  }

  absl::StatusOr<TuneRun> run_once(const Recipe& recipe, std::uint32_t rung) {
    const std::string key = arguments_of(recipe);
    const auto known = observer_.known.find(key);
    TuneRun one;
    if (known != observer_.known.end()) {
      one = known->second;
    } else {
      VITRINE_ASSIGN_OR_RETURN(one, train_and_judge(recipe));
    }
    one.key = key;
    one.recipe = recipe;
    one.rung = rung;
    ++done_;
    if (observer_.on_run) {
      VITRINE_RETURN_IF_ERROR(
          observer_.on_run(one, done_, planned_, known != observer_.known.end()));
    }
    return one;
  }

  absl::StatusOr<TuneRun> train_and_judge(const Recipe& recipe) const {
    const std::int64_t begin_us = steady_us();
    VITRINE_ASSIGN_OR_RETURN(const Split split, split_for(recipe));
    TrainOptions train_options;
    train_options.als = recipe.als;
    train_options.parts = TrainParts::factors;
    VITRINE_ASSIGN_OR_RETURN(const TrainOutcome trained,
                             train(split.train, train_options, {.name = "tuning"}, SystemClock(),
                                   {.on_epoch = {}, .on_stage = {}, .cancel = observer_.cancel}));
    VITRINE_ASSIGN_OR_RETURN(
        const Evaluation evaluation,
        evaluate(split, factor_ranking(split.train, trained.model),
                 {.cutoffs = {options_.cutoff}, .threads = recipe.als.threads}));
    const std::span<const float> series[] = {
        evaluation.by_user.at(fmt::format("ndcg@{}", options_.cutoff))};
    TuneRun one;
    one.ndcg = bootstrap_means(series).front();
    one.recall = evaluation.metrics.at(fmt::format("recall@{}", options_.cutoff));
    one.seconds = 1e-6 * static_cast<double>(steady_us() - begin_us);
    return one;
  }

  const InteractionList& interactions_;
  const TuneOptions& options_;
  const TuneObserver& observer_;
  TuneResult result_;
  std::size_t done_ = 0;
  std::size_t planned_ = 0;
};

}  // namespace

std::vector<std::uint32_t> rungs_of(std::uint32_t budget) {
  // n + n/3 + n/9 runs.
  const std::uint32_t widest = std::max(1U, budget * 9 / 13);
  std::vector<std::uint32_t> rungs;
  for (std::uint32_t runs = widest; rungs.size() < k_rungs && runs > 0; runs /= 3)
    rungs.push_back(runs);
  return rungs;
}

absl::StatusOr<TuneResult> tune(const InteractionList& interactions, const TuneOptions& options,
                                const TuneObserver& observer) {
  VITRINE_RETURN_IF_ERROR(validate(options.base.als));
  VITRINE_RETURN_IF_ERROR(validate(options.base.confidence));
  if (options.budget < 3 || options.budget > 10'000)
    return invalid_argument("budget must be between 3 and 10,000 runs, got {}", options.budget);
  if (!(options.validation_share > 0 && options.validation_share <= 0.5)) {
    return invalid_argument("the share to judge on must be above 0 and at most 0.5, got {}",
                            options.validation_share);
  }
  if (interactions.size() == 0) return failed_precondition("nothing to learn from: no interaction");
  return Tuning(interactions, options, observer).run();
}

}  // namespace vitrine::training
