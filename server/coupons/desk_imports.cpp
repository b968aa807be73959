// Grants and redemptions of another system, taken over as they were: no condition is asked again,
// no limit is passed.
#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/coupons/code.h"
#include "server/coupons/desk.h"
#include "server/events/function_command.h"

namespace vitrine::coupons {
namespace {

using store::Family;

PastOutcome refused(std::string why) { return {.is_new = false, .refusal = std::move(why)}; }

std::string no_offer(std::string_view id) { return fmt::format("there is no offer {}", id); }

std::string past_limit(const Account& account) {
  return fmt::format("the limit of {} {} is reached", *account.limit, account.name);
}

// What it was is not known, only what was taken off: one line without a product of that much.
Cart cart_of(const PastRedemption& past) {
  return {.lines = {{.line_id = "1", .unit_price = past.discount}}, .currency = past.currency};
}

}  // namespace

PastOutcome Desk::stage_past_grant(events::Batch& batch, const Source& source,
                                   const PastGrant& past) {
  const Terms terms = offers()->terms(past.offer);
  if (!terms.offer || !terms.campaign) return refused(no_offer(past.offer));
  if (terms.offer->is_honoured && past.valid_until_ms > batch.time_ms()) {
    return refused("what an honoured offer promises must be held: grant it anew");
  }
  const identity::Who who = parts_.identities.resolve(batch, past.user_id, "");
  if (who.is_erased) return refused("this user was erased");
  const std::string key = keys_.issue(past.offer, past.round, who.user);
  if (source.get(Family::grants, key)) return {};
  Grant grant = new_grant(terms, 0, who.user, past.issued_ms, past.round);
  if (!past.code.empty()) grant.code = past.code;
  if (source.get(Family::grants, keys_.code(normalized_code(grant.code)))) {
    return refused(fmt::format("code {} is another grant's", grant.code));
  }
  grant.valid_from_ms = past.issued_ms;
  grant.valid_until_ms = past.valid_until_ms;
  const Party party{.user = who.user, .time_ms = past.issued_ms};
  Tally tally(source);
  for (const Account& account : accounts_of(terms, party, {Measure::issued})) {
    if (account.limit && tally.left(account.name, *account.limit) < 1) {
      return refused(past_limit(account));
    }
    tally.add({.account = account.name, .committed = 1});
  }
  grant.number = next_number(batch, source);
  if (!source.status().ok()) return {};
  ledger_->post(batch, "import", "grant/" + std::to_string(grant.number), tally);
  put_new_grant(batch, grant, key);
  return {.is_new = true};
}

// The grant it was taken from, with one more use. Not every system tells of one.
absl::StatusOr<std::optional<Grant>> Desk::past_grant_used(const Source& source, UserNumber user,
                                                           const PastRedemption& past) const {
  if (user == k_nobody) return std::nullopt;
  const auto number = source.get(Family::grants, keys_.issue(past.offer, past.round, user));
  if (!number) return std::nullopt;
  std::optional<Grant> grant = read_grant(source, store::number_in(*number).value_or(0));
  if (!grant) return std::nullopt;
  if (grant->uses >= grant->uses_max) {
    return failed_precondition("grant {} was used {} times already", grant->number, grant->uses);
  }
  ++grant->uses;
  return grant;
}

PastOutcome Desk::stage_past_redemption(events::Batch& batch, const Source& source,
                                        const PastRedemption& past) {
  if (source.get(Family::grants, keys_.redemption(past.order_id))) return {};
  const Terms terms = offers()->terms(past.offer);
  if (!terms.offer || !terms.campaign) return refused(no_offer(past.offer));
  UserNumber user = k_nobody;
  if (!past.user_id.empty()) {
    const identity::Who who = parts_.identities.resolve(batch, past.user_id, "");
    if (!who.is_erased) user = who.user;
  }
  const auto grant = past_grant_used(source, user, past);
  if (!grant.ok()) return refused(std::string(message_of(grant.status())));
  Use use{.offer = past.offer, .version = terms.offer->version, .by_line = {past.discount}};
  if (*grant) {
    use.grant = (*grant)->number;
    use.code = (*grant)->code;
  }
  const Party party{.user = user,
                    .order = to_hex(keys_.redemption(past.order_id)),
                    .currency = past.currency,
                    .time_ms = past.time_ms};
  Tally tally(source);
  for (const Account& account : accounts_of(terms, party, {Measure::uses, Measure::discount})) {
    const std::int64_t amount = account.measure == Measure::uses ? 1 : past.discount.minor;
    if (account.limit && tally.left(account.name, *account.limit) < amount) {
      return refused(past_limit(account));
    }
    tally.add({.account = account.name, .committed = amount});
    use.counts.push_back({account.name, account.measure, amount});
  }
  if (!source.status().ok()) return {};
  ledger_->post(batch, "import", "order/" + past.order_id, tally);
  if (*grant) put_grant(batch, **grant);
  put_redemption(batch, {.order_id = past.order_id,
                         .user = user,
                         .time_ms = past.time_ms,
                         .request_hash = "import",
                         .cart = cart_of(past),
                         .uses = {std::move(use)}});
  return {.is_new = true};
}

template <class Past>
absl::Status Desk::take_over_all(std::vector<Past> all, StagePast<Past> stage, OnPast done) {
  const auto outcome =
      std::make_shared<absl::StatusOr<std::vector<PastOutcome>>>(std::vector<PastOutcome>{});
  const auto run = [this, outcome, stage, all = std::move(all)](events::Batch& batch) {
    const Source source(batch);
    std::vector<PastOutcome> became;
    for (const Past& past : all) became.push_back((this->*stage)(batch, source, past));
    if (source.status().ok()) {
      *outcome = std::move(became);
    } else {
      *outcome = source.status();
    }
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

absl::Status Desk::take_over(std::vector<PastGrant> grants, OnPast done) {
  return take_over_all(std::move(grants), &Desk::stage_past_grant, std::move(done));
}

absl::Status Desk::take_over(std::vector<PastRedemption> redemptions, OnPast done) {
  return take_over_all(std::move(redemptions), &Desk::stage_past_redemption, std::move(done));
}

}  // namespace vitrine::coupons
