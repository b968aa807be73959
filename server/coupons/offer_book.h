// All campaigns and offers as of one moment, every version that grants may have been given on.
//
// Thread-safety: immutable; copies share what did not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/campaign.h"
#include "server/coupons/offer.h"

namespace vitrine::coupons {

// An offer with its campaign.
struct Terms {
  std::shared_ptr<const Campaign> campaign = {};
  std::shared_ptr<const Offer> offer = {};
};

class OfferBook {
 public:
  static constexpr std::size_t k_campaigns_max = 5000;
  static constexpr std::size_t k_versions_max = 50'000;  // of all offers
  static constexpr std::size_t k_automatic_max = 50;

  template <class T>
  using ById = std::map<std::string, std::shared_ptr<const T>, std::less<>>;

  std::shared_ptr<const Campaign> campaign(std::string_view id) const;
  std::shared_ptr<const Offer> offer(std::string_view id) const;  // its newest version
  // The terms of one version; 0: the newest. Null members when there is none.
  Terms terms(std::string_view offer, std::uint64_t version = 0) const;
  // The offer of a public code, which is normalized; null when there is none.
  std::shared_ptr<const Offer> offer_of_code(std::string_view code) const;
  const std::vector<std::shared_ptr<const Offer>>& automatic() const { return automatic_; }

  const ById<Campaign>& campaigns() const { return campaigns_; }
  const ById<Offer>& offers() const { return offers_; }
  std::size_t version_count() const { return versions_.size(); }

  // For reading many: index() once when all are there.
  void put(Campaign campaign);
  void put(Offer offer);
  void drop_offer(std::string_view id);
  void index();

  OfferBook with(Campaign campaign) const;
  OfferBook with(Offer offer) const;  // a version more
  OfferBook without_campaign(std::string_view id) const;
  OfferBook without_offer(std::string_view id) const;  // its versions stay for those who have it

 private:
  ById<Campaign> campaigns_;
  ById<Offer> offers_;
  std::map<std::pair<std::string, std::uint64_t>, std::shared_ptr<const Offer>> versions_;
  ById<Offer> codes_;
  std::vector<std::shared_ptr<const Offer>> automatic_;
};

}  // namespace vitrine::coupons
