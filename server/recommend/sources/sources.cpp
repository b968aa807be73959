#include "server/recommend/sources/sources.h"

#include <algorithm>
#include <array>

namespace vitrine::recommend {

std::span<const CandidateSource* const> all_sources() {
  static const std::array sources = {
      &personal_source(),    &session_source(), &similar_source(),  &together_source(),
      &also_viewed_source(), &upsell_source(),  &trending_source(), &popular_source(),
      &recent_source(),      &new_source(),     &catalog_source(),  &buy_again_source(),
  };
  return sources;
}

const CandidateSource* find_source(std::string_view name) {
  const auto sources = all_sources();
  const auto found = std::ranges::find(sources, name, &CandidateSource::name);
  return found == sources.end() ? nullptr : *found;
}

}  // namespace vitrine::recommend
