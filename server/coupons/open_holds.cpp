#include "server/coupons/open_holds.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/status.h"
#include "server/coupons/ledger.h"
#include "server/coupons/records.h"
#include "server/coupons/shelf_keys.h"

namespace vitrine::coupons {
namespace {

using store::Family;

class Holds {
 public:
  explicit Holds(const store::Database& database) : database_(database), source_(database) {}

  absl::StatusOr<OpenHolds> check() {
    VITRINE_RETURN_IF_ERROR(add_grants());
    VITRINE_RETURN_IF_ERROR(add_reservations());
    VITRINE_RETURN_IF_ERROR(compare());
    return found_;
  }

 private:
  absl::Status add_grants() {
    const auto cursor = database_.walk(Family::grants, "g", true);
    for (; cursor->valid() && cursor->key().front() == 'g'; cursor->next()) {
      VITRINE_ASSIGN_OR_RETURN(const Grant grant, decode_grant(cursor->value()));
      found_.grants += grant.holds.empty() ? 0 : 1;
      for (const Posting& hold : grant.holds) held_[hold.account] += hold.held;
    }
    return cursor->status();
  }

  absl::Status add_reservations() {
    const auto cursor = database_.walk(Family::grants, "h", true);
    for (; cursor->valid() && cursor->key().front() == 'h'; cursor->next()) {
      VITRINE_ASSIGN_OR_RETURN(const Order order, decode_order(cursor->value()));
      if (order.state != OrderState::held) continue;
      ++found_.reservations;
      for (const Use& use : order.uses) VITRINE_RETURN_IF_ERROR(add_use(use));
    }
    return cursor->status();
  }

  // What a grant holds is held for its use already.
  absl::Status add_use(const Use& use) {
    Grant grant;
    if (use.grant != 0) {
      const auto stored = source_.get(Family::grants, grant_key(use.grant));
      VITRINE_RETURN_IF_ERROR(source_.status());
      if (stored) {
        VITRINE_ASSIGN_OR_RETURN(grant, decode_grant(*stored));
      }
    }
    for (const Use::Count& count : use.counts) {
      if (std::ranges::find(grant.holds, count.account, &Posting::account) == grant.holds.end()) {
        held_[count.account] += count.amount;
      }
    }
    return absl::OkStatus();
  }

  absl::Status compare() {
    const auto cursor = database_.walk(Family::balances, "", true);
    for (; cursor->valid(); cursor->next()) {
      const std::string account(cursor->key());
      const Balance balance = balance_of(source_, account);
      VITRINE_RETURN_IF_ERROR(source_.status());
      const auto sum = held_.find(account);
      const std::int64_t expected = sum == held_.end() ? 0 : sum->second;
      if (balance.held != expected) {
        return data_loss("{} holds {}, what is reserved and promised comes to {}", account,
                         balance.held, expected);
      }
      if (sum != held_.end()) held_.erase(sum);
      ++found_.accounts;
    }
    VITRINE_RETURN_IF_ERROR(cursor->status());
    for (const auto& [account, amount] : held_) {
      if (amount != 0)
        return data_loss("{} of {} are reserved, and no balance says so", amount, account);
    }
    return absl::OkStatus();
  }

  const store::Database& database_;
  const Source source_;
  std::map<std::string, std::int64_t> held_;
  OpenHolds found_;
};

}  // namespace

absl::StatusOr<OpenHolds> check_open_holds(const store::Database& database) {
  return Holds(database).check();
}

}  // namespace vitrine::coupons
