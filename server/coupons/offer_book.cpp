#include "server/coupons/offer_book.h"

#include <utility>

#include "server/coupons/code.h"

namespace vitrine::coupons {
namespace {

template <class T>
std::shared_ptr<const T> found_in(const OfferBook::ById<T>& all, std::string_view id) {
  const auto found = all.find(id);
  return found == all.end() ? nullptr : found->second;
}

}  // namespace

std::shared_ptr<const Campaign> OfferBook::campaign(std::string_view id) const {
  return found_in(campaigns_, id);
}

std::shared_ptr<const Offer> OfferBook::offer(std::string_view id) const {
  return found_in(offers_, id);
}

Terms OfferBook::terms(std::string_view offer_id, std::uint64_t version) const {
  Terms terms;
  if (version == 0) {
    terms.offer = offer(offer_id);
  } else {
    const auto found = versions_.find({std::string(offer_id), version});
    if (found != versions_.end()) terms.offer = found->second;
  }
  if (terms.offer) terms.campaign = campaign(terms.offer->campaign);
  return terms;
}

std::shared_ptr<const Offer> OfferBook::offer_of_code(std::string_view code) const {
  return found_in(codes_, code);
}

void OfferBook::index() {
  codes_.clear();
  automatic_.clear();
  for (const auto& [id, offer] : offers_) {
    if (!offer->code.empty()) codes_[normalized_code(offer->code)] = offer;
    if (offer->trigger == Trigger::automatic) automatic_.push_back(offer);
  }
}

void OfferBook::put(Campaign campaign) {
  const std::string id = campaign.id;
  campaigns_[id] = std::make_shared<const Campaign>(std::move(campaign));
}

void OfferBook::put(Offer offer) {
  const auto shared = std::make_shared<const Offer>(std::move(offer));
  offers_[shared->id] = shared;
  versions_[{shared->id, shared->version}] = shared;
}

void OfferBook::drop_offer(std::string_view id) { offers_.erase(std::string(id)); }

OfferBook OfferBook::with(Campaign campaign) const {
  OfferBook next = *this;
  next.put(std::move(campaign));
  return next;
}

OfferBook OfferBook::with(Offer offer) const {
  OfferBook next = *this;
  next.put(std::move(offer));
  next.index();
  return next;
}

OfferBook OfferBook::without_campaign(std::string_view id) const {
  OfferBook next = *this;
  next.campaigns_.erase(std::string(id));
  return next;
}

OfferBook OfferBook::without_offer(std::string_view id) const {
  OfferBook next = *this;
  next.drop_offer(id);
  next.index();
  return next;
}

}  // namespace vitrine::coupons
