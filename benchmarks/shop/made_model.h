// A model for a shop that never was: vectors around the shelves, lists of neighbours within them.
//
// Thread-safe.
#pragma once

#include <memory>

#include "benchmarks/shop/made_shop.h"
#include "model/trained_model.h"

namespace vitrine::made_shop {

// A shelf's centre has a spectrum that falls as 1/sqrt(1 + j/2); a product lies around it, and is
// the longer the more it is wanted. As long lists as training makes.
std::shared_ptr<const TrainedModel> make_model(const Shop& shop, std::uint32_t dimension);

}  // namespace vitrine::made_shop
