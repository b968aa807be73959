// What is known of a product before anybody touched it, as a sparse vector: its categories with
// every ancestor, brand, price band and the terms of its title.
//
// Thread-safety: immutable; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "model/product.h"

namespace vitrine {

// By currency: rising minor units at which the next band begins.
using PriceBands = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

// Distinct and sorted: "category:Home > Kitchen", "brand:acme", "price:EUR:3", "term:mug". Letters
// A to Z of brand and title are taken as a to z.
std::vector<std::string> content_feature_names(const Product& product, const PriceBands& bands);

struct ContentValue {
  std::uint32_t feature;
  float value;
};

// The features that are known of, each with a number.
class ContentFeatures {
 public:
  ContentFeatures() = default;  // none

  // scales[f] is how much feature f says; the terms of one title share a length of 1 between them.
  // InvalidArgument: not as many scales as names, a name twice, or a scale that is not finite and
  // above 0; bands that do not rise.
  static absl::StatusOr<ContentFeatures> create(std::vector<std::string> names,
                                                std::vector<float> scales, PriceBands bands);

  std::size_t size() const { return names_.size(); }
  std::span<const std::string> names() const { return names_; }
  std::span<const float> scales() const { return scales_; }
  const PriceBands& bands() const { return bands_; }

  // Of the features known; empty when there is none.
  std::vector<ContentValue> of(const Product& product) const;

 private:
  std::vector<std::string> names_;
  std::vector<float> scales_;
  PriceBands bands_;
  StringMap<std::uint32_t> numbers_;
};

}  // namespace vitrine
