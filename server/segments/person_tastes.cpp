// What somebody cares about: categories, brands and prices of what they had to do with lately.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "model/money.h"
#include "server/segments/person.h"

namespace vitrine::segments {
namespace {

constexpr double k_taste_half_life_days = 30;
constexpr std::size_t k_tops_max = 3;

std::vector<std::string> best_of(const std::map<std::string_view, double>& scores) {
  std::vector<std::pair<double, std::string_view>> order;
  order.reserve(scores.size());
  for (const auto& [name, score] : scores) order.emplace_back(-score, name);
  std::ranges::sort(order);
  std::vector<std::string> best;
  for (std::size_t i = 0; i < std::min(k_tops_max, order.size()); ++i) {
    best.emplace_back(order[i].second);
  }
  return best;
}

}  // namespace

// What they had to do with, by the weight of the deed and its age. All ages grow alike, so that the
// order holds until something happens.
void PersonSubject::find_tops() const {
  if (top_categories_) return;
  top_categories_.emplace();
  if (around_.catalog == nullptr || profile_.recent.empty()) return;
  std::map<std::string_view, double> categories;
  std::map<std::string_view, double> brands;
  const TimeMs newest_ms = profile_.recent.front().time_ms;
  for (const profiles::ProfileEvent& event : profile_.recent) {
    const Product* const product = around_.catalog->find(event.product);
    const double weight = default_weight(event.type);
    if (product == nullptr || weight <= 0) continue;
    const double days = static_cast<double>(newest_ms - event.time_ms) / k_day_ms;
    const double score = weight * std::exp2(-days / k_taste_half_life_days);
    for (const std::string& category : product->categories) categories[category] += score;
    if (!product->brand.empty()) brands[product->brand] += score;
  }
  top_categories_ = best_of(categories);
  top_brands_ = best_of(brands);
}

const PersonSubject::PriceBand& PersonSubject::prices() const {
  if (prices_) return *prices_;
  prices_.emplace();
  if (around_.catalog == nullptr) return *prices_;
  std::vector<std::int64_t> minor;
  std::string_view currency;
  for (const profiles::ProfileEvent& event : profile_.recent) {
    const Product* const product = around_.catalog->find(event.product);
    if (product == nullptr || !product->price || default_weight(event.type) <= 0) continue;
    if (minor.empty()) currency = product->currency;
    if (product->currency == currency) minor.push_back(product->price->minor);
  }
  if (minor.empty()) return *prices_;
  std::ranges::sort(minor);
  const double unit = std::pow(10.0, currency_digits(currency));
  const auto at = [&](std::size_t place) { return static_cast<double>(minor[place]) / unit; };
  prices_->from = at((minor.size() - 1) / 4);
  prices_->to = at(minor.size() - 1 - (minor.size() - 1) / 4);
  return *prices_;
}

}  // namespace vitrine::segments
