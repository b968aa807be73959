#include "server/recommend/reason.h"

#include <fmt/core.h>

namespace vitrine::recommend {

Reason about_product(const Context& context, Literal kind, std::string_view sentence,
                     ProductNumber product) {
  return {.kind = kind,
          .product_id = std::string(context.id_of(product)),
          .text = fmt::format("{} {}", sentence, context.title_of(product))};
}

Reason also_looked_at(const Context& context, ProductNumber product) {
  return {.kind = "also_viewed",
          .product_id = std::string(context.id_of(product)),
          .text = fmt::format("Shoppers who looked at {} also looked at this",
                              context.title_of(product))};
}

Reason because_of(const Context& context, const Interest& interest) {
  switch (interest.type) {
    case EventType::purchase:
      return about_product(context, "because_you_bought", "Because you bought", interest.product);
    case EventType::cart_add:
      return about_product(context, "because_you_added",
                           "Because you put in your cart:", interest.product);
    case EventType::wish_add:
      return about_product(context, "because_you_wished", "Because you wish for", interest.product);
    default:
      return about_product(context, "because_you_viewed", "Because you looked at",
                           interest.product);
  }
}

}  // namespace vitrine::recommend
