#include "server/recommend/context.h"

namespace vitrine::recommend {
namespace {

constexpr TimeMs k_purchased_hidden_ms = 180 * k_day_ms;

// Marks what this request keeps out; the filter stage is the one to act on it.
void mark_request(const Context& context, ProductMarks& marks) {
  for (const std::string& id : context.request.exclude) {
    if (const auto product = context.numbers.find(id)) marks.add(*product, Mark::excluded);
  }
  if (context.placement.exclude_cart) {
    for (const ProductNumber product : context.cart) marks.add(product, Mark::in_cart);
  }
  if (context.placement.exclude_product_group && context.product) {
    marks.add(*context.product, Mark::current);
  }
}

void mark_person(const Context& context, ProductMarks& marks) {
  if (context.profile == nullptr) return;
  if (context.placement.purchased == PurchasedPolicy::hide_for_180_days) {
    const TimeMs from_ms = context.now_ms - k_purchased_hidden_ms;
    for (const profiles::Bought& bought : context.profile->bought) {
      if (bought.purchases > bought.refunds && bought.last_ms >= from_ms) {
        marks.add(bought.product, Mark::purchased);
      }
    }
  }
  for (const Interest& interest : context.interests) {
    if (!interest.is_bought) marks.add(interest.product, Mark::seen);
  }
}

std::shared_ptr<const profiles::Profile> profile_of(const Recommender::Parts& parts,
                                                    const RecommendRequest& request) {
  if (!request.personalize) return nullptr;
  const identity::Who who = parts.identities.find(request.user_id, request.visitor_id);
  return who.user == k_nobody ? nullptr : parts.profiles.find(who.user);
}

const ConfidenceRule& rule_of(const live_model::LiveModel& live) {
  static const ConfidenceRule defaults = ConfidenceRule::defaults();
  return live.model() != nullptr ? live.model()->confidence() : defaults;
}

std::size_t pool_size(const RecommendRequest& request, const Placement& placement) {
  const bool is_narrow = !scope_of(request, placement).is_everything();
  return is_narrow ? profiles::PopularityBook::k_top_max : Context::k_pool_products + request.limit;
}

}  // namespace

AssortmentScope scope_of(const RecommendRequest& request, const Placement& placement) {
  return {.category = request.category,
          .market = request.market,
          .request_filter = request.filter,
          .placement_filter = placement.filter};
}

Context make_context(const Recommender::Parts& parts, const RecommendRequest& request,
                     const Placement& placement, ContextMemory& memory) {
  memory.marks.begin();
  memory.interests.clear();
  memory.cart.clear();
  const catalog::ProductNumbers& numbers = parts.catalog.numbers();
  for (const std::string& id : request.cart) {
    if (const auto product = numbers.find(id)) memory.cart.push_back(*product);
  }
  Context context{.request = request,
                  .placement = placement,
                  .numbers = numbers,
                  .popularity = parts.popularity,
                  .live = parts.live_model.current(),
                  .catalog = parts.catalog.current(),
                  .profile = profile_of(parts, request),
                  .now_ms = parts.clock.now_ms(),
                  .product = numbers.find(request.product_id),
                  .cart = memory.cart,
                  .interests = memory.interests,
                  .marks = memory.marks,
                  .pool = pool_size(request, placement)};
  if (context.profile != nullptr) {
    collect_interests(*context.profile, rule_of(*context.live),
                      profiles::session_key_of(request.session_id), context.now_ms,
                      memory.interests);
  }
  mark_request(context, memory.marks);
  mark_person(context, memory.marks);
  return context;
}

}  // namespace vitrine::recommend
