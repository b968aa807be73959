// A person's taste as a vector, and the products that lie nearest to it.
//
// Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

// Which of an interest's two confidences counts.
using Confidence = float Interest::*;

// Folds the interests in and appends the nearest products of the live model, those marked `seen`
// not among them. Appends nothing without a model, or when it has a vector of none of the
// interests.
absl::Status nearest_to_taste(const Context& context, Confidence confidence,
                              std::vector<ProductNumber>& out);

// Names the interest that speaks most for `product`, the largest c * (v . v_product), of those that
// may be named, else of all.
Reason taste_reason(const Context& context, Confidence confidence, ProductNumber product);

// Appends the products nearest to one vector, as nearest_to_taste.
absl::Status nearest_to(const Context& context, std::span<const float> query,
                        std::vector<ProductNumber>& out);

}  // namespace vitrine::recommend
