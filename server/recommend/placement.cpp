#include "server/recommend/placement.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "server/recommend/pool.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= PlacementLimits::k_name_bytes_max &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

std::string source_names() {
  std::string names;
  for (const CandidateSource* const source : all_sources()) {
    if (!names.empty()) names += ", ";
    names += source->name();
  }
  return names;
}

absl::Status check_source(std::string_view field, const std::string& name) {
  if (find_source(name) != nullptr) return absl::OkStatus();
  return invalid_argument("{} must name sources there are ({}), got '{}'", field, source_names(),
                          name.substr(0, PlacementLimits::k_name_bytes_max));
}

absl::Status check_sources(const Placement& placement) {
  if (placement.sources.empty() || placement.sources.size() > Pool::k_sources_max) {
    return invalid_argument("sources must name between 1 and {} sources, got {}",
                            Pool::k_sources_max, placement.sources.size());
  }
  for (std::size_t i = 0; i < placement.sources.size(); ++i) {
    const SourceWeight& weighted = placement.sources[i];
    VITRINE_RETURN_IF_ERROR(check_source("sources", weighted.source));
    if (!(weighted.weight > 0 && weighted.weight <= PlacementLimits::k_weight_max)) {
      return invalid_argument("sources must have weights above 0 and at most {}, got {} for {}",
                              PlacementLimits::k_weight_max, weighted.weight, weighted.source);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (placement.sources[j].source == weighted.source) {
        return invalid_argument("sources must name each source once, got {} twice",
                                weighted.source);
      }
    }
  }
  if (placement.fallback.size() > all_sources().size()) {
    return invalid_argument("fallback must name at most {} sources, got {}", all_sources().size(),
                            placement.fallback.size());
  }
  for (const std::string& name : placement.fallback) {
    VITRINE_RETURN_IF_ERROR(check_source("fallback", name));
  }
  return absl::OkStatus();
}

void name_all(const std::vector<std::string>& segments, const std::string& where,
              std::vector<NamedSegment>& named) {
  for (const std::string& segment : segments) named.push_back({segment, where});
}

}  // namespace

absl::Status validate(const Variety& variety) {
  if (!(variety.diversity >= 0 && variety.diversity <= 1)) {
    return invalid_argument("variety.diversity must be between 0 and 1, got {}", variety.diversity);
  }
  if (!(variety.repeats_max_share > 0 && variety.repeats_max_share <= 1)) {
    return invalid_argument("variety.repeats_max_share must be above 0 and at most 1, got {}",
                            variety.repeats_max_share);
  }
  const std::array<std::pair<std::string_view, std::size_t>, 3> counts = {
      {{"category_max", variety.category_max},
       {"brand_max", variety.brand_max},
       {"explores_one_in", variety.explores_one_in}}};
  for (const auto& [name, count] : counts) {
    if (count <= Variety::k_count_max) continue;
    return invalid_argument("variety.{} must be at most {}, got {}", name, Variety::k_count_max,
                            count);
  }
  return absl::OkStatus();
}

absl::Status validate(const Placement& placement) {
  if (!is_name(placement.name)) {
    return invalid_argument("placement must have 1 to {} of a-z, 0-9, _ and -, got '{}'",
                            PlacementLimits::k_name_bytes_max, placement.name.substr(0, 100));
  }
  VITRINE_RETURN_IF_ERROR(check_sources(placement));
  VITRINE_RETURN_IF_ERROR(validate(placement.filter, "filter"));
  VITRINE_RETURN_IF_ERROR(validate(placement.rules, "rules", k_rules_max));
  return validate(placement.variety);
}

std::vector<NamedSegment> named_segments(const Placement& placement) {
  std::vector<NamedSegment> named;
  name_all(placement.filter.expression.segments(), "filter", named);
  name_all(placement.audience.segments(), "audience", named);
  for (const Rule& rule : placement.rules) {
    const std::string where = fmt::format("rules[{}]", rule.id);
    name_all(rule.when.expression.segments(), where, named);
    name_all(rule.audience.segments(), where, named);
  }
  return named;
}

}  // namespace vitrine::recommend
