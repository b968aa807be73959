#include "server/coupons/accounts.h"

#include <algorithm>

namespace vitrine::coupons {
namespace {

std::vector<std::string> scope_keys(Scope scope, const Party& party) {
  const auto one = [](std::string_view key) {
    return key.empty() ? std::vector<std::string>{} : std::vector<std::string>{std::string(key)};
  };
  switch (scope) {
    case Scope::global:
      return {""};
    case Scope::user:
      return one(party.user == k_nobody ? "" : std::to_string(party.user.value()));
    case Scope::code:
      return one(party.code);
    case Scope::identifier:
      return party.identifiers;
    case Scope::market:
      return one(party.market);
    case Scope::order:
      return one(party.order);
  }
  return {};
}

class Accounts {
 public:
  Accounts(const Calendar& calendar, const Party& party, std::initializer_list<Measure> measures)
      : calendar_(calendar), party_(party), measures_(measures) {}

  void add(std::string_view level, std::string_view id, const std::vector<Limit>& limits) {
    for (const Measure measure : measures_) {
      put({.name = total_account(level, id, measure, party_.currency), .measure = measure});
    }
    for (const Limit& limit : limits) add_limit(level, id, limit);
  }
  std::vector<Account> take() { return std::move(accounts_); }

 private:
  void add_limit(std::string_view level, std::string_view id, const Limit& limit) {
    if (std::ranges::find(measures_, limit.measure) == measures_.end()) return;
    if (is_money(limit.measure) && limit.currency != party_.currency) return;
    for (const std::string& key : scope_keys(limit.scope, party_)) {
      std::string name = total_account(level, id, limit.measure, party_.currency);
      if (limit.scope != Scope::global) {
        name.append("/").append(name_of(limit.scope)).append("/").append(key);
      }
      if (limit.period != Period::lifetime) {
        name.append("/").append(name_of(limit.period)).append("/");
        name += calendar_.period_start(limit.period, party_.time_ms);
      }
      put({.name = std::move(name),
           .measure = limit.measure,
           .scope = limit.scope,
           .limit = limit.value,
           .caps = limit.caps});
    }
  }

  // Of two limits on one account the lower one holds.
  void put(Account account) {
    const auto known = std::ranges::find(accounts_, account.name, &Account::name);
    if (known == accounts_.end()) return accounts_.push_back(std::move(account));
    if (!account.limit || (known->limit && *known->limit <= *account.limit)) return;
    known->limit = account.limit;
    known->caps = account.caps;
  }

  const Calendar& calendar_;
  const Party& party_;
  std::vector<Measure> measures_;
  std::vector<Account> accounts_;
};

}  // namespace

std::string total_account(std::string_view level, std::string_view id, Measure measure,
                          std::string_view currency) {
  std::string name(level);
  name.append("/").append(id).append("/").append(name_of(measure));
  if (is_money(measure)) name.append("/").append(currency);
  return name;
}

std::vector<Account> accounts_of(const Terms& terms, const Party& party,
                                 std::initializer_list<Measure> measures) {
  Accounts accounts(terms.campaign->calendar, party, measures);
  accounts.add("campaign", terms.campaign->id, terms.campaign->budgets);
  accounts.add("offer", terms.offer->id, terms.offer->limits);
  return accounts.take();
}

bool has_limit_by(const Terms& terms, Scope scope) {
  const auto counts = [scope](const Limit& limit) { return limit.scope == scope; };
  return std::ranges::any_of(terms.campaign->budgets, counts) ||
         std::ranges::any_of(terms.offer->limits, counts);
}

}  // namespace vitrine::coupons
