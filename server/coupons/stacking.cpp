#include "server/coupons/stacking.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>

namespace vitrine::coupons {
namespace {

bool lets_in(const Stacking& offer, const std::string& other) {
  if (offer.with.empty()) return offer.offer_class != other;
  return std::ranges::find(offer.with, other) != offer.with.end();
}

// What makes one combination better than another.
struct Score {
  std::int64_t saved = 0;
  std::int64_t points = 0;
  std::size_t offers = 0;
  std::vector<std::string_view> ids = {};  // ascending

  bool is_better_than(const Score& other) const {
    return std::tuple(-saved, -points, offers, ids) <
           std::tuple(-other.saved, -other.points, other.offers, other.ids);
  }
};

class Search {
 public:
  Search(const Cart& cart, std::span<const Candidate> candidates, std::vector<std::size_t> places)
      : cart_(cart), candidates_(candidates), places_(std::move(places)) {
    best_.priced = price(cart, {});
  }

  // Every combination of candidates that go together, from place `next` on.
  void run(std::size_t next) {
    for (std::size_t i = next; i < places_.size(); ++i) {
      const std::size_t place = places_[i];
      const bool fits = std::ranges::all_of(chosen_, [&](std::size_t other) {
        return go_together(candidates_[other].stacking, candidates_[place].stacking);
      });
      if (!fits) continue;
      chosen_.push_back(place);
      applied_.push_back(candidates_[place].applied);
      consider();
      run(i + 1);
      chosen_.pop_back();
      applied_.pop_back();
    }
  }

  Choice take() { return std::move(best_); }

 private:
  void consider() {
    Priced priced = price(cart_, applied_);
    Score score{.saved = priced.discount.minor, .points = priced.points, .offers = chosen_.size()};
    bool has_gift = false;
    for (std::size_t i = 0; i < applied_.size(); ++i) {
      if (priced.cuts[i].gap) return;
      score.ids.push_back(applied_[i].id);
      if (const auto& gift = priced.cuts[i].gift) {
        has_gift = true;
        score.saved += std::max(std::int64_t{0}, applied_[i].gift_worth.minor - gift->price.minor) *
                       gift->quantity;
      }
    }
    std::ranges::sort(score.ids);
    if (!best_.chosen.empty() && !score.is_better_than(score_)) return;
    if (best_.chosen.empty() && score.saved == 0 && score.points == 0 && !has_gift) return;
    best_ = {chosen_, std::move(priced)};
    score_ = std::move(score);
  }

  const Cart& cart_;
  std::span<const Candidate> candidates_;
  std::vector<std::size_t> places_;
  std::vector<std::size_t> chosen_;
  std::vector<Applied> applied_;
  Choice best_;
  Score score_;
};

}  // namespace

bool go_together(const Stacking& a, const Stacking& b) {
  if (a.is_exclusive || b.is_exclusive) return false;
  return lets_in(a, b.offer_class) && lets_in(b, a.offer_class);
}

Choice choose(const Cart& cart, std::span<const Candidate> candidates) {
  std::vector<std::tuple<std::int64_t, std::string_view, std::size_t>> alone;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Priced priced = price(cart, std::span(&candidates[i].applied, 1));
    // Which alone has a gap may still gain nothing from others: they only take away.
    if (priced.cuts[0].gap) continue;
    alone.emplace_back(-priced.discount.minor, candidates[i].applied.id, i);
  }
  std::ranges::sort(alone);
  if (alone.size() > k_combined_max) alone.resize(k_combined_max);
  std::vector<std::size_t> places;
  places.reserve(alone.size());
  for (const auto& one : alone) places.push_back(std::get<2>(one));
  std::ranges::sort(places);
  Search search(cart, candidates, std::move(places));
  search.run(0);
  return search.take();
}

}  // namespace vitrine::coupons
