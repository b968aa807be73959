#include "training/evaluator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "training/metrics.h"
#include "training/parallel.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_users_a_piece = 16;
constexpr float k_not_shown = -std::numeric_limits<float>::infinity();

// The best `k` finite scores: a heap whose top is the worst one kept.
void best_of(std::span<const float> scores, std::size_t k, std::vector<std::uint32_t>& best) {
  const auto is_better = [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  for (std::uint32_t product = 0; product < scores.size(); ++product) {
    if (scores[product] == k_not_shown) continue;
    if (best.size() == k) {
      if (!is_better(product, best.front())) continue;
      std::pop_heap(best.begin(), best.end(), is_better);
      best.pop_back();
    }
    best.push_back(product);
    std::push_heap(best.begin(), best.end(), is_better);
  }
  std::sort(best.begin(), best.end(), is_better);
}

// Who is asked, and what is right.
struct Judged {
  const TestSet& test;
  const SparseRows* excluded;  // by user; null: everything is ranked
  const Dataset& train;        // popularity is counted here
};

constexpr std::array<const char*, 7> k_user_metrics{"recall", "recall_min", "ndcg",   "hr",
                                                    "mrr",    "popularity", "novelty"};

// What one list adds to the means, in the order of k_user_metrics.
std::array<double, k_user_metrics.size()> numbers_of(std::span<const std::uint32_t> ranked,
                                                     std::span<const std::uint32_t> truth,
                                                     std::size_t k,
                                                     std::span<const double> shares) {
  const ListQuality quality = list_quality(ranked, truth, k);
  double popularity = 0;
  double novelty = 0;
  const std::size_t shown = std::min(k, ranked.size());
  for (std::size_t place = 0; place < shown; ++place) {
    popularity += shares[ranked[place]];
    novelty -= std::log2(shares[ranked[place]]);
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, shown));
  return {quality.recall, quality.recall_min, quality.ndcg,   quality.hr,
          quality.mrr,    popularity / count, novelty / count};
}

// By product: the share of training users who have it. One nobody has counts as half a user, so
// that its novelty is a number.
std::vector<double> user_shares(const Dataset& train) {
  const auto users = static_cast<double>(std::max<std::size_t>(1, train.users.size()));
  std::vector<double> shares(train.products.size());
  for (std::size_t product = 0; product < shares.size(); ++product) {
    const auto count = static_cast<double>(train.by_product.columns_of(product).size());
    shares[product] = std::max(count, 0.5) / users;
  }
  return shares;
}

// By cutoff and product: whether it was shown to anybody. Written by all threads, always the same
// value.
class Shown {
 public:
  Shown(std::size_t cutoffs, std::size_t products)
      : products_(products), flags_(cutoffs * products) {}

  void mark(std::size_t cutoff, std::uint32_t product) {
    flags_[cutoff * products_ + product].store(true, std::memory_order_relaxed);
  }
  double share(std::size_t cutoff) const {
    const auto first = flags_.begin() + static_cast<std::ptrdiff_t>(cutoff * products_);
    const auto count = std::count_if(first, first + static_cast<std::ptrdiff_t>(products_),
                                     [](const std::atomic<bool>& flag) { return flag.load(); });
    return static_cast<double>(count) / static_cast<double>(products_);
  }

 private:
  std::size_t products_;
  std::vector<std::atomic<bool>> flags_;
};

absl::Status check(const EvaluationOptions& options) {
  if (options.cutoffs.empty()) return invalid_argument("k must name at least one cutoff");
  for (const std::size_t k : options.cutoffs) {
    if (k < 1 || k > 1000) return invalid_argument("k must be between 1 and 1000, got {}", k);
  }
  return absl::OkStatus();
}

// By user the numbers, by cutoff what was shown.
Evaluation judge_lists(const Judged& judged, const RankFunction& rank,
                       const EvaluationOptions& options) {
  const TestSet& test = judged.test;
  const std::size_t cutoffs = options.cutoffs.size();
  const std::size_t longest = *std::max_element(options.cutoffs.begin(), options.cutoffs.end());
  const std::vector<double> shares = user_shares(judged.train);

  Evaluation evaluation;
  std::vector<std::vector<float>*> columns;  // by cutoff, then in the order of k_user_metrics
  for (const std::size_t k : options.cutoffs) {
    for (const char* name : k_user_metrics) {
      columns.push_back(&evaluation.by_user[fmt::format("{}@{}", name, k)]);
      columns.back()->resize(test.users.size());
    }
  }
  Shown shown(cutoffs, judged.train.products.size());
  const std::size_t pieces = (test.users.size() + k_users_a_piece - 1) / k_users_a_piece;
  for_each_piece(pieces, options.threads, [&](std::size_t piece) {
    std::vector<std::uint32_t> ranked;
    const std::size_t last = std::min(test.users.size(), (piece + 1) * k_users_a_piece);
    for (std::size_t i = piece * k_users_a_piece; i < last; ++i) {
      const std::uint32_t user = test.users[i];
      ranked.clear();
      rank(user, longest,
           judged.excluded != nullptr ? judged.excluded->columns_of(user)
                                      : std::span<const std::uint32_t>{},
           ranked);
      for (std::size_t c = 0; c < cutoffs; ++c) {
        const auto numbers =
            numbers_of(ranked, test.products.columns_of(i), options.cutoffs[c], shares);
        for (std::size_t m = 0; m < numbers.size(); ++m)
          (*columns[c * numbers.size() + m])[i] = static_cast<float>(numbers[m]);
        const std::size_t count = std::min(options.cutoffs[c], ranked.size());
        for (std::size_t place = 0; place < count; ++place) shown.mark(c, ranked[place]);
      }
    }
  });
  for (std::size_t c = 0; c < cutoffs; ++c)
    evaluation.metrics[fmt::format("coverage@{}", options.cutoffs[c])] = shown.share(c);
  return evaluation;
}

absl::StatusOr<Evaluation> judge(const Judged& judged, const RankFunction& rank,
                                 const EvaluationOptions& options) {
  VITRINE_RETURN_IF_ERROR(check(options));
  const std::int64_t begin_us = steady_us();
  if (judged.test.users.empty())
    return failed_precondition("no user of the test set has a product to be judged by");
  Evaluation evaluation = judge_lists(judged, rank, options);
  evaluation.users = judged.test.users.size();
  evaluation.pairs = judged.test.pair_count();
  evaluation.user_numbers = judged.test.users;
  for (const auto& [name, numbers] : evaluation.by_user) {
    const double sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
    evaluation.metrics[name] = sum / static_cast<double>(evaluation.users);
  }
  evaluation.wall_seconds = 1e-6 * static_cast<double>(steady_us() - begin_us);
  return evaluation;
}

}  // namespace

RankFunction ranking_by_score(ScoreFunction score, std::size_t product_count) {
  return [score = std::move(score), product_count](std::uint32_t user, std::size_t k,
                                                   std::span<const std::uint32_t> excluded,
                                                   std::vector<std::uint32_t>& ranked) {
    thread_local std::vector<float> scores;
    scores.assign(product_count, 0);
    score(user, scores);
    for (const std::uint32_t product : excluded) scores[product] = k_not_shown;
    best_of(scores, k, ranked);
  };
}

absl::StatusOr<Evaluation> evaluate(const Split& split, const RankFunction& rank,
                                    const EvaluationOptions& options) {
  const bool excludes = options.repeats == Repeats::excluded;
  return judge({.test = excludes ? split.fresh : split.repeats,
                .excluded = excludes ? &split.train.seen_by_user : nullptr,
                .train = split.train},
               rank, options);
}

absl::StatusOr<Evaluation> evaluate_cold(const Split& split, const Dataset& view,
                                         const RankFunction& rank,
                                         const EvaluationOptions& options) {
  return judge({.test = split.cold, .excluded = &view.seen_by_user, .train = split.train}, rank,
               options);
}

}  // namespace vitrine::training
