// Coupons put into people's hands: issued, claimed, revoked, and forgotten.
#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/status.h"
#include "server/coupons/code.h"
#include "server/coupons/desk.h"
#include "server/events/function_command.h"
#include "server/events/replacements.h"

namespace vitrine::coupons {
namespace {

using store::Family;

// The one market of an honoured offer, or the first of another.
const Amounts& promised(const Offer& offer) { return offer.amounts.begin()->second; }

}  // namespace

Grant Desk::new_grant(const Terms& terms, std::uint64_t number, UserNumber user, TimeMs now_ms,
                      const std::string& round) {
  const Offer& offer = *terms.offer;
  Grant grant{.number = number,
              .code = make_code(),
              .offer = offer.id,
              .offer_version = offer.version,
              .user = user,
              .issued_ms = now_ms,
              .valid_from_ms = std::max(now_ms, offer.start_ms.value_or(terms.campaign->start_ms)),
              .valid_until_ms = offer.end_ms.value_or(terms.campaign->end_ms),
              .uses_max = offer.uses_per_grant,
              .round = round};
  if (offer.days_after_grant > 0) {
    grant.valid_until_ms = grant.valid_from_ms + offer.days_after_grant * k_day_ms;
  }
  return grant;
}

void Desk::put_new_grant(events::Batch& batch, const Grant& grant, const std::string& issue_key) {
  put_grant(batch, grant);
  batch.put(Family::grants, keys_.code(normalized_code(grant.code)), store::key_of(grant.number));
  if (grant.user == k_nobody) return;
  batch.put(Family::grants, issue_key, store::key_of(grant.number));
  batch.put(Family::grants, user_grant_key(grant.user, grant.number), "");
}

std::optional<Reason> Desk::refusal_of_issue(const Issue& issue, const Terms& terms,
                                             TimeMs now_ms) const {
  const Offer& offer = *terms.offer;
  const CampaignState state = terms.campaign->state_at(now_ms);
  if (state == CampaignState::paused || offer.is_paused) return Reason::paused;
  if (state == CampaignState::ended || state == CampaignState::archived) return Reason::expired;
  if (offer.end_ms && now_ms >= *offer.end_ms) return Reason::expired;
  if (state == CampaignState::draft) return Reason::not_started;
  if (!issue.is_claim) return std::nullopt;
  if (state == CampaignState::scheduled || (offer.start_ms && now_ms < *offer.start_ms)) {
    return Reason::not_started;
  }
  const Conditions& asked = offer.conditions;
  const bool fits_level =
      asked.levels.empty() ||
      std::ranges::find(asked.levels, issue.shopper.level) != asked.levels.end();
  if (!fits_level || issue.shopper.not_meant.contains(terms.campaign->id)) return Reason::segment;
  if (asked.first_order && issue.shopper.orders > 0) return Reason::first_order_only;
  return std::nullopt;
}

std::optional<Reason> Desk::refusal_of_grants(const Terms& terms) const {
  return refusal_of_issue(Issue{}, terms, parts_.clock.now_ms());
}

Desk::Issued Desk::issue_one(events::Batch& batch, const Source& source, const Issue& issue,
                             const Terms& terms, UserNumber user) {
  Issued issued;
  const std::string key =
      keys_.issue(terms.offer->id, issue.is_claim ? "#claim" : issue.round, user);
  if (user != k_nobody) {
    if (const auto known = source.get(Family::grants, key)) {
      issued.grant = read_grant(source, store::number_in(*known).value_or(0));
      return issued;
    }
  }
  const Party party{
      .user = user, .currency = promised(*terms.offer).currency, .time_ms = batch.time_ms()};
  const std::int64_t promise =
      most_off(terms.offer->effect, promised(*terms.offer)).value_or(Money{}).minor *
      terms.offer->uses_per_grant;
  Tally tally(source);
  std::vector<Posting> holds;
  for (const Account& account : accounts_of(
           terms, party, {Measure::issued, Measure::liability, Measure::uses, Measure::discount})) {
    const bool is_count = account.measure == Measure::issued;
    const bool is_promise = account.measure == Measure::liability || terms.offer->is_honoured;
    if (!is_count && (!is_promise || account.scope != Scope::global)) continue;
    const bool is_money_one = is_money(account.measure);
    const std::int64_t amount = is_money_one ? promise : 1;
    if (account.limit && tally.left(account.name, *account.limit) < amount) {
      issued.denial =
          Denial{.reason = account.scope == Scope::user ? Reason::user_limit : Reason::budget};
      return issued;
    }
    if (is_count) tally.add({.account = account.name, .committed = amount});
    if (is_count || amount == 0) continue;
    tally.add({.account = account.name, .held = amount});
    holds.push_back({.account = account.name, .held = amount});
  }
  // What could not be read is nobody's grant: then nothing of it is staged.
  const std::uint64_t number = next_number(batch, source);
  if (!source.status().ok()) return issued;
  Grant grant = new_grant(terms, number, user, batch.time_ms(), issue.round);
  grant.holds = std::move(holds);
  ledger_->post(batch, "issue", "grant/" + std::to_string(grant.number), tally);
  put_new_grant(batch, grant, key);
  if (!grant.holds.empty()) put_due(batch, grant.valid_until_ms, grant_key(grant.number));
  issued.grant = std::move(grant);
  issued.is_new = true;
  return issued;
}

absl::StatusOr<std::vector<Desk::Issued>> Desk::stage_issue(events::Batch& batch,
                                                            const Issue& issue) {
  const Terms terms = offers()->terms(issue.offer);
  if (!terms.offer || !terms.campaign) return not_found("there is no offer {}", issue.offer);
  const Trigger trigger = terms.offer->trigger;
  const bool fits = issue.is_claim    ? trigger == Trigger::claimed
                    : issue.codes > 0 ? trigger == Trigger::code && terms.offer->code.empty()
                                      : trigger == Trigger::granted;
  if (!fits) {
    return invalid_argument(
        "offer {} has the trigger {}: people claim claimed ones, users are granted granted ones, "
        "and codes are made for those of the trigger code without a public code",
        issue.offer, name_of(trigger));
  }
  const Source source(batch);
  std::vector<Issued> all;
  const std::optional<Reason> refused = refusal_of_issue(issue, terms, batch.time_ms());
  const auto give = [&](UserNumber user, const std::string& user_id,
                        std::optional<float> score = {}) {
    Issued issued = refused ? Issued{.denial = Denial{.reason = *refused}}
                            : decide_one(batch, source, issue, terms, user, score);
    issued.user_id = user_id;
    all.push_back(std::move(issued));
  };
  for (const std::string& user_id : issue.user_ids) {
    const identity::Who who = parts_.identities.resolve(batch, user_id, "");
    if (!who.is_erased) give(who.user, user_id);
  }
  for (std::size_t i = 0; i < issue.people.size(); ++i) {
    const UserNumber user = parts_.identities.home_of(batch, issue.people[i]);
    if (user != k_nobody && parts_.identities.is_user(user)) {
      give(user, "", i < issue.scores.size() ? std::optional(issue.scores[i]) : std::nullopt);
    } else {
      all.emplace_back();
    }
  }
  for (std::int64_t i = 0; i < issue.codes; ++i) give(k_nobody, "");
  VITRINE_RETURN_IF_ERROR(source.status());
  return all;
}

absl::Status Desk::issue(Issue issue, OnIssued done) {
  sweep_if_due();
  const auto outcome = std::make_shared<absl::StatusOr<std::vector<Issued>>>(std::vector<Issued>{});
  const auto run = [this, outcome, issue = std::move(issue)](events::Batch& batch) {
    *outcome = stage_issue(batch, issue);
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

// What a grant held is free again, unless an order holds the grant still.
void Desk::lapse_grant(events::Batch& batch, TimeMs due_ms, Grant grant) {
  const std::string key = grant_key(grant.number);
  erase_due(batch, due_ms, key);
  if (grant.holds.empty()) return;
  const Source source(batch);
  if (grant.reservation != 0) {
    const auto order = read_order(source, reservation_key(grant.reservation));
    if (order) return put_due(batch, std::max(order->expires_ms, batch.time_ms()) + 1, key);
  }
  Tally tally(source);
  for (const Posting& hold : grant.holds) tally.add({.account = hold.account, .held = -hold.held});
  ledger_->post(batch, grant.is_revoked ? "revoke" : "expire",
                "grant/" + std::to_string(grant.number), tally);
  grant.holds.clear();
  grant.has_lapsed = !grant.is_revoked;
  put_grant(batch, grant);
}

absl::Status Desk::revoke(std::uint64_t number, std::function<void(absl::StatusOr<Grant>)> done) {
  const auto outcome = std::make_shared<absl::StatusOr<Grant>>(Grant{});
  const auto run = [this, outcome, number](events::Batch& batch) {
    const Source source(batch);
    std::optional<Grant> grant = read_grant(source, number);
    if (!grant || !source.status().ok()) {
      *outcome = source.status().ok() ? not_found("there is no grant {}", number) : source.status();
      return absl::OkStatus();
    }
    grant->is_revoked = true;
    put_grant(batch, *grant);
    lapse_grant(batch, grant->valid_until_ms, *grant);
    *outcome = *std::move(grant);
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

absl::StatusOr<std::optional<Grant>> Desk::grant(std::uint64_t number) const {
  const Source source(parts_.database);
  std::optional<Grant> grant = read_grant(source, number);
  VITRINE_RETURN_IF_ERROR(source.status());
  return grant;
}

absl::StatusOr<std::vector<Grant>> Desk::grants_of(UserNumber user, std::size_t count_max) const {
  std::vector<Grant> grants;
  const Source source(parts_.database);
  const std::string prefix = user_key(user);
  const auto cursor = parts_.database.walk(Family::grants, prefix, false);
  for (; cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    if (grants.size() == count_max) break;
    const auto number = store::number_in(cursor->key().substr(prefix.size()));
    if (auto grant = read_grant(source, number.value_or(0))) grants.push_back(*std::move(grant));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  VITRINE_RETURN_IF_ERROR(source.status());
  return grants;
}

absl::StatusOr<std::string> Desk::export_person(const events::DataSubject& subject) const {
  boost::json::array records;
  const Source source(parts_.database);
  for (const UserNumber user : subject.histories) {
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Grant> own, grants_of(user, SIZE_MAX));
    for (const Grant& grant : own) {
      records.push_back(boost::json::object{{"grant", boost::json::parse(encode(grant))}});
    }
    const std::string prefix = user_order_key(user, "");
    const auto cursor = parts_.database.walk(Family::grants, prefix, false);
    for (; cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
      const auto order = source.get(Family::grants, cursor->key().substr(prefix.size()));
      if (order) {
        records.push_back(boost::json::object{{"redemption", boost::json::parse(*order)}});
      }
    }
    VITRINE_RETURN_IF_ERROR(cursor->status());
    VITRINE_ASSIGN_OR_RETURN(const PointsAccount points, points_of(user));
    for (const PointsEntry& one : points.entries()) {
      records.push_back(boost::json::object{{"points", one.change},
                                            {"time", format_time(one.time_ms)},
                                            {"kind", one.kind},
                                            {"reference", one.reference}});
    }
  }
  VITRINE_RETURN_IF_ERROR(source.status());
  return boost::json::serialize(records);
}

absl::StatusOr<events::Erased> Desk::erase_person(const events::DataSubject& subject,
                                                  events::Committer& committer) {
  events::Erased erased;
  const Source disk(parts_.database);
  for (const UserNumber user : subject.histories) {
    std::vector<std::string> order_keys;
    const std::string prefix = user_order_key(user, "");
    const auto cursor = parts_.database.walk(Family::grants, prefix, false);
    for (; cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
      order_keys.emplace_back(cursor->key().substr(prefix.size()));
    }
    VITRINE_RETURN_IF_ERROR(cursor->status());
    VITRINE_ASSIGN_OR_RETURN(const std::vector<Grant> grants, grants_of(user, SIZE_MAX));
    absl::Status forgotten;
    VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
      const Source source(batch);
      for (const Grant& one : grants) {
        std::optional<Grant> grant = read_grant(source, one.number);
        if (!grant) continue;
        // What an order holds rests on what the grant holds: it goes first.
        if (std::optional<Order> held = read_order(source, reservation_key(grant->reservation))) {
          held->user = k_nobody;
          expire_reservation(batch, *std::move(held), "release");
          grant = read_grant(source, one.number);
        }
        grant->is_revoked = true;
        grant->reservation = 0;
        lapse_grant(batch, grant->valid_until_ms, *grant);
        batch.erase(Family::grants, grant_key(one.number));
        batch.erase(Family::grants, user_grant_key(user, one.number));
        batch.erase(Family::grants, keys_.code(normalized_code(one.code)));
        batch.erase(Family::grants,
                    keys_.issue(one.offer, one.round.empty() ? "#claim" : one.round, user));
        ++erased.dropped;
      }
      batch.erase(Family::grants, new_coupons_key(user));
      for (const std::string& key : order_keys) {
        std::optional<Order> order = read_order(source, key);
        if (!order) continue;
        order->user = k_nobody;
        batch.put(Family::grants, key, encode(*order));
        batch.erase(Family::grants, prefix + key);
        ++erased.kept_without_person;
      }
      forgotten = forget_points(batch, source, user);
      return absl::OkStatus();
    }));
    VITRINE_RETURN_IF_ERROR(forgotten);
  }
  return erased;
}

}  // namespace vitrine::coupons
