#include "training/uplift/holdout.h"

#include "base/random.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

absl::Status check_share(std::string_view field, double share, std::string_view seed) {
  if (!(share >= 0 && share <= HoldoutPlan::k_share_max)) {
    return invalid_argument("{} must be from 0 to {}, got {}", field, HoldoutPlan::k_share_max,
                            share);
  }
  if (share > 0 && seed.empty()) return invalid_argument("{} of {} needs a seed", field, share);
  return absl::OkStatus();
}

}  // namespace

std::string_view name_of(Assignment assignment) {
  switch (assignment) {
    case Assignment::offered:
      return "offered";
    case Assignment::holdout:
      return "holdout";
    case Assignment::universal_control:
      return "universal_control";
  }
  return "";
}

absl::Status check(const HoldoutPlan& plan) {
  VITRINE_RETURN_IF_ERROR(check_share("holdout.share", plan.share, plan.campaign_seed));
  return check_share("holdout.universal_share", plan.universal_share, plan.universal_seed);
}

double place_of(std::uint64_t person, std::string_view seed) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a of the seed
  for (const char letter : seed)
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3U;
  return static_cast<double>(mix64(mix64(hash) + mix64(person)) >> 11U) * 0x1.0p-53;
}

Assignment assignment_of(std::uint64_t person, const HoldoutPlan& plan) {
  // Two prefixes, so that equal seeds do not make the campaign's share a part of the universal one.
  if (plan.universal_share > 0 &&
      place_of(person, "universal:" + plan.universal_seed) < plan.universal_share)
    return Assignment::universal_control;
  if (plan.share > 0 && place_of(person, "campaign:" + plan.campaign_seed) < plan.share)
    return Assignment::holdout;
  return Assignment::offered;
}

}  // namespace vitrine::training
