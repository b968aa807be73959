#include "server/recommend/pace.h"

#include <algorithm>

#include "base/check.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {

Pace& SourcePaces::of(std::string_view source) {
  const auto sources = all_sources();
  const auto found = std::ranges::find(sources, source, &CandidateSource::name);
  CHECK(found != sources.end() && sources.size() <= k_sources_max, "there is such a source");
  return paces_[static_cast<std::size_t>(found - sources.begin())];
}

}  // namespace vitrine::recommend
