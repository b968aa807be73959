#include "model/content_features.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status.h"

namespace vitrine {
namespace {

constexpr std::string_view k_term_prefix = "term:";
constexpr std::string_view k_step = " > ";

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Letters, digits and every byte beyond ASCII.
bool is_of_a_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

void add_terms(std::string_view title, std::vector<std::string>& names) {
  constexpr std::size_t k_term_bytes_min = 2;
  const std::string text = lowered(title);
  for (auto begin = text.begin(); begin != text.end();) {
    begin = std::find_if(begin, text.end(), is_of_a_word);
    const auto end = std::find_if_not(begin, text.end(), is_of_a_word);
    const std::string term(begin, end);
    if (term.size() >= k_term_bytes_min) names.push_back(std::string(k_term_prefix) + term);
    begin = end;
  }
}

void add_categories(std::string_view path, std::vector<std::string>& names) {
  for (std::size_t end = path.find(k_step);; end = path.find(k_step, end + k_step.size())) {
    names.push_back("category:" + std::string(path.substr(0, end)));
    if (end == std::string_view::npos) return;
  }
}

}  // namespace

std::vector<std::string> content_feature_names(const Product& product, const PriceBands& bands) {
  std::vector<std::string> names;
  for (const std::string& path : product.categories) {
    if (!path.empty()) add_categories(path, names);
  }
  if (!product.brand.empty()) names.push_back("brand:" + lowered(product.brand));
  const auto found = bands.find(product.currency);
  if (product.price && found != bands.end()) {
    const std::vector<std::int64_t>& begins = found->second;
    const auto band =
        std::upper_bound(begins.begin(), begins.end(), product.price->minor) - begins.begin();
    names.push_back("price:" + product.currency + ":" + std::to_string(band));
  }
  add_terms(product.title, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::StatusOr<ContentFeatures> ContentFeatures::create(std::vector<std::string> names,
                                                        std::vector<float> scales,
                                                        PriceBands bands) {
  if (names.size() != scales.size())
    return invalid_argument("{} content features, but {} scales", names.size(), scales.size());
  for (const auto& [currency, begins] : bands) {
    if (std::adjacent_find(begins.begin(), begins.end(), std::greater_equal<>()) != begins.end())
      return invalid_argument("the price bands of {} must rise", currency);
  }
  ContentFeatures features;
  for (std::uint32_t feature = 0; feature < names.size(); ++feature) {
    if (!std::isfinite(scales[feature]) || scales[feature] <= 0) {
      return invalid_argument("scale of '{}' must be finite and above 0, got {}", names[feature],
                              scales[feature]);
    }
    if (!features.numbers_.emplace(names[feature], feature).second)
      return invalid_argument("content feature '{}' occurs twice", names[feature]);
  }
  features.names_ = std::move(names);
  features.scales_ = std::move(scales);
  features.bands_ = std::move(bands);
  return features;
}

std::vector<ContentValue> ContentFeatures::of(const Product& product) const {
  std::vector<ContentValue> values;
  float terms = 0;
  for (const std::string& name : content_feature_names(product, bands_)) {
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) continue;
    const float scale = scales_[found->second];
    values.push_back({found->second, scale});
    if (name.starts_with(k_term_prefix)) terms += scale * scale;
  }
  for (ContentValue& one : values) {
    if (names_[one.feature].starts_with(k_term_prefix)) one.value /= std::sqrt(terms);
  }
  return values;
}

}  // namespace vitrine
