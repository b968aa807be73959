#include "server/recommend/selection.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/recommend/reason.h"
#include "server/recommend/sources/related.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

std::size_t repeats_max_of(const Context& context) {
  const auto limit = static_cast<float>(context.request.limit);
  // A share like 0.9 of 20 is 18, whatever floats make of it.
  const float share = context.placement.variety.repeats_max_share * limit + 1e-4F;
  return std::max<std::size_t>(1, static_cast<std::size_t>(share));
}

// Has the memory begin to fetch these bytes.
void fetch_ahead(const void* begin, std::size_t bytes) {
  constexpr std::size_t line_bytes = 64;
  for (std::size_t at = 0; at < bytes; at += line_bytes) {
    __builtin_prefetch(static_cast<const std::byte*>(begin) + at);
  }
}

}  // namespace

Selection::Selection(const Context& context, FilterStage& filter)
    : context_(context), filter_(filter), repeats_max_(repeats_max_of(context)) {
  picks_.reserve(context.request.limit);
}

bool Selection::contains(ProductNumber product) const {
  return std::ranges::find(picks_, product, &Pick::product) != picks_.end();
}

// Many are asked about for a drawn place, and most have neither a group nor a cap that counts them.
bool Selection::reads(ProductNumber product) const {
  const Variety& variety = context_.placement.variety;
  return variety.category_max > 0 || variety.brand_max > 0 || context_.catalog->has_group(product);
}

Pick Selection::pick_of(ProductNumber product) const {
  Pick pick;
  pick.product = pick.given = product;
  const Variety& variety = context_.placement.variety;
  const Product* const known = reads(product) ? context_.catalog->find(product) : nullptr;
  if (known != nullptr) {
    pick.group = known->group_id;
    if (variety.category_max > 0) pick.category = deepest_category(*known);
    if (variety.brand_max > 0) pick.brand = known->brand;
  }
  pick.is_repeat = context_.marks.has(product, Mark::purchased);
  return pick;
}

std::optional<Removal> Selection::refusal_of(const Pick& candidate, const Pick* leaving) const {
  const Variety& variety = context_.placement.variety;
  std::size_t of_category = 0;
  std::size_t of_brand = 0;
  std::size_t repeats = 0;
  for (const Pick& pick : picks_) {
    if (&pick == leaving) continue;
    if (!candidate.group.empty() && pick.group == candidate.group) return Removal::variant;
    if (pick.category == candidate.category) ++of_category;
    if (pick.brand == candidate.brand) ++of_brand;
    if (pick.is_repeat) ++repeats;
  }
  const auto is_over = [](std::string_view name, std::size_t count, std::size_t max) {
    return max > 0 && !name.empty() && count >= max;
  };
  if (is_over(candidate.category, of_category, variety.category_max)) return Removal::category_cap;
  if (is_over(candidate.brand, of_brand, variety.brand_max)) return Removal::brand_cap;
  if (candidate.is_repeat && !fills_ && repeats >= repeats_max_) return Removal::repeat_cap;
  return std::nullopt;
}

void Selection::expect(ProductNumber product) const {
  if (!reads(product)) return;
  if (const Product* const known = context_.catalog->find(product)) {
    __builtin_prefetch(&known->categories);
    __builtin_prefetch(&known->group_id);
  }
}

std::optional<Removal> Selection::refusal_of(ProductNumber product) const {
  return refusal_of(pick_of(product), nullptr);
}

void Selection::add(ProductNumber product, ProductNumber given, float score,
                    const CandidateSource& source, const Pool::Entry* entry) {
  Pick pick = pick_of(product);
  pick.given = given;
  if (const auto refusal = refusal_of(pick, nullptr)) {
    filter_.count_yielded(product, *refusal);
    return;
  }
  pick.score = score;
  pick.source = &source;
  pick.entry = entry;
  picks_.push_back(std::move(pick));
}

bool Selection::pin(ProductNumber product, ProductNumber given, float score,
                    const CandidateSource& source, const Pool::Entry* entry, const Rule& rule) {
  const std::size_t before = picks_.size();
  add(product, given, score, source, entry);
  if (picks_.size() == before) return false;
  picks_.back().pin = &rule;
  return true;
}

void Selection::fill(std::span<const ProductNumber> products, const CandidateSource& source) {
  if (filled_ == 0 && !picks_.empty()) {
    fill_weight_ = std::min(k_fill_weight, picks_.back().score);
  }
  fills_ = true;
  for (const ProductNumber product : products) {
    if (is_full()) return;
    if (contains(product)) continue;
    const std::optional<ProductNumber> shown = filter_.shown_for(product);
    if (!shown || contains(*shown)) continue;
    add(*shown, product, fill_weight_ * Pool::share_of_place(filled_++), source, nullptr);
  }
}

void Selection::expect_picks() const {
  for (const Pick& pick : picks_) {
    const std::span<const float> vector = context_.vector_of(pick.product);
    fetch_ahead(vector.data(), vector.size_bytes());
    const Product* const known = context_.catalog->find(pick.product);
    if (known != nullptr) fetch_ahead(known, sizeof(Product));
  }
}

void Selection::explain() {
  expect_picks();
  for (Pick& pick : picks_) {
    pick.reason = pick.source->reason(context_, pick.given);
    const bool is_other = pick.given != pick.product;
    if (is_other && pick.reason->kind == "buy_again") {
      pick.reason->text = "You bought another variant of this before";
    }
  }
}

void Selection::explain_rules(const RuleStage& rules) {
  for (Pick& pick : picks_) {
    if (pick.pin != nullptr) pick.rules.push_back(pick.pin->id);
    if (pick.entry == nullptr) continue;
    for (std::string& id : rules.names(pick.product)) pick.rules.push_back(std::move(id));
  }
}

// The place of the product or of its variant, else the last one it fits into. Null when a rule, a
// cap or chance leaves it none.
Pick* Selection::place_for(const Pick& candidate) {
  const auto same = std::ranges::find_if(picks_, [&](const Pick& pick) {
    return pick.product == candidate.product ||
           (!candidate.group.empty() && pick.group == candidate.group);
  });
  if (same != picks_.end()) {
    const bool may_stand =
        same->product == candidate.product || (!same->is_fixed() && !refusal_of(candidate, &*same));
    return may_stand ? &*same : nullptr;
  }
  if (!is_full() && !refusal_of(candidate, nullptr)) {
    const float score = picks_.empty() ? k_fill_weight : picks_.back().score;
    picks_.emplace_back().score = score;
    return &picks_.back();
  }
  for (auto pick = picks_.rbegin(); pick != picks_.rend(); ++pick) {
    if (!pick->is_fixed() && !refusal_of(candidate, &*pick)) return &*pick;
  }
  return nullptr;
}

bool Selection::put(ProductNumber product, const CandidateSource& source, const Reason& reason) {
  Pick pick = pick_of(product);
  Pick* const place = place_for(pick);
  if (place == nullptr) return false;
  if (place->product == product && place->source != nullptr) {
    pick.entry = place->entry;
    pick.pin = place->pin;
    pick.propensity = place->propensity;
  }
  pick.score = place->score;
  pick.source = &source;
  pick.reason = reason;
  *place = std::move(pick);
  return true;
}

absl::Status Selection::answer_newest() {
  const Interest* const newest = context_.newest_interest();
  if (newest == nullptr) return absl::OkStatus();
  const profiles::ProfileEvent& event = context_.profile->recent.front();
  const bool is_purchase = event.type == EventType::purchase;
  const TimeMs age_ms = context_.now_ms - event.time_ms;
  if (age_ms > (is_purchase ? k_newest_purchase_ms_max : k_newest_ms_max)) return absl::OkStatus();
  const std::string_view id = context_.id_of(newest->product);
  const bool is_named = std::ranges::any_of(
      picks_, [&](const Pick& pick) { return pick.reason && pick.reason->product_id == id; });
  if (is_named) return absl::OkStatus();

  thread_local std::vector<ProductNumber> related;
  related.clear();
  const absl::Status status = related_products(context_, newest->product, related);
  const Reason reason = because_of(context_, *newest);
  const bool is_answered = std::ranges::any_of(related, [&](ProductNumber product) {
    const std::optional<ProductNumber> shown = filter_.shown_for(product);
    return shown && put(*shown, similar_source(), reason);
  });
  if (is_answered) return status;
  if (const std::optional<ProductNumber> shown = filter_.shown_for(newest->product)) {
    put(*shown, recent_source(), recent_source().reason(context_, newest->product));
  }
  return status;
}

void Selection::arrange() {
  if (std::ranges::none_of(picks_, &Pick::is_fixed)) return;
  std::vector<Pick> pins;
  std::vector<Pick> drawn;
  std::vector<Pick> arranged;
  for (Pick& pick : picks_) {
    (pick.pin != nullptr ? pins : pick.propensity ? drawn : arranged).push_back(std::move(pick));
  }
  const auto insert = [&](Pick& pick, std::size_t position) {
    const std::size_t at = std::min(position - 1, arranged.size());
    arranged.insert(arranged.begin() + static_cast<std::ptrdiff_t>(at), std::move(pick));
  };
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    insert(drawn[i], (i + 1) * context_.placement.variety.explores_one_in);
  }
  // In the order of their positions: one behind another of the same position comes after it.
  std::size_t free_from = 1;
  for (Pick& pick : pins) {
    free_from = std::max(pick.pin->position, free_from);
    insert(pick, free_from++);
  }
  picks_ = std::move(arranged);
}

}  // namespace vitrine::recommend
