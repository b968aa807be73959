#include "training/evaluator.h"

#include <algorithm>
#include <atomic>
#include <limits>
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

// Sums over some users, by cutoff.
struct Sums {
  explicit Sums(std::size_t cutoffs) : qualities(cutoffs) {}

  void add(std::size_t cutoff, const ListQuality& quality) {
    ListQuality& sum = qualities[cutoff];
    sum.recall += quality.recall;
    sum.recall_min += quality.recall_min;
    sum.ndcg += quality.ndcg;
    sum.hr += quality.hr;
    sum.mrr += quality.mrr;
  }
  std::vector<ListQuality> qualities;
};

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
  VITRINE_RETURN_IF_ERROR(check(options));
  const std::int64_t begin_us = steady_us();
  const bool excludes = options.repeats == Repeats::excluded;
  const TestSet& test = excludes ? split.fresh : split.repeats;
  if (test.users.empty())
    return failed_precondition("no user of the test set has a product to be judged by");
  const std::size_t cutoffs = options.cutoffs.size();
  const std::size_t longest = *std::max_element(options.cutoffs.begin(), options.cutoffs.end());

  Shown shown(cutoffs, split.train.products.size());
  std::vector<Sums> sums((test.users.size() + k_users_a_piece - 1) / k_users_a_piece,
                         Sums(cutoffs));
  for_each_piece(sums.size(), options.threads, [&](std::size_t piece) {
    std::vector<std::uint32_t> ranked;
    const std::size_t last = std::min(test.users.size(), (piece + 1) * k_users_a_piece);
    for (std::size_t i = piece * k_users_a_piece; i < last; ++i) {
      const std::uint32_t user = test.users[i];
      ranked.clear();
      rank(user, longest,
           excludes ? split.train.seen_by_user.columns_of(user) : std::span<const std::uint32_t>{},
           ranked);
      for (std::size_t c = 0; c < cutoffs; ++c) {
        sums[piece].add(c, list_quality(ranked, test.products.columns_of(i), options.cutoffs[c]));
        const std::size_t count = std::min(options.cutoffs[c], ranked.size());
        for (std::size_t place = 0; place < count; ++place) shown.mark(c, ranked[place]);
      }
    }
  });

  Evaluation evaluation;
  evaluation.users = test.users.size();
  evaluation.pairs = test.pair_count();
  Sums total(cutoffs);
  for (const Sums& piece : sums) {
    for (std::size_t c = 0; c < cutoffs; ++c) total.add(c, piece.qualities[c]);
  }
  const auto users = static_cast<double>(evaluation.users);
  for (std::size_t c = 0; c < cutoffs; ++c) {
    const std::string at = fmt::format("@{}", options.cutoffs[c]);
    const ListQuality& sum = total.qualities[c];
    evaluation.metrics["recall" + at] = sum.recall / users;
    evaluation.metrics["recall_min" + at] = sum.recall_min / users;
    evaluation.metrics["ndcg" + at] = sum.ndcg / users;
    evaluation.metrics["hr" + at] = sum.hr / users;
    evaluation.metrics["mrr" + at] = sum.mrr / users;
    evaluation.metrics["coverage" + at] = shown.share(c);
  }
  evaluation.wall_seconds = 1e-6 * static_cast<double>(steady_us() - begin_us);
  return evaluation;
}

}  // namespace vitrine::training
