// When a person who bought a product is ready for it again.
//
// Thread-safe (pure functions).
#pragma once

#include <optional>

#include "server/recommend/context.h"

namespace vitrine::recommend {

// What was bought stays away this long where nothing says that it is bought again.
constexpr TimeMs k_purchased_hidden_ms = 180 * k_day_ms;

// Categories of which fewer than this part of what people bought is bought a second time are not
// for repeating.
constexpr float k_repeat_share_min = 0.05F;

// A product returns after this part of its interval. The interval is a median, and far from all
// wait for it: whoever has just bought something is among the likeliest to buy it soon again. How
// long ago it was is for the blend to weigh; this only keeps what was bought a moment ago away.
constexpr float k_due_part = 0.01F;

// Days between two purchases of the product by one person: its own median, else that of its
// category, else of the shop. Nothing where the model cannot tell or the category is not one for
// repeating.
std::optional<float> repurchase_days(const Context& context, ProductNumber product);

// Whether it may be shown to the person who bought it.
bool is_due(const Context& context, const profiles::Bought& bought);

// Whether the placement hides it because the person bought it.
bool is_bought_lately(const Context& context, ProductNumber product);

}  // namespace vitrine::recommend
