// Who of many people gets which granted offer of a campaign, so that what is expected of it is most
// and its budgets hold.
//
// What an offer brings and costs is what recommendations expect (coupon_scores.h); once the
// campaign's earlier decisions can teach it, what it brings is learnt uplift instead. People of the
// holdout get what they would have got, as ghosts. Changes nothing. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/coupons/campaign_budgets.h"
#include "server/coupons/coupon_recommender.h"
#include "server/coupons/desk.h"
#include "server/coupons/grant_jobs.h"
#include "server/coupons/uplift_inputs.h"
#include "server/segments/segment_engine.h"
#include "training/uplift/allocation_batch.h"

namespace vitrine::coupons {

struct AllocationQuestion {
  std::string campaign = {};
  std::string segment = {};  // whose members; empty: the campaign's audience
  std::string round = "1";
  std::string market = {};               // whose amounts count; empty: those of any market
  std::string currency = {};             // empty: that of most of the offers
  std::vector<std::string> offers = {};  // empty: all granted ones of the campaign
};

struct CampaignAllocation {
  std::string currency = {};
  std::vector<std::string> offers = {};  // by the numbers of the batch
  struct LeftOut {
    std::string offer = {};
    Reason reason = Reason::expired;
  };
  std::vector<LeftOut> left_out = {};

  std::uint64_t people = 0;         // that were asked about
  std::uint64_t considered = 0;     // of these: nothing kept them from a coupon but an assignment
  std::uint64_t offered = 0;        // of those considered
  std::uint64_t holdout = 0;        // likewise
  std::uint64_t control_group = 0;  // likewise
  std::uint64_t had_it = 0;         // decided about in the round already
  std::uint64_t fatigue = 0;        // had enough new coupons this week
  std::uint64_t gone = 0;           // erased, or no users

  CampaignBudgets budgets = {};
  training::BatchAllocation batch = {};
  LearnedUplift uplift = {};
  std::string policy = {};
  // One for each offer that somebody gets, ghosts included; without segment, round and allocation.
  std::vector<GrantJobs::Plan> plans = {};
};

class Allocator {
 public:
  static constexpr std::size_t k_people_max = 200'000;  // people of one allocation
  static constexpr std::size_t k_offers_max = 10;
  static constexpr std::string_view k_affinity_policy = "allocation";

  struct Parts {                           // all outlive it
    recommend::Recommender::Parts people;  // as coupons are recommended to them
    CouponRecommender& recommender;
    const Desk& desk;
    const segments::SegmentEngine& segments;
    const UpliftSource* uplift = nullptr;  // null: nothing is learnt
    std::size_t people_max = k_people_max;
  };
  explicit Allocator(const Parts& parts) : parts_(parts) {}

  // What can be said at once. NotFound: no such campaign, segment or offer. Unavailable: the
  // segment is being built. InvalidArgument: too many offers, or one that is not of the campaign or
  // not granted. FailedPrecondition: no offer can be given now.
  absl::Status check(const AllocationQuestion& question) const;

  // Besides FailedPrecondition: too many people. Cancelled when told so.
  using Progress = std::function<absl::Status(double share)>;
  absl::StatusOr<CampaignAllocation> allocate(const AllocationQuestion& question,
                                              const Progress& progress) const;

  // As it is now; null when there is none.
  std::shared_ptr<const Offer> offer(std::string_view id) const {
    return parts_.desk.offers()->offer(id);
  }

 private:
  class Work;
  const Parts parts_;
};

}  // namespace vitrine::coupons
