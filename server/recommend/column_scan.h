// A question about products made ready to be asked of columns: what an assortment is made with.
//
// Answers as holds() of product_condition.h and ProductExpression do. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/recommend/product_condition.h"
#include "server/recommend/scan_term.h"

namespace vitrine::recommend {

// What an expression says of products alone, as of a moment.
ScanTermPtr scan_of(const ProductExpression& expression, TimeMs now_ms);
ScanTermPtr scan_of(const ProductCondition& condition, TimeMs now_ms);
// In a category or below it; sold in a market. Empty ones hold for every product.
ScanTermPtr scan_of_category(std::string_view category);
ScanTermPtr scan_of_market(std::string_view market);

}  // namespace vitrine::recommend
