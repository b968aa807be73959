// What a campaign may still give away, as an allocation sees it: budgets of money that steer it,
// and counts that only the ledger holds.
//
// Read at one moment; amounts in whole units of one currency. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/desk.h"
#include "server/coupons/offer_book.h"

namespace vitrine::coupons {

struct CampaignBudgets {
  // Discounts of all time, for everybody.
  struct Budget {
    std::string account = {};  // "campaign/spring/discount/EUR"
    double left = 0;
  };
  // Uses or grants of all time, for everybody.
  struct Count {
    std::string account = {};
    Measure measure = Measure::issued;
    std::int64_t left = 0;
    std::vector<std::uint32_t> offers = {};  // that count on it, by their places
  };
  std::vector<Budget> budgets = {};
  std::vector<std::vector<std::uint32_t>> of_offer = {};  // budgets each offer draws from
  std::vector<Count> counts = {};

  static absl::StatusOr<CampaignBudgets> read(const Desk& desk, std::span<const Terms> offers,
                                              std::string_view currency);
};

}  // namespace vitrine::coupons
