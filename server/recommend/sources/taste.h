// A person's taste as a vector, and the products that lie nearest to it.
//
// Thread-safe.
#pragma once

#include <absl/status/status.h>

#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

// The taste as a vector in the basis of the model. False, and nothing written, without a model, or
// when it has a vector of none of the interests.
bool fold_in_taste(const Context& context, Confidence confidence, std::vector<float>& taste);

// How many neighbors to ask the index for, and among which rows.
std::size_t nearest_count(const Context& context);
const index::RowFilter& nearest_among(const Context& context);

// Appends the products nearest to a taste, those marked `seen` not among them: as context.tastes
// found them, else searched for now. Appends nothing for nobody's taste. DeadlineExceeded: no
// search began in time
absl::Status nearest_to_taste(const Context& context, Confidence confidence,
                              std::vector<ProductNumber>& out);

// Names the interest that speaks most for `product`, the largest c * (v . v_product), of those that
// may be named, else of all.
Reason taste_reason(const Context& context, Confidence confidence, ProductNumber product);

// Searches for the products nearest to one vector, and appends them likewise.
absl::Status nearest_to(const Context& context, std::span<const float> query,
                        std::vector<ProductNumber>& out);

}  // namespace vitrine::recommend
