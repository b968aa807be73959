#include "server/coupons/points.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "server/store/key.h"

namespace vitrine::coupons {
namespace {

namespace json = boost::json;
using store::Family;

std::string points_key(UserNumber user) { return "p" + store::key_of(user.value()); }
std::string account_of(UserNumber user) { return "points/user/" + std::to_string(user.value()); }

}  // namespace

absl::StatusOr<PointsAccount> PointsAccount::read(const Source& source, UserNumber user,
                                                  TimeMs now_ms) {
  PointsAccount account(user, now_ms);
  const auto stored = source.get(Family::grants, points_key(user));
  VITRINE_RETURN_IF_ERROR(source.status());
  if (stored) VITRINE_RETURN_IF_ERROR(account.decode(*stored));
  account.stored_ = account.balance();
  account.expire();
  return account;
}

std::int64_t PointsAccount::balance() const {
  std::int64_t sum = 0;
  for (const PointsLot& lot : lots_) sum += lot.points;
  return sum;
}

void PointsAccount::expire() {
  std::int64_t gone = 0;
  std::erase_if(lots_, [&](const PointsLot& lot) {
    if (lot.expires_ms > now_ms_) return false;
    gone += lot.points;
    return true;
  });
  if (gone > 0) note("expire", -gone, "");
}

void PointsAccount::note(std::string_view kind, std::int64_t change, std::string_view reference) {
  entries_.push_back({now_ms_, change, std::string(kind), std::string(reference)});
  if (entries_.size() > k_entries_kept) entries_.erase(entries_.begin());
}

void PointsAccount::add(std::string_view kind, std::int64_t points, TimeMs expires_ms,
                        std::string_view reference) {
  const std::int64_t paid = std::min(points, owed_);
  owed_ -= paid;
  const std::int64_t given = std::min(points - paid, k_points_max - balance());
  note(kind, given, reference);
  if (given <= 0) return;
  const auto place = std::ranges::upper_bound(lots_, expires_ms, {}, &PointsLot::expires_ms);
  if (place != lots_.begin() && std::prev(place)->expires_ms == expires_ms) {
    std::prev(place)->points += given;
    return;
  }
  lots_.insert(place, {given, expires_ms});
  if (lots_.size() <= k_lots_max) return;
  lots_[1].points += lots_[0].points;
  lots_.erase(lots_.begin());
}

void PointsAccount::take(std::int64_t points) {
  while (points > 0) {
    CHECK(!lots_.empty(), "no more is taken than there is");
    const std::int64_t part = std::min(points, lots_.front().points);
    lots_.front().points -= part;
    points -= part;
    if (lots_.front().points == 0) lots_.erase(lots_.begin());
  }
}

bool PointsAccount::spend(std::int64_t points, std::string_view reference) {
  if (points > balance()) return false;
  take(points);
  note("spend", -points, reference);
  return true;
}

void PointsAccount::take_back(std::int64_t points, std::string_view reference) {
  const std::int64_t there = std::min(points, balance());
  take(there);
  owed_ += points - there;
  note("take_back", -there, reference);
}

void PointsAccount::stage(events::Batch& batch, Tally& tally) const {
  batch.put(Family::grants, points_key(user_), encode());
  tally.add({.account = account_of(user_), .committed = balance() - stored_});
}

void PointsAccount::stage_erasure(events::Batch& batch, Tally& tally) const {
  batch.erase(Family::grants, points_key(user_));
  tally.add({.account = account_of(user_), .committed = -stored_});
}

std::string PointsAccount::encode() const {
  json::array lots;
  for (const PointsLot& lot : lots_) lots.push_back(json::array{lot.points, lot.expires_ms});
  json::array entries;
  for (const PointsEntry& one : entries_) {
    entries.push_back(json::array{one.time_ms, one.change, one.kind, one.reference});
  }
  return json::serialize(
      json::object{{"owed", owed_}, {"lots", std::move(lots)}, {"entries", std::move(entries)}});
}

absl::Status PointsAccount::decode(std::string_view bytes) {
  json::error_code error;
  const json::value parsed = json::parse({bytes.data(), bytes.size()}, error);
  if (error) return data_loss("the points of a person cannot be read");
  try {
    owed_ = parsed.at("owed").as_int64();
    for (const json::value& lot : parsed.at("lots").as_array()) {
      lots_.push_back({lot.at(0).as_int64(), lot.at(1).as_int64()});
    }
    for (const json::value& one : parsed.at("entries").as_array()) {
      entries_.push_back({one.at(0).as_int64(), one.at(1).as_int64(),
                          json::value_to<std::string>(one.at(2)),
                          json::value_to<std::string>(one.at(3))});
    }
  } catch (const std::exception& fault) {
    return data_loss("the points of a person cannot be read: {}", fault.what());
  }
  return absl::OkStatus();
}

}  // namespace vitrine::coupons
