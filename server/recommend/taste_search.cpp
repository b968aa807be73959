#include "server/recommend/taste_search.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "server/recommend/context.h"
#include "server/recommend/sources/taste.h"

namespace vitrine::recommend {

void TasteSearches::add(const Context& context, Confidence confidence) {
  if (find(confidence) != nullptr) return;
  CHECK(count_ < k_tastes_max, "an interest has so many confidences");
  TasteSearch& search = searches_[count_];
  if (!fold_in_taste(context, confidence, search.query)) return;
  search.confidence = confidence;
  search.k = nearest_count(context);
  search.allowed = &nearest_among(context);
  ++count_;
}

const TasteSearch* TasteSearches::find(Confidence confidence) const {
  const auto end = searches_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto found = std::find_if(searches_.begin(), end, [&](const TasteSearch& search) {
    return search.confidence == confidence;
  });
  return found != end ? &*found : nullptr;
}

void SharedTastes::add(const Context& context, TasteSearches& tastes) {
  for (TasteSearch& search : tastes.all()) asked_.emplace_back(&context, &search);
}

void SharedTastes::search() {
  std::span<const Asked> left = asked_;
  while (!left.empty()) {
    const auto other = std::ranges::find_if(
        left, [&](const Asked& asked) { return asked.first->live != left.front().first->live; });
    const auto same = static_cast<std::size_t>(other - left.begin());
    const std::size_t count = std::min(same, live_model::LiveModel::k_together_max);
    search(left.first(count));
    left = left.subspan(count);
  }
}

void SharedTastes::search(std::span<const Asked> together) {
  const Context& first = *together.front().first;
  std::vector<index::SearchRequest> requests;
  std::int64_t patience_us = first.left_us();
  for (const auto& [context, search] : together) {
    requests.push_back({search->query, search->k, search->allowed});
    patience_us = std::min(patience_us, context->left_us());
  }
  const std::int64_t begun_us = first.steady();
  auto found = first.live->search_batch(requests, patience_us);
  const std::int64_t took_us = first.steady() - begun_us;
  for (std::size_t i = 0; i < together.size(); ++i) {
    TasteSearch& search = *together[i].second;
    search.found = std::move(found[i]);
    search.took_us = took_us;
    search.share_us = took_us / static_cast<std::int64_t>(together.size());
  }
}

}  // namespace vitrine::recommend
