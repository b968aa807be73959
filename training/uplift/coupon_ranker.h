// Which coupon somebody would redeem: learnt from what was redeemed before, and from what not.
//
// Two conditional logits, learnt anew every few days. The first knows tastes and coupons, but not
// what became of a coupon so far. Its chances, summed over all choices that a coupon was part of,
// say how often the coupon was to be expected; its appeal is how often it was redeemed against
// that. The second knows the appeal, too. A count alone would praise a coupon for having been
// offered to many, and praise twice what everybody buys anyway.
// Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "training/uplift/choice_model.h"
#include "training/uplift/coupon_books.h"
#include "training/uplift/coupon_history.h"

namespace vitrine::training {

struct CouponRankerOptions {
  double ridge = 10;   // of both models, in choices; above 0
  Day refit_days = 7;  // between two refits; at least 1
};

class CouponRanker {
 public:
  // `books` outlives the ranker.
  CouponRanker(const CouponBooks& books, const CouponRankerOptions& options);

  // Takes in what happened and what was learnt before `day`. Days only go forward.
  void advance(Day day);

  // What is known of each candidate for this person. No candidates give no values.
  Choice describe(std::uint32_t person, std::span<const std::uint32_t> candidates) const;
  // Larger is more likely; in the order of the candidates.
  std::vector<double> scores(const Choice& choice) const;
  // `choice` as described on this day, with the candidate that was taken: known from the next day
  // that is advanced to.
  void learn(std::span<const std::uint32_t> candidates, Choice choice);

  // Logarithm of redemptions against expected ones, both drawn towards each other as by one: 0 for
  // a coupon of which nothing is known.
  double appeal(std::uint32_t coupon) const;

  const CouponHistory& history() const { return history_; }

 private:
  struct Facts {
    double covered_types = 0;
    double own_brand_share = 0;  // of the covered products
  };
  struct Tally {
    double redeemed = 0;
    double expected = 0;
  };

  void refit();

  const CouponBooks& books_;
  CouponRankerOptions options_;
  CouponHistory history_;
  std::vector<Facts> facts_;     // by coupon
  std::vector<Tally> tallies_;   // by coupon, of the days before
  std::vector<Tally> of_today_;  // what to add to them
  std::vector<std::uint32_t> touched_;
  std::vector<Choice> choices_;
  std::vector<Choice> plain_choices_;  // without appeal
  std::size_t known_choices_ = 0;      // of the days before
  bool is_fitted_ = false;
  Day fitted_ = 0;
  ChoiceModel model_;
  ChoiceModel plain_model_;
};

}  // namespace vitrine::training
