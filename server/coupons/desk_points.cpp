// Points at the desk: earned with what is redeemed, taken back with what is returned, given and
// spent by the shop.
#include <boost/json.hpp>
#include <utility>

#include "base/status.h"
#include "server/coupons/desk.h"
#include "server/events/function_command.h"

namespace vitrine::coupons {
namespace {

using store::Family;

TimeMs expiry_of(const Terms& terms, TimeMs now_ms) {
  const std::int64_t days = terms.offer ? terms.offer->effect.points_days : 0;
  return days == 0 ? Campaign::k_never_ms : now_ms + days * k_day_ms;
}

std::string encode(const Desk::PointsChanged& changed) {
  return boost::json::serialize(boost::json::array{changed.change, changed.balance});
}

absl::StatusOr<Desk::PointsChanged> decode_points_changed(std::string_view bytes) {
  boost::json::error_code error;
  const boost::json::value parsed = boost::json::parse({bytes.data(), bytes.size()}, error);
  const boost::json::array* const both = error ? nullptr : parsed.if_array();
  if (both == nullptr || both->size() != 2)
    return data_loss("an answer about points cannot be read");
  return Desk::PointsChanged{.change = both->at(0).to_number<std::int64_t>(),
                             .balance = both->at(1).to_number<std::int64_t>(),
                             .is_replay = true};
}

}  // namespace

absl::StatusOr<std::optional<PointsAccount>> Desk::points_with(const Source& source,
                                                               const Order& order,
                                                               TimeMs now_ms) const {
  if (order.points() == 0 || order.user == k_nobody) return std::nullopt;
  VITRINE_ASSIGN_OR_RETURN(PointsAccount account, PointsAccount::read(source, order.user, now_ms));
  return account;
}

// Each offer's with its own time.
void Desk::earn(events::Batch& batch, const Order& order, std::optional<PointsAccount> account,
                Tally& tally) const {
  if (!account) return;
  const std::shared_ptr<const OfferBook> book = offers();
  for (const Use& use : order.uses) {
    if (use.points == 0) continue;
    account->add("earn", use.points,
                 expiry_of(book->terms(use.offer, use.version), batch.time_ms()), order.order_id);
  }
  account->stage(batch, tally);
}

absl::StatusOr<Desk::PointsChanged> Desk::stage_points(events::Batch& batch,
                                                       const PointsChange& change) {
  const Source source(batch);
  const identity::Who who = parts_.identities.resolve(batch, change.user_id, "");
  if (who.is_erased) return not_found("this user was erased");
  const std::string key = keys_.points(who.user, change.reference);
  if (const auto known = source.get(Family::grants, key)) {
    VITRINE_ASSIGN_OR_RETURN(const PointsChanged earlier, decode_points_changed(*known));
    if (earlier.change == change.points) return earlier;
    return conflict("reference {} came before with {} points, got {}", change.reference,
                    earlier.change, change.points);
  }
  VITRINE_ASSIGN_OR_RETURN(PointsAccount account,
                           PointsAccount::read(source, who.user, batch.time_ms()));
  if (change.points > 0) {
    account.add("give", change.points, change.expires_ms, change.reference);
  } else if (!account.spend(-change.points, change.reference)) {
    return failed_precondition("{} points are there, {} are wanted", account.balance(),
                               -change.points);
  }
  Tally tally(source);
  account.stage(batch, tally);
  ledger_->post(batch, "points", "user/" + std::to_string(who.user.value()), tally);
  const PointsChanged changed{.change = change.points, .balance = account.balance()};
  batch.put(Family::grants, key, encode(changed));
  return changed;
}

absl::Status Desk::change_points(PointsChange change, OnPoints done) {
  const auto outcome = std::make_shared<absl::StatusOr<PointsChanged>>(PointsChanged{});
  // What is refused may have made the user known, so it is no failure of the command.
  const auto run = [this, outcome, change = std::move(change)](events::Batch& batch) {
    *outcome = stage_points(batch, change);
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

absl::StatusOr<PointsAccount> Desk::points_of(UserNumber user) const {
  const Source source(parts_.database);
  return PointsAccount::read(source, user, parts_.clock.now_ms());
}

absl::Status Desk::forget_points(events::Batch& batch, const Source& source, UserNumber user) {
  VITRINE_ASSIGN_OR_RETURN(const PointsAccount account,
                           PointsAccount::read(source, user, batch.time_ms()));
  if (account.entries().empty()) return absl::OkStatus();
  Tally tally(source);
  account.stage_erasure(batch, tally);
  ledger_->post(batch, "forget", "user/" + std::to_string(user.value()), tally);
  return absl::OkStatus();
}

}  // namespace vitrine::coupons
