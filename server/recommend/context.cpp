#include "server/recommend/context.h"

#include <algorithm>
#include <utility>

#include "server/recommend/visit.h"

namespace vitrine::recommend {
namespace {

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
  for (const profiles::Bought& bought : context.profile->bought) {
    if (bought.is_kept()) marks.add(bought.product, Mark::purchased);
  }
  for (const Interest& interest : context.interests) {
    if (!interest.is_bought) marks.add(interest.product, Mark::seen);
  }
}

// The session that is named, else the one that the visitor (else the user) is in.
std::optional<profiles::SessionRef> session_of(const Recommender::Parts& parts,
                                               const RecommendRequest& request,
                                               const identity::Who& who, TimeMs now_ms,
                                               profiles::SessionBook::Session& session) {
  if (!request.session_id.empty()) {
    const auto named = parts.sessions.find(profiles::session_key_of(request.session_id));
    if (named && parts.sessions.read(*named, session)) return named;
  }
  const UserNumber person = who.visitor != k_nobody ? who.visitor : who.user;
  if (person == k_nobody) return std::nullopt;
  const auto running = parts.sessions.find(profiles::unnamed_session_key(person));
  if (!running || !parts.sessions.read(*running, session)) return std::nullopt;
  const TimeMs quiet_ms = now_ms - session.last_ms;
  return quiet_ms <= profiles::SessionBook::k_session_gap_ms ? running : std::nullopt;
}

// From the book, else from what the person's own events say of this session.
void collect_session(const Recommender::Parts& parts, const identity::Who& who, Context& context,
                     std::vector<ProductNumber>& out) {
  profiles::SessionBook::Session session;
  if (context.personalize) {
    context.own_session = session_of(parts, context.request, who, context.now_ms, session);
  }
  if (context.own_session) {
    out.assign(session.clicks().begin(), session.clicks().end());
  } else {
    for (std::size_t i = context.interests.size(); i-- > 0;) {
      const Interest& interest = context.interests[i];
      if (interest.session_confidence > 0) out.push_back(interest.product);
    }
  }
  if (context.product && (out.empty() || out.back() != *context.product)) {
    out.push_back(*context.product);
  }
}

const ConfidenceRule& rule_of(const live_model::LiveModel& live) {
  static const ConfidenceRule defaults = ConfidenceRule::defaults();
  return live.model() != nullptr ? live.model()->confidence() : defaults;
}

std::int64_t deadline_of(const Recommender::Parts& parts, const RecommendRequest& request) {
  constexpr std::int64_t k_us_a_ms = 1000;
  const std::int64_t arrived_us = request.arrived_us != 0 ? request.arrived_us : parts.steady();
  return arrived_us + parts.deadline_ms * k_us_a_ms;
}

std::size_t pool_size(const RecommendRequest& request, const Placement& placement) {
  const bool is_narrow = !scope_of(request, placement).is_everything();
  return is_narrow ? profiles::PopularityBook::k_top_max : Context::k_pool_products + request.limit;
}

void mark_page(const catalog::CatalogSnapshot& catalog, std::span<const ProductNumber> on_page,
               ContextMemory& memory) {
  for (const ProductNumber product : on_page) {
    memory.marks.add(product, Mark::on_page);
    const Product* const known = catalog.find(product);
    if (known != nullptr && !known->group_id.empty()) memory.page_groups.push_back(known->group_id);
  }
}

// Of a visitor that may be told of its own part only, the visitor.
std::shared_ptr<const Visit> visit_of(const Recommender::Parts& parts, const Snapshot& snapshot,
                                      const Context& context) {
  const identity::Who& who = snapshot.who;
  const UserNumber person = who.is_own_part_only ? who.visitor : who.user;
  segments::Surroundings around;
  if (parts.surroundings != nullptr) around = parts.surroundings->surroundings();
  around.catalog = snapshot.catalog;
  const bool is_visitor = person == k_nobody || !parts.identities.is_user(person);
  return std::make_shared<const Visit>(std::move(around), person, is_visitor, snapshot.profile,
                                       situation_of(context.request, context));
}

}  // namespace

bool Context::is_in_audience() const {
  return visit == nullptr || visit->holds(placement.audience);
}

float Context::popularity_of(ProductNumber product_number) const {
  const std::optional<std::uint32_t> row = live->row_of(product_number);
  return row && *row < live->model_row_count() ? live->model()->popularity().weight(*row) : 0;
}

const profiles::Bought* Context::bought(ProductNumber product_number) const {
  if (profile == nullptr || !marks.has(product_number, Mark::purchased)) return nullptr;
  const auto found =
      std::ranges::lower_bound(profile->bought, product_number, {}, &profiles::Bought::product);
  return found != profile->bought.end() && found->product == product_number ? &*found : nullptr;
}

AssortmentScope scope_of(const RecommendRequest& request, const Placement& placement) {
  return {.category = request.category,
          .market = request.market,
          .request_filter = request.filter,
          .placement_filter = placement.filter};
}

Snapshot take_snapshot(const Recommender::Parts& parts, const RecommendRequest& request) {
  Snapshot snapshot{.live = parts.live_model.current(),
                    .catalog = parts.catalog.current(),
                    .who = {},
                    .profile = nullptr,
                    .now_ms = parts.clock.now_ms(),
                    .personalize = request.personalize};
  if (!request.personalize) return snapshot;
  if (request.known_user != k_nobody) {
    snapshot.who = {.user = request.known_user, .visitor = k_nobody};
  } else if (request.is_verified) {
    snapshot.who = parts.identities.find(request.user_id, request.visitor_id);
  } else {
    snapshot.who = parts.identities.find_claimed(request.user_id, request.visitor_id);
  }
  if (snapshot.who.refuses_personalization) {
    snapshot.who = {};
    snapshot.personalize = false;
  }
  if (snapshot.who.user != k_nobody) snapshot.profile = parts.profiles.find(snapshot.who.user);
  if (snapshot.who.is_own_part_only && snapshot.profile != nullptr) {
    snapshot.profile = std::make_shared<const profiles::Profile>(
        profiles::own_part(*snapshot.profile, profiles::visitor_tag_of(snapshot.who.visitor)));
  }
  return snapshot;
}

Context make_context(const Recommender::Parts& parts, const Snapshot& snapshot,
                     const RecommendRequest& request, const Placement& placement,
                     ContextMemory& memory, std::span<const ProductNumber> on_page) {
  memory.marks.begin();
  memory.interests.clear();
  memory.cart.clear();
  memory.session.clear();
  memory.page_groups.clear();
  memory.tastes.begin();
  const catalog::ProductNumbers& numbers = parts.catalog.numbers();
  for (const std::string& id : request.cart) {
    if (const auto product = numbers.find(id)) memory.cart.push_back(*product);
  }
  Context context{.request = request,
                  .placement = placement,
                  .numbers = numbers,
                  .popularity = parts.popularity,
                  .sessions = parts.sessions,
                  .live = snapshot.live,
                  .catalog = snapshot.catalog,
                  .profile = snapshot.profile,
                  .now_ms = snapshot.now_ms,
                  .personalize = snapshot.personalize,
                  .user = snapshot.who.user,
                  .product = numbers.find(request.product_id),
                  .cart = memory.cart,
                  .interests = memory.interests,
                  .session = memory.session,
                  .own_session = std::nullopt,
                  .marks = memory.marks,
                  .tastes = memory.tastes,
                  .page_groups = memory.page_groups,
                  .steady = parts.steady,
                  .deadline_us = deadline_of(parts, request),
                  .pool = pool_size(request, placement),
                  .has_filter = !request.filter.is_empty() || !placement.filter.is_empty()};
  if (context.profile != nullptr) {
    collect_interests(*context.profile, rule_of(*context.live),
                      profiles::session_key_of(request.session_id), context.now_ms,
                      memory.interests);
  }
  collect_session(parts, snapshot.who, context, memory.session);
  mark_request(context, memory.marks);
  mark_person(context, memory.marks);
  mark_page(*snapshot.catalog, on_page, memory);
  if (asks_about_visit(request, placement)) context.visit = visit_of(parts, snapshot, context);
  return context;
}

}  // namespace vitrine::recommend
