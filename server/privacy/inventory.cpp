#include "server/privacy/inventory.h"

#include <algorithm>
#include <array>

#include "base/status.h"
#include "server/store/families.h"

namespace vitrine::privacy {
namespace {

using store::Family;

constexpr std::array k_impersonal = {
    Impersonal{Family::meta, "key by key: see below"},
    Impersonal{Family::products, "what is sold, as the shop describes it"},
    Impersonal{Family::placements, "where products are shown, and by which rules"},
    Impersonal{Family::coupons, "campaigns and offers, as marketing made them"},
    Impersonal{Family::ledger,
               "movements by account: a person is a number or a keyed hash in them, which lead to "
               "nobody once identity has forgotten who that was"},
    Impersonal{Family::balances, "sums of the ledger, by the same accounts"},
    Impersonal{Family::keys, "keys of programs, hashed, with the name an administrator gave them"},
};

struct MetaKey {
  std::string_view prefix;
  std::string_view why;
};

constexpr std::array k_meta_keys = {
    MetaKey{"format_version", "a number"},
    MetaKey{"secret", "a random key of this folder"},
    MetaKey{"retention", "positions of the log, and times"},
    MetaKey{"decisions", "counters"},
    MetaKey{"coupons_last_number", "a counter"},
    MetaKey{"coupon_decisions", "counters"},
    MetaKey{"erasure/",
            "names nobody once every owner is done; until then it is what is to be done"},
    MetaKey{"consent/", "what people agreed to: the owner is consents"},
    MetaKey{"idempotent/", "answers that may name a person: the owner is kept_answers"},
};

}  // namespace

std::span<const Impersonal> impersonal_families() { return k_impersonal; }

std::vector<Family> unowned_families(std::span<events::PersonalData* const> owners) {
  std::vector<Family> unowned(store::all_families().begin(), store::all_families().end());
  for (const Impersonal& each : k_impersonal) std::erase(unowned, each.family);
  for (const events::PersonalData* const owner : owners) {
    for (const Family family : owner->families()) std::erase(unowned, family);
  }
  return unowned;
}

absl::Status check_meta_keys(const store::Database& database) {
  const auto cursor = database.walk(Family::meta, {}, true);
  for (; cursor->valid(); cursor->next()) {
    const bool is_accounted = std::ranges::any_of(k_meta_keys, [&](const MetaKey& each) {
      return each.prefix.ends_with('/') ? cursor->key().starts_with(each.prefix)
                                        : cursor->key() == each.prefix;
    });
    if (is_accounted) continue;
    return data_loss(
        "meta has the key '{}', which has neither an owner of personal data nor a "
        "reason why it needs none",
        cursor->key());
  }
  return cursor->status();
}

}  // namespace vitrine::privacy
