// Reasons in the words of an English sentence.
//
// Thread-safe.
#pragma once

#include <string_view>

#include "base/literal.h"
#include "server/recommend/context.h"

namespace vitrine::recommend {

// "Because you looked at X", by what was done with it.
Reason because_of(const Context& context, const Interest& interest);

// "Shoppers who looked at X also looked at this".
Reason also_looked_at(const Context& context, ProductNumber product);

// Any sentence about another product; `sentence` is followed by its title.
Reason about_product(const Context& context, Literal kind, std::string_view sentence,
                     ProductNumber product);

}  // namespace vitrine::recommend
