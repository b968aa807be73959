// Which accounts of the ledger something counts on, and how much each may have.
//
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/coupons/offer_book.h"

namespace vitrine::coupons {

// Who and what something is counted for. Codes, identifiers and orders as keyed hashes.
struct Party {
  UserNumber user = k_nobody;
  std::string code = {};  // empty: none
  std::vector<std::string> identifiers = {};
  std::string market = {};
  std::string order = {};
  std::string currency = {};
  TimeMs time_ms = 0;
};

struct Account {
  std::string name = {};
  Measure measure = Measure::uses;
  Scope scope = Scope::global;
  std::optional<std::int64_t> limit = {};
  bool caps = false;
};

// Those of the campaign and of the offer: of all measures asked for in all, and where a limit
// counts by something else, by that. A limit whose scope the party does not name has no account.
std::vector<Account> accounts_of(const Terms& terms, const Party& party,
                                 std::initializer_list<Measure> measures);

// Whether a limit counts by user, or by identifier, which a party may not name.
bool has_limit_by(const Terms& terms, Scope scope);

// Of all time, for everybody: "offer/spring/uses".
std::string total_account(std::string_view level, std::string_view id, Measure measure,
                          std::string_view currency);

}  // namespace vitrine::coupons
