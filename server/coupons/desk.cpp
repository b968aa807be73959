#include "server/coupons/desk.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/events/function_command.h"
#include "server/profiles/fixed_hash.h"

namespace vitrine::coupons {
namespace {

using store::Family;

constexpr std::string_view k_last_number_key = "coupons_last_number";

std::string reference_of(const Order& order) { return "order/" + order.order_id; }

}  // namespace

Desk::Desk(const Parts& parts, std::unique_ptr<Ledger> ledger, std::shared_ptr<DenialBook> denials,
           Dues dues)
    : parts_(parts),
      keys_(parts.database.secret()),
      ledger_(std::move(ledger)),
      denials_(std::move(denials)),
      dues_(std::move(dues)) {}

absl::StatusOr<std::unique_ptr<Desk>> Desk::open(const Parts& parts) {
  VITRINE_ASSIGN_OR_RETURN(auto ledger, Ledger::open(parts.database));
  VITRINE_ASSIGN_OR_RETURN(auto denials, DenialBook::open(parts.database, parts.metrics));
  Dues dues;
  const auto cursor = parts.database.walk(Family::grants, "e", false);
  for (; cursor->valid() && cursor->key().front() == 'e'; cursor->next()) {
    const auto time_ms = store::number_in(cursor->key().substr(1, 8));
    if (!time_ms) return data_loss("a key of what falls due cannot be read");
    dues.emplace(static_cast<TimeMs>(*time_ms), cursor->key().substr(9));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return std::unique_ptr<Desk>(
      new Desk(parts, std::move(ledger), std::move(denials), std::move(dues)));
}

absl::Status Desk::submit(Stage stage, OnOutcome done) {
  sweep_if_due();
  const auto outcome = std::make_shared<absl::StatusOr<Outcome>>(Outcome{});
  // What is refused may have made the user known, so it is no failure of the command.
  const auto run = [stage = std::move(stage), outcome](events::Batch& batch) {
    *outcome = stage(batch);
    return absl::OkStatus();
  };
  const auto answer = [this, outcome, done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(status);
    if (outcome->ok()) note((*outcome)->denied);
    done(std::move(*outcome));
  };
  return parts_.committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

void Desk::sweep_if_due() {
  {
    const std::lock_guard lock(mutex_);
    if (dues_.empty() || dues_.begin()->first > parts_.clock.now_ms()) return;
  }
  const auto run = [this](events::Batch& batch) {
    stage_sweep(batch);
    return absl::OkStatus();
  };
  // A full queue is seen by the command that comes next.
  parts_.committer
      .submit(std::make_unique<events::FunctionCommand>(run, [](const absl::Status&) {}))
      .IgnoreError();
}

void Desk::stage_sweep(events::Batch& batch) {
  Dues due;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : dues_) {
      if (one.first > batch.time_ms() || due.size() == k_swept_max) break;
      due.insert(one);
    }
  }
  const Source source(batch);
  for (const auto& [time_ms, key] : due) {
    if (!batch.get(Family::grants, due_key(time_ms, key)).value_or(std::nullopt)) continue;
    if (key.front() == 'h') {
      if (auto order = read_order(source, key)) {
        expire_reservation(batch, *std::move(order), "expire");
      }
    } else if (auto grant = read_grant(source, *store::number_in(key.substr(1)))) {
      lapse_grant(batch, time_ms, *std::move(grant));
    }
  }
}

Desk::DueChanges& Desk::due_changes(events::Batch& batch) {
  return batch.staged_by<DueChanges>(this, [&] {
    auto changes = std::make_shared<DueChanges>();
    batch.after_sync([this, changes] {
      const std::lock_guard lock(mutex_);
      for (const auto& one : changes->removed) dues_.erase(one);
      dues_.merge(changes->added);
    });
    return changes;
  });
}

void Desk::put_due(events::Batch& batch, TimeMs time_ms, const std::string& key) {
  batch.put(Family::grants, due_key(time_ms, key), "");
  due_changes(batch).added.emplace(time_ms, key);
}

void Desk::erase_due(events::Batch& batch, TimeMs time_ms, const std::string& key) {
  batch.erase(Family::grants, due_key(time_ms, key));
  DueChanges& changes = due_changes(batch);
  changes.added.erase({time_ms, key});
  changes.removed.emplace(time_ms, key);
}

std::uint64_t Desk::next_number(events::Batch& batch, const Source& source) {
  const auto stored = source.get(Family::meta, k_last_number_key);
  if (!source.status().ok()) return 0;
  const std::uint64_t last = stored ? store::number_in(*stored).value_or(0) : 0;
  batch.put(Family::meta, k_last_number_key, store::key_of(last + 1));
  return last + 1;
}

std::optional<Grant> Desk::read_grant(const Source& source, std::uint64_t number) const {
  const auto stored = source.get(Family::grants, grant_key(number));
  if (!stored) return std::nullopt;
  absl::StatusOr<Grant> grant = decode_grant(*stored);
  if (grant.ok()) return *std::move(grant);
  source.fail(grant.status());
  return std::nullopt;
}

std::optional<Order> Desk::read_order(const Source& source, std::string_view key) const {
  const auto stored = source.get(Family::grants, key);
  if (!stored) return std::nullopt;
  absl::StatusOr<Order> order = decode_order(*stored);
  if (order.ok()) return *std::move(order);
  source.fail(order.status());
  return std::nullopt;
}

void Desk::put_grant(events::Batch& batch, const Grant& grant) {
  batch.put(Family::grants, grant_key(grant.number), encode(grant));
}

void Desk::resolve_user(events::Batch& batch, Checkout& checkout) {
  if (checkout.user_id.empty()) return;
  const identity::Who who = parts_.identities.resolve(batch, checkout.user_id, "");
  if (!who.is_erased) checkout.shopper.user = who.user;
}

std::optional<Order> Desk::held_for(const Source& source, const std::string& order_id) const {
  const auto number = source.get(Family::grants, keys_.held_order(order_id));
  if (!number) return std::nullopt;
  std::optional<Order> held =
      read_order(source, reservation_key(store::number_in(*number).value_or(0)));
  if (held && held->state != OrderState::held) held.reset();
  return held;
}

Evaluation Desk::evaluate(TimeMs now_ms, const Source& source, const Checkout& checkout,
                          const std::optional<Order>& own) const {
  const std::shared_ptr<const OfferBook> book = offers();
  Evaluator evaluator({.source = source,
                       .book = *book,
                       .catalog = parts_.catalog,
                       .keys = keys_,
                       .now_ms = now_ms,
                       .own_reservation = own ? own->number : 0},
                      checkout);
  if (own) hold_uses(source, *own, -1, evaluator.tally());
  return evaluator.evaluate();
}

Order Desk::order_of(const Checkout& checkout, Evaluation evaluation, TimeMs now_ms) {
  return {.order_id = checkout.order_id,
          .user = checkout.shopper.user,
          .time_ms = now_ms,
          .request_hash = checkout.request_hash,
          .cart = checkout.cart,
          .uses = std::move(evaluation.uses),
          .payable = evaluation.priced.payable,
          .first_order_keys = std::move(evaluation.first_order_keys)};
}

// What a grant holds is held for its use already.
void Desk::hold_uses(const Source& source, const Order& order, int sign, Tally& tally) const {
  for (const Use& use : order.uses) {
    const auto grant = use.grant == 0 ? std::nullopt : read_grant(source, use.grant);
    for (const Use::Count& count : use.counts) {
      const bool is_held = grant && std::ranges::any_of(grant->holds, [&](const Posting& hold) {
                             return hold.account == count.account;
                           });
      if (!is_held) tally.add({.account = count.account, .held = sign * count.amount});
    }
  }
}

void Desk::set_reservation(events::Batch& batch, const Source& source, const Order& order,
                           std::uint64_t reservation) {
  for (const Use& use : order.uses) {
    if (use.grant == 0) continue;
    std::optional<Grant> grant = read_grant(source, use.grant);
    if (!grant) continue;
    grant->reservation = reservation;
    put_grant(batch, *grant);
  }
}

absl::StatusOr<Desk::Outcome> Desk::stage_hold(events::Batch& batch, Checkout& checkout,
                                               TimeMs hold_ms) {
  const Source source(batch);
  std::optional<Order> before = held_for(source, checkout.order_id);
  if (before && before->request_hash == checkout.request_hash) {
    return Outcome{.order = std::move(before), .denied = {}, .is_replay = true};
  }
  resolve_user(batch, checkout);
  Evaluation evaluation = evaluate(batch.time_ms(), source, checkout, before);
  VITRINE_RETURN_IF_ERROR(source.status());
  // What is refused leaves the former reservation as it is; another cart takes its place.
  if (!evaluation.denied.empty()) {
    log_denied(batch, checkout, evaluation.denied);
    return Outcome{.order = {}, .denied = std::move(evaluation.denied)};
  }
  if (before) expire_reservation(batch, *std::move(before), "release");
  if (evaluation.uses.empty()) return Outcome{};
  Order order = order_of(checkout, std::move(evaluation), batch.time_ms());
  order.number = next_number(batch, source);
  VITRINE_RETURN_IF_ERROR(source.status());
  order.state = OrderState::held;
  order.expires_ms = batch.time_ms() + hold_ms;
  Tally tally(source);
  hold_uses(source, order, 1, tally);
  ledger_->post(batch, "hold", reference_of(order), tally);
  set_reservation(batch, source, order, order.number);
  for (const std::string& key : order.first_order_keys) {
    batch.put(Family::grants, key, store::key_of(order.number));
  }
  batch.put(Family::grants, reservation_key(order.number), encode(order));
  batch.put(Family::grants, keys_.held_order(order.order_id), store::key_of(order.number));
  put_due(batch, order.expires_ms, reservation_key(order.number));
  return Outcome{.order = std::move(order), .denied = {}};
}

// Gives back all that a reservation holds.
void Desk::expire_reservation(events::Batch& batch, Order order, std::string_view kind) {
  const Source source(batch);
  erase_due(batch, order.expires_ms, reservation_key(order.number));
  if (order.state != OrderState::held) return;
  Tally tally(source);
  hold_uses(source, order, -1, tally);
  ledger_->post(batch, kind, reference_of(order), tally);
  set_reservation(batch, source, order, 0);
  release_first_order(batch, source, order);
  order.state = kind == "expire" ? OrderState::expired : OrderState::released;
  batch.put(Family::grants, reservation_key(order.number), encode(order));
}

// Turns what the uses count on into spend; what was held for them is free before.
void Desk::commit_uses(events::Batch& batch, const Source& source, const Order& order,
                       Tally& tally) {
  for (const Use& use : order.uses) {
    if (use.grant != 0) {
      if (std::optional<Grant> grant = read_grant(source, use.grant)) {
        for (const Posting& hold : grant->holds) {
          tally.add({.account = hold.account, .held = -hold.held});
        }
        if (!grant->holds.empty()) erase_due(batch, grant->valid_until_ms, grant_key(use.grant));
        grant->holds.clear();
        grant->reservation = 0;
        ++grant->uses;
        put_grant(batch, *grant);
      }
    }
    for (const Use::Count& count : use.counts) {
      tally.add({.account = count.account, .committed = count.amount});
    }
  }
}

void Desk::release_first_order(events::Batch& batch, const Source& source, const Order& order) {
  const std::string holder = order.number != 0
                                 ? store::key_of(order.number)
                                 : first_order_holder(profiles::fixed_hash(order.order_id));
  for (const std::string& key : order.first_order_keys) {
    if (source.get(Family::grants, key) == holder) batch.erase(Family::grants, key);
  }
}

void Desk::put_first_order(events::Batch& batch, const Order& order) {
  const std::string holder = first_order_holder(profiles::fixed_hash(order.order_id));
  for (const std::string& key : order.first_order_keys) batch.put(Family::grants, key, holder);
}

void Desk::put_redemption(events::Batch& batch, const Order& order) {
  const std::string key = keys_.redemption(order.order_id);
  batch.put(Family::grants, key, encode(order));
  if (order.user != k_nobody) batch.put(Family::grants, user_order_key(order.user, key), "");
}

absl::StatusOr<Desk::Outcome> Desk::stage_redeem(events::Batch& batch, Checkout& checkout) {
  const Source source(batch);
  if (auto known = read_order(source, keys_.redemption(checkout.order_id))) {
    if (known->request_hash == checkout.request_hash) {
      return Outcome{.order = std::move(known), .denied = {}, .is_replay = true};
    }
    return conflict("order {} was redeemed before with another request", checkout.order_id);
  }
  resolve_user(batch, checkout);
  std::optional<Order> held = held_for(source, checkout.order_id);
  Evaluation evaluation = evaluate(batch.time_ms(), source, checkout, held);
  VITRINE_RETURN_IF_ERROR(source.status());
  if (!evaluation.denied.empty()) {
    log_denied(batch, checkout, evaluation.denied);
    return Outcome{.order = {}, .denied = std::move(evaluation.denied)};
  }
  Order order = order_of(checkout, std::move(evaluation), batch.time_ms());
  VITRINE_ASSIGN_OR_RETURN(auto points, points_with(source, order, batch.time_ms()));
  if (held) expire_reservation(batch, *std::move(held), "release");
  Tally tally(source);
  commit_uses(batch, source, order, tally);
  earn(batch, order, std::move(points), tally);
  ledger_->post(batch, "redeem", reference_of(order), tally);
  put_first_order(batch, order);
  put_redemption(batch, order);
  return Outcome{.order = std::move(order), .denied = {}};
}

absl::StatusOr<Desk::Outcome> Desk::stage_redeem_held(events::Batch& batch,
                                                      std::uint64_t reservation,
                                                      const std::string& order_id,
                                                      const std::string& request_hash) {
  const Source source(batch);
  if (auto known = read_order(source, keys_.redemption(order_id))) {
    if (known->request_hash == request_hash) {
      return Outcome{.order = std::move(known), .denied = {}, .is_replay = true};
    }
    return conflict("order {} was redeemed before with another request", order_id);
  }
  std::optional<Order> held = read_order(source, reservation_key(reservation));
  VITRINE_RETURN_IF_ERROR(source.status());
  if (!held) return not_found("there is no reservation {}", reservation);
  if (held->state == OrderState::applied) {
    return conflict("reservation {} was redeemed by another order", reservation);
  }
  if (held->state != OrderState::held || held->expires_ms <= batch.time_ms()) {
    Outcome outcome;
    for (const Use& use : held->uses) {
      outcome.denied.push_back({use.code, use.offer, {.reason = Reason::expired}});
    }
    return outcome;
  }
  VITRINE_ASSIGN_OR_RETURN(auto points, points_with(source, *held, batch.time_ms()));
  Tally tally(source);
  hold_uses(source, *held, -1, tally);
  commit_uses(batch, source, *held, tally);
  earn(batch, *held, std::move(points), tally);
  ledger_->post(batch, "redeem", reference_of(*held), tally);
  erase_due(batch, held->expires_ms, reservation_key(reservation));
  held->state = OrderState::applied;
  batch.put(Family::grants, reservation_key(reservation), encode(*held));
  Order order = *std::move(held);
  order.order_id = order_id;
  order.request_hash = request_hash;
  order.time_ms = batch.time_ms();
  order.reservation = std::exchange(order.number, 0);
  put_first_order(batch, order);
  put_redemption(batch, order);
  return Outcome{.order = std::move(order), .denied = {}};
}

absl::StatusOr<Desk::Outcome> Desk::stage_release(events::Batch& batch, std::uint64_t reservation) {
  const Source source(batch);
  std::optional<Order> held = read_order(source, reservation_key(reservation));
  VITRINE_RETURN_IF_ERROR(source.status());
  if (!held) return not_found("there is no reservation {}", reservation);
  if (held->state == OrderState::applied) {
    return conflict("reservation {} was redeemed: return the order instead", reservation);
  }
  if (held->state == OrderState::held) {
    expire_reservation(batch, *held, "release");
    held->state = OrderState::released;
  }
  return Outcome{.order = std::move(held), .denied = {}};
}

absl::Status Desk::hold(Checkout checkout, TimeMs hold_ms, OnOutcome done) {
  return submit([this, checkout = std::move(checkout), hold_ms](
                    events::Batch& batch) mutable { return stage_hold(batch, checkout, hold_ms); },
                std::move(done));
}

absl::Status Desk::redeem(Checkout checkout, OnOutcome done) {
  return submit([this, checkout = std::move(checkout)](
                    events::Batch& batch) mutable { return stage_redeem(batch, checkout); },
                std::move(done));
}

absl::Status Desk::redeem_held(std::uint64_t reservation, std::string order_id,
                               std::string request_hash, OnOutcome done) {
  return submit(
      [this, reservation, order_id = std::move(order_id),
       request_hash = std::move(request_hash)](events::Batch& batch) {
        return stage_redeem_held(batch, reservation, order_id, request_hash);
      },
      std::move(done));
}

absl::Status Desk::release(std::uint64_t reservation, OnOutcome done) {
  return submit(
      [this, reservation](events::Batch& batch) { return stage_release(batch, reservation); },
      std::move(done));
}

absl::StatusOr<std::optional<Order>> Desk::redemption(std::string_view order_id) const {
  const Source source(parts_.database);
  std::optional<Order> order = read_order(source, keys_.redemption(order_id));
  VITRINE_RETURN_IF_ERROR(source.status());
  return order;
}

absl::StatusOr<Balance> Desk::balance(const std::string& account) const {
  const Source source(parts_.database);
  const Balance balance = balance_of(source, account);
  VITRINE_RETURN_IF_ERROR(source.status());
  return balance;
}

void Desk::note(const std::vector<Denied>& denied) const {
  denials_->note(parts_.committer, denied, parts_.clock.now_ms());
}

// A code that there is not says nothing about an offer, and anybody can send a million of them.
void Desk::log_denied(events::Batch& batch, const Checkout& checkout,
                      const std::vector<Denied>& denied) {
  if (checkout.shopper.user == k_nobody) return;
  for (const Denied& one : denied) {
    if (one.offer.empty()) continue;
    const std::int64_t minute = batch.time_ms() / k_minute_ms;
    if (std::exchange(logged_minute_, minute) != minute) logged_in_it_ = 0;
    if (++logged_in_it_ > k_denials_logged_max) return;
    Event event;
    event.event_id = make_ulid(batch.time_ms());
    event.type = EventType::coupon_deny;
    event.time_ms = batch.time_ms();
    event.received_ms = batch.time_ms();
    event.order_id = checkout.order_id;
    event.coupon_code = one.code;
    event.channel = checkout.cart.channel;
    event.market = checkout.cart.market;
    event.properties_json =
        fmt::format(R"({{"offer":"{}","reason":"{}"}})", one.offer, name_of(one.denial.reason));
    batch.append({.user = checkout.shopper.user,
                  .visitor = k_nobody,
                  .source = "coupons",
                  .what = std::move(event)});
  }
}

}  // namespace vitrine::coupons
