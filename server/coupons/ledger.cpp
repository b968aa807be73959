#include "server/coupons/ledger.h"

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "server/store/key.h"

namespace vitrine::coupons {
namespace {

namespace json = boost::json;
using store::Family;

constexpr std::size_t k_balance_bytes = 16;

std::string encode(const Balance& balance) {
  return store::key_of(static_cast<std::uint64_t>(balance.committed)) +
         store::key_of(static_cast<std::uint64_t>(balance.held));
}

absl::StatusOr<Balance> decode_balance(std::string_view account, std::string_view bytes) {
  if (bytes.size() != k_balance_bytes) {
    return data_loss("the balance of {} cannot be read", account);
  }
  return Balance{.committed = static_cast<std::int64_t>(*store::number_in(bytes.substr(0, 8))),
                 .held = static_cast<std::int64_t>(*store::number_in(bytes.substr(8)))};
}

absl::Status balances_are(const store::Database& database,
                          const std::map<std::string, Balance>& summed) {
  std::size_t found = 0;
  const auto cursor = database.walk(Family::balances, "", true);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(const Balance balance, decode_balance(cursor->key(), cursor->value()));
    const auto sum = summed.find(std::string(cursor->key()));
    if (sum == summed.end() || sum->second != balance) {
      const Balance other = sum == summed.end() ? Balance{} : sum->second;
      return data_loss("the balance of {} is {} and {} held, its movements come to {} and {}",
                       cursor->key(), balance.committed, balance.held, other.committed, other.held);
    }
    ++found;
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  if (found == summed.size()) return absl::OkStatus();
  return data_loss("{} accounts have movements, {} have a balance", summed.size(), found);
}

}  // namespace

Source::Source(const store::Database& database)
    : read_(
          [&database](Family family, std::string_view key) { return database.get(family, key); }) {}

Source::Source(const events::Batch& batch)
    : read_([&batch](Family family, std::string_view key) { return batch.get(family, key); }) {}

std::optional<std::string> Source::get(Family family, std::string_view key) const {
  if (!status_.ok()) return std::nullopt;
  auto value = read_(family, key);
  if (value.ok()) return *std::move(value);
  fail(value.status());
  return std::nullopt;
}

Balance balance_of(const Source& source, std::string_view account) {
  const std::optional<std::string> stored = source.get(Family::balances, account);
  if (!stored) return {};
  const absl::StatusOr<Balance> balance = decode_balance(account, *stored);
  if (balance.ok()) return *balance;
  source.fail(balance.status());
  return {};
}

std::string encode(const Movement& movement) {
  json::array postings;
  for (const Posting& posting : movement.postings) {
    postings.push_back(json::array{posting.account, posting.committed, posting.held});
  }
  return json::serialize(json::object{{"time", movement.time_ms},
                                      {"kind", movement.kind},
                                      {"reference", movement.reference},
                                      {"postings", std::move(postings)}});
}

absl::StatusOr<Movement> decode_movement(std::string_view key, std::string_view bytes) {
  const auto sequence = store::number_in(key);
  json::error_code error;
  const json::value parsed = json::parse({bytes.data(), bytes.size()}, error);
  if (error || !sequence || !parsed.is_object()) return data_loss("a movement cannot be read");
  Movement movement{.sequence = *sequence};
  try {
    movement.time_ms = parsed.at("time").as_int64();
    movement.kind = json::value_to<std::string>(parsed.at("kind"));
    movement.reference = json::value_to<std::string>(parsed.at("reference"));
    for (const json::value& posting : parsed.at("postings").as_array()) {
      movement.postings.push_back({.account = json::value_to<std::string>(posting.at(0)),
                                   .committed = posting.at(1).as_int64(),
                                   .held = posting.at(2).as_int64()});
    }
  } catch (const std::exception&) {
    return data_loss("movement {} cannot be read", *sequence);
  }
  return movement;
}

Balance Tally::of(const std::string& account) {
  const auto known = now_.find(account);
  if (known != now_.end()) return known->second;
  return now_[account] = balance_of(*source_, account);
}

std::int64_t Tally::left(const std::string& account, std::int64_t limit) {
  return std::max(std::int64_t{0}, limit - of(account).total());
}

void Tally::add(const Posting& posting) {
  const Balance was = of(posting.account);
  const Balance is{was.committed + posting.committed, was.held + posting.held};
  CHECK(!source_->status().ok() || (is.committed >= 0 && is.held >= 0),
        "no account gives back more than it has");
  now_[posting.account] = is;
  Balance& added = added_[posting.account];
  added.committed += posting.committed;
  added.held += posting.held;
}

std::vector<Posting> Tally::postings() const {
  std::vector<Posting> postings;
  for (const auto& [account, added] : added_) {
    if (added.committed == 0 && added.held == 0) continue;
    postings.push_back({account, added.committed, added.held});
  }
  return postings;
}

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::open(const store::Database& database) {
  const std::optional<std::string> last = database.last_key(Family::ledger);
  if (!last) return std::unique_ptr<Ledger>(new Ledger(0));
  const auto number = store::number_in(*last);
  if (!number) return data_loss("the last key of the ledger is no number");
  return std::unique_ptr<Ledger>(new Ledger(*number));
}

void Ledger::post(events::Batch& batch, std::string_view kind, std::string_view reference,
                  const Tally& tally) {
  std::uint64_t& last = batch.staged_by<std::uint64_t>(this, [&] {
    auto staged = std::make_shared<std::uint64_t>(last_);
    batch.after_sync([this, staged] { last_ = *staged; });
    return staged;
  });
  const Movement movement{.time_ms = batch.time_ms(),
                          .kind = std::string(kind),
                          .reference = std::string(reference),
                          .postings = tally.postings()};
  if (movement.postings.empty()) return;
  batch.put(Family::ledger, store::key_of(++last), encode(movement));
  for (const Posting& posting : movement.postings) {
    batch.put(Family::balances, posting.account, encode(tally.balances().at(posting.account)));
  }
}

absl::StatusOr<Ledger::Reconciled> Ledger::reconcile(const store::Database& database) {
  Reconciled reconciled;
  std::map<std::string, Balance> summed;
  const auto cursor = database.walk(Family::ledger, "", true);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(const Movement movement,
                             decode_movement(cursor->key(), cursor->value()));
    if (movement.sequence != ++reconciled.movements) {
      return data_loss("movement {} of the ledger is missing", reconciled.movements);
    }
    for (const Posting& posting : movement.postings) {
      Balance& balance = summed[posting.account];
      balance.committed += posting.committed;
      balance.held += posting.held;
      if (balance.committed < 0 || balance.held < 0) {
        return data_loss("movement {} takes {} below zero", movement.sequence, posting.account);
      }
    }
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  reconciled.accounts = summed.size();
  VITRINE_RETURN_IF_ERROR(balances_are(database, summed));
  return reconciled;
}

}  // namespace vitrine::coupons
