#include "server/recommend/selection.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/recommend/reason.h"
#include "server/recommend/sources/related.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// What fills an answer up stands behind all that was chosen.
constexpr float k_fill_weight = 0.001F;

}  // namespace

Selection::Selection(const Context& context, FilterStage& filter)
    : context_(context), filter_(filter) {
  picks_.reserve(context.request.limit);
}

bool Selection::contains(ProductNumber product) const {
  return std::ranges::find(picks_, product, &Pick::product) != picks_.end();
}

std::string_view Selection::group_of(ProductNumber product) const {
  const Product* const known = context_.catalog->find(product);
  return known != nullptr ? std::string_view(known->group_id) : std::string_view();
}

Pick* Selection::find_variant(std::string_view group) {
  if (group.empty()) return nullptr;
  const auto found = std::ranges::find(picks_, group, &Pick::group);
  return found == picks_.end() ? nullptr : &*found;
}

void Selection::add(ProductNumber product, float score, const CandidateSource& source,
                    const Pool::Entry* entry) {
  const std::string_view group = group_of(product);
  if (find_variant(group) != nullptr) {
    filter_.count_yielded(product, Removal::variant);
    return;
  }
  picks_.push_back({.product = product,
                    .group = group,
                    .score = score,
                    .source = &source,
                    .entry = entry,
                    .reason = std::nullopt});
}

void Selection::fill(std::span<const ProductNumber> products, const CandidateSource& source) {
  for (const ProductNumber product : products) {
    if (is_full()) return;
    if (contains(product) || !filter_.admits(product)) continue;
    add(product, k_fill_weight * Pool::share_of_place(filled_++), source, nullptr);
  }
}

void Selection::explain() {
  for (Pick& pick : picks_) pick.reason = pick.source->reason(context_, pick.product);
}

void Selection::put(ProductNumber product, const CandidateSource& source, Reason reason) {
  const std::string_view group = group_of(product);
  const auto shown = std::ranges::find(picks_, product, &Pick::product);
  Pick* place = shown != picks_.end() ? &*shown : find_variant(group);
  if (place == nullptr && !is_full()) {
    const float score = picks_.empty() ? k_fill_weight : picks_.back().score;
    place = &picks_.emplace_back();
    place->score = score;
  }
  if (place == nullptr) place = &picks_.back();
  if (place->product != product) place->entry = nullptr;
  place->product = product;
  place->group = group;
  place->source = &source;
  place->reason = std::move(reason);
}

absl::Status Selection::answer_newest() {
  const Interest* const newest = context_.newest_interest();
  if (newest == nullptr) return absl::OkStatus();
  const std::string_view id = context_.numbers.id_of(newest->product);
  const bool is_named = std::ranges::any_of(
      picks_, [&](const Pick& pick) { return pick.reason && pick.reason->product_id == id; });
  if (is_named) return absl::OkStatus();

  thread_local std::vector<ProductNumber> related;
  related.clear();
  const absl::Status status = related_products(context_, newest->product, related);
  const auto shown =
      std::ranges::find_if(related, [&](ProductNumber product) { return filter_.admits(product); });
  if (shown != related.end()) {
    put(*shown, similar_source(), because_of(context_, *newest));
  } else if (filter_.admits(newest->product)) {
    put(newest->product, recent_source(), recent_source().reason(context_, newest->product));
  }
  return status;
}

}  // namespace vitrine::recommend
