// How well redemptions are foretold: who redeems what was granted, and which coupon of many is the
// one that is redeemed.
//
// Both go through the books day by day, learn from what came before each day, and are judged on the
// days from a split on. Intervals are over people drawn with replacement. Same books, same answer.
// Thread-safe; starts no threads.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "training/bootstrap.h"
#include "training/uplift/coupon_books.h"

namespace vitrine::training {

struct StudyOptions {
  Day from = 0;  // what happened from this day on is judged
  double who_ridge = 100;
  double which_ridge = 10;
  Day which_refit_days = 7;
  std::size_t cutoff = 10;
  BootstrapOptions bootstrap = {.resamples = 200};
};

// Grants, each with the chance that it is redeemed, said on the day it was granted.
struct WhoRedeems {
  struct Ranking {
    std::string name;
    Interval auc;
    Interval top_decile;  // share of the redeemed among the tenth of the grants ranked first
  };
  std::uint64_t grants = 0;
  std::uint64_t redeemed = 0;
  double expected = 0;            // sum of the chances: redeemed, if they are right
  std::vector<Ranking> rankings;  // "personal" first, then what costs nothing
};

// Each redemption, ranked among all coupons valid that day in the campaigns of the person.
struct WhichCoupon {
  struct Ranking {
    std::string name;
    Interval hit;              // share of redemptions within the cutoff
    Interval reciprocal_rank;  // mean of 1 / rank
  };
  struct Part {
    std::string type;  // of the campaign; empty: all
    std::uint64_t redemptions = 0;
    double candidates = 0;  // mean
    std::vector<Ranking> rankings;
  };
  std::vector<Part> parts;  // all, then by type
};

// InvalidArgument: nothing to judge from the split on, or nothing redeemed or nothing unredeemed.
absl::StatusOr<WhoRedeems> study_who_redeems(const CouponBooks& books, const StudyOptions& options);

// InvalidArgument: no redemption from the split on.
absl::StatusOr<WhichCoupon> study_which_coupon(const CouponBooks& books,
                                               const StudyOptions& options);

}  // namespace vitrine::training
