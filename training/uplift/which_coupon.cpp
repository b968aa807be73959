#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>

#include "base/random.h"
#include "base/status.h"
#include "training/uplift/coupon_ranker.h"
#include "training/uplift/redemption_study.h"

namespace vitrine::training {
namespace {

enum RankingName : std::uint8_t { k_personal, k_popular, k_bought, k_random, k_ranking_count };
constexpr std::array<const char*, k_ranking_count> k_names = {"personal", "popular",
                                                              "bought before", "random"};

// How one redemption was ranked.
struct Rank {
  std::uint32_t person = 0;
  std::string type;
  double candidates = 0;
  std::array<double, k_ranking_count> hit{};
  std::array<double, k_ranking_count> reciprocal{};
};

std::vector<std::uint32_t> candidates_of(const CouponBooks& books, std::uint32_t person, Day day) {
  std::vector<std::uint32_t> candidates;
  for (const std::uint32_t campaign : books.campaigns_of[person]) {
    for (const std::uint32_t coupon : books.campaigns[campaign].coupons) {
      if (books.coupons[coupon].valid_from <= day && day <= books.coupons[coupon].valid_to)
        candidates.push_back(coupon);
    }
  }
  return candidates;
}

// Fills hit and reciprocal rank; equal scores share their places.
void judge(std::span<const double> scores, std::size_t taken, std::size_t cutoff, double& hit,
           double& reciprocal) {
  const double score = scores[taken];
  const auto above = std::ranges::count_if(scores, [&](double s) { return s > score; });
  const auto equal = std::ranges::count(scores, score);
  hit = 0;
  reciprocal = 0;
  for (auto place = above + 1; place <= above + equal; ++place) {
    hit += static_cast<std::size_t>(place) <= cutoff ? 1 : 0;
    reciprocal += 1 / static_cast<double>(place);
  }
  hit /= static_cast<double>(equal);
  reciprocal /= static_cast<double>(equal);
}

class Replay {
 public:
  Replay(const CouponBooks& books, const StudyOptions& options)
      : books_(books),
        options_(options),
        ranker_(books, {.ridge = options.which_ridge, .refit_days = options.which_refit_days}) {}

  // Redemptions of one day are all ranked before the first of them is learnt from.
  std::vector<Rank> run() && {
    for (const CouponBooks::Redemption& redemption : books_.redemptions) {
      const std::vector<std::uint32_t> candidates =
          candidates_of(books_, redemption.person, redemption.day);
      const auto taken = std::ranges::find(candidates, redemption.coupon);
      if (taken == candidates.end()) continue;  // outside the person's campaigns or its validity
      ranker_.advance(redemption.day);
      Choice choice = ranker_.describe(redemption.person, candidates);
      choice.taken = static_cast<std::size_t>(taken - candidates.begin());
      if (redemption.day >= options_.from) ranks_.push_back(rank(redemption, candidates, choice));
      ranker_.learn(candidates, std::move(choice));
    }
    return std::move(ranks_);
  }

 private:
  Rank rank(const CouponBooks::Redemption& redemption, std::span<const std::uint32_t> candidates,
            const Choice& choice) const {
    const CouponHistory& history = ranker_.history();
    std::array<std::vector<double>, k_ranking_count> scores;
    scores[k_personal] = ranker_.scores(choice);
    for (const std::uint32_t coupon : candidates) {
      scores[k_popular].push_back(history.redemptions_of(coupon));
      scores[k_bought].push_back(history.covered_purchases(redemption.person, coupon));
      scores[k_random].push_back(0);
    }
    Rank rank;
    rank.person = redemption.person;
    rank.type = books_.campaigns[books_.coupons[redemption.coupon].campaign].type;
    rank.candidates = static_cast<double>(candidates.size());
    for (std::size_t r = 0; r < k_ranking_count; ++r)
      judge(scores[r], choice.taken, options_.cutoff, rank.hit[r], rank.reciprocal[r]);
    return rank;
  }

  const CouponBooks& books_;
  const StudyOptions& options_;
  CouponRanker ranker_;
  std::vector<Rank> ranks_;
};

// Means over redemptions, people drawn with all of theirs.
class PersonBootstrap {
 public:
  explicit PersonBootstrap(std::span<const Rank* const> ranks) {
    std::map<std::uint32_t, std::vector<std::size_t>> of;
    for (std::size_t i = 0; i < ranks.size(); ++i) of[ranks[i]->person].push_back(i);
    for (auto& [person, own] : of) of_person_.push_back(std::move(own));
  }

  Interval mean_of(const std::vector<double>& values, const BootstrapOptions& options) const {
    std::vector<double> means;
    for (std::uint32_t draw = 0; draw < options.resamples; ++draw) {
      Random random(mix64(options.seed + mix64(draw)));
      double sum = 0;
      double count = 0;
      for (std::size_t i = 0; i < of_person_.size(); ++i) {
        for (const std::size_t own : of_person_[random.below(of_person_.size())]) {
          sum += values[own];
          ++count;
        }
      }
      means.push_back(sum / count);
    }
    double sum = 0;
    for (const double value : values) sum += value;
    return percentile_interval(sum / static_cast<double>(values.size()), means, options.level);
  }

 private:
  std::vector<std::vector<std::size_t>> of_person_;
};

WhichCoupon::Part part_of(const std::string& type, std::span<const Rank* const> ranks,
                          const BootstrapOptions& options) {
  WhichCoupon::Part part;
  part.type = type;
  part.redemptions = ranks.size();
  const PersonBootstrap bootstrap(ranks);
  for (const Rank* rank : ranks) part.candidates += rank->candidates;
  part.candidates /= static_cast<double>(ranks.size());
  for (std::size_t r = 0; r < k_ranking_count; ++r) {
    std::vector<double> hits;
    std::vector<double> reciprocals;
    for (const Rank* rank : ranks) {
      hits.push_back(rank->hit[r]);
      reciprocals.push_back(rank->reciprocal[r]);
    }
    part.rankings.push_back(
        {k_names[r], bootstrap.mean_of(hits, options), bootstrap.mean_of(reciprocals, options)});
  }
  return part;
}

}  // namespace

absl::StatusOr<WhichCoupon> study_which_coupon(const CouponBooks& books,
                                               const StudyOptions& options) {
  const std::vector<Rank> ranks = Replay(books, options).run();
  if (ranks.empty()) return invalid_argument("no coupon was redeemed from the split on");
  std::vector<const Rank*> all;
  std::map<std::string, std::vector<const Rank*>> by_type;
  for (const Rank& rank : ranks) {
    all.push_back(&rank);
    by_type[rank.type].push_back(&rank);
  }
  WhichCoupon result;
  result.parts.push_back(part_of("", all, options.bootstrap));
  for (const auto& [type, some] : by_type)
    result.parts.push_back(part_of(type, some, options.bootstrap));
  return result;
}

}  // namespace vitrine::training
