#include "server/coupons/denial_book.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/store/key.h"

namespace vitrine::coupons {
namespace {

using store::Family;

constexpr std::size_t k_number_bytes = 8;

// Day 0 stands for all days.
std::string denial_key(std::string_view offer, std::int64_t day) {
  std::string key = "d";
  key.append(offer).push_back('\0');
  return key + store::key_of(static_cast<std::uint64_t>(day));
}

std::string encode(const DenialBook::Counts& counts) {
  std::string bytes;
  for (const std::uint64_t count : counts) bytes += store::key_of(count);
  return bytes;
}

// Of a version that knew fewer reasons, too.
absl::StatusOr<DenialBook::Counts> decode_counts(std::string_view bytes) {
  DenialBook::Counts counts = {};
  const std::size_t count = bytes.size() / k_number_bytes;
  if (bytes.size() % k_number_bytes != 0 || count > counts.size()) {
    return data_loss("a count of refused coupons cannot be read");
  }
  for (std::size_t i = 0; i < count; ++i) {
    counts.at(i) = *store::number_in(bytes.substr(i * k_number_bytes, k_number_bytes));
  }
  return counts;
}

void add(const DenialBook::Counts& more, DenialBook::Counts& sum) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum.at(i) += more.at(i);
}

std::int64_t day_of(TimeMs time_ms) { return time_ms / k_day_ms; }

}  // namespace

// Nobody waits for it.
class DenialBook::WriteCommand final : public events::Command {
 public:
  explicit WriteCommand(std::shared_ptr<DenialBook> book) : book_(std::move(book)) {}
  absl::Status stage(events::Batch& batch) override {
    book_->stage(batch);
    return absl::OkStatus();
  }
  bool is_awaited() const override { return false; }
  void answer(const absl::Status& /*status*/, Position /*visible*/) override {}

 private:
  std::shared_ptr<DenialBook> book_;
};

DenialBook::DenialBook(const store::Database& database, Metrics& metrics) : database_(database) {
  for (std::size_t reason = 0; reason < k_reasons; ++reason) {
    denied_.push_back(
        &metrics.counter("vitrine_coupons_denied_total", "Coupons that were refused, by reason",
                         {{"reason", std::string(name_of(static_cast<Reason>(reason)))}}));
  }
}

absl::StatusOr<std::shared_ptr<DenialBook>> DenialBook::open(const store::Database& database,
                                                             Metrics& metrics) {
  std::shared_ptr<DenialBook> book(new DenialBook(database, metrics));
  const auto cursor = database.walk(Family::coupons, "d", false);
  for (; cursor->valid() && cursor->key().starts_with('d'); cursor->next()) {
    VITRINE_RETURN_IF_ERROR(book->read(cursor->key().substr(1), cursor->value()));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return book;
}

// Keys of an offer come with the sum first and the newest day last.
absl::Status DenialBook::read(std::string_view key, std::string_view value) {
  if (key.size() < k_number_bytes + 1) return data_loss("a key of refused coupons is too short");
  const std::string_view offer = key.substr(0, key.size() - k_number_bytes - 1);
  const auto day = store::number_in(key.substr(key.size() - k_number_bytes));
  VITRINE_ASSIGN_OR_RETURN(const Counts counts, decode_counts(value));
  Entry& entry = entries_[std::string(offer)];
  if (!day || *day == 0) {
    entry.ever = counts;
    return absl::OkStatus();
  }
  entry.day = static_cast<std::int64_t>(*day);
  entry.of_day = counts;
  return absl::OkStatus();
}

void DenialBook::count(const Denied& one, std::int64_t day) {
  const auto reason = static_cast<std::size_t>(one.denial.reason);
  denied_[reason]->add();
  if (entries_.size() >= k_offers_max && !entries_.contains(one.offer)) return;
  Entry& entry = entries_[one.offer];
  if (entry.day < day) {
    if (changed_.contains(one.offer)) owed_[denial_key(one.offer, entry.day)] = entry.of_day;
    outdated_.push_back(denial_key(one.offer, day - k_days_kept));
    entry.day = day;
    entry.of_day = {};
  }
  ++entry.ever.at(reason);
  ++entry.of_day.at(reason);
  changed_.insert(one.offer);
}

void DenialBook::note(events::Committer& committer, const std::vector<Denied>& denied,
                      TimeMs now_ms) {
  if (denied.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (const Denied& one : denied) count(one, day_of(now_ms));
    if (is_writing_) return;
    is_writing_ = true;
  }
  if (committer.submit(std::make_unique<WriteCommand>(shared_from_this())).ok()) return;
  // The next refusal asks again.
  const std::lock_guard lock(mutex_);
  is_writing_ = false;
}

void DenialBook::stage(events::Batch& batch) {
  const std::lock_guard lock(mutex_);
  is_writing_ = false;
  for (const auto& [key, counts] : owed_) batch.put(Family::coupons, key, encode(counts));
  for (const std::string& key : outdated_) batch.erase(Family::coupons, key);
  owed_.clear();
  outdated_.clear();
  for (const std::string& offer : std::exchange(changed_, {})) {
    const Entry& entry = entries_[offer];
    batch.put(Family::coupons, denial_key(offer, 0), encode(entry.ever));
    batch.put(Family::coupons, denial_key(offer, entry.day), encode(entry.of_day));
  }
}

DenialBook::Counts DenialBook::counts_of(std::string_view offer) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(offer);
  return found == entries_.end() ? Counts{} : found->second.ever;
}

absl::StatusOr<DenialBook::Counts> DenialBook::counts_of(std::string_view offer, TimeMs from_ms,
                                                         TimeMs until_ms) const {
  const std::int64_t from = std::max(std::int64_t{1}, day_of(from_ms));
  const std::int64_t until = day_of(until_ms);
  Counts sum = {};
  std::map<std::string, Counts> unwritten;
  std::int64_t newest = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(offer);
    if (found == entries_.end()) return sum;
    newest = found->second.day;
    if (newest >= from && newest <= until) add(found->second.of_day, sum);
    unwritten = owed_;
  }
  const std::string first = denial_key(offer, from);
  const std::string last = denial_key(offer, std::min(until, newest - 1));
  for (const auto& [key, counts] : unwritten) {
    if (key >= first && key <= last) add(counts, sum);
  }
  const auto cursor = database_.walk(Family::coupons, first, false);
  for (; cursor->valid() && cursor->key() <= last; cursor->next()) {
    if (unwritten.contains(std::string(cursor->key()))) continue;
    VITRINE_ASSIGN_OR_RETURN(const Counts counts, decode_counts(cursor->value()));
    add(counts, sum);
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return sum;
}

}  // namespace vitrine::coupons
