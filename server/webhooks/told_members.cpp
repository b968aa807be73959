#include "server/webhooks/told_members.h"

#include <set>

#include "base/status.h"
#include "server/store/key.h"
#include "server/webhooks/webhook_store.h"

namespace vitrine::webhooks {
namespace {

using segments::Membership;
using store::Family;

std::string begun_key(const ToldMembers::Pair& pair) {
  return k_begun_prefix + pair.webhook + '\0' + pair.segment;
}

std::string told_prefix(const ToldMembers::Pair& pair) {
  return k_told_prefix + pair.webhook + '\0' + pair.segment + '\0';
}

std::uint32_t chunk_of(UserNumber user) { return user.value() / ToldMembers::k_chunk_people; }

ToldMembers::Pair pair_in(std::string_view key) {
  const std::size_t end = key.find('\0');
  if (end == std::string_view::npos) return {};
  return {std::string(key.substr(0, end)), std::string(key.substr(end + 1))};
}

void add_members(Membership& all, const Membership& more) {
  for (const UserNumber user : more.list(k_nobody, ToldMembers::k_chunk_people)) {
    all.set(user, true);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ToldMembers>> ToldMembers::open(const store::Database& database) {
  auto made = std::make_unique<ToldMembers>();
  VITRINE_RETURN_IF_ERROR(made->reload(database));
  return made;
}

absl::Status ToldMembers::reload(const store::Database& database) {
  constexpr std::size_t k_chunk_bytes = 4;
  std::map<Pair, Told> read;
  const auto begun = database.walk(Family::webhooks, std::string(1, k_begun_prefix), false);
  for (; begun->valid() && begun->key().front() == k_begun_prefix; begun->next()) {
    read[pair_in(begun->key().substr(1))].has_begun = true;
  }
  VITRINE_RETURN_IF_ERROR(begun->status());
  const auto told = database.walk(Family::webhooks, std::string(1, k_told_prefix), true);
  for (; told->valid() && told->key().front() == k_told_prefix; told->next()) {
    const std::string_view key = told->key().substr(1);
    const auto members = Membership::decode(told->value());
    if (!members || key.size() <= k_chunk_bytes) {
      return data_loss("what a webhook was told cannot be read");
    }
    // Without the zero and the number behind it.
    add_members(read[pair_in(key.substr(0, key.size() - k_chunk_bytes - 1))].members, *members);
  }
  VITRINE_RETURN_IF_ERROR(told->status());
  const std::lock_guard lock(mutex_);
  told_.swap(read);
  return absl::OkStatus();
}

std::vector<ToldMembers::Pair> ToldMembers::pairs() const {
  const std::lock_guard lock(mutex_);
  std::vector<Pair> pairs;
  for (const auto& [pair, told] : told_) pairs.push_back(pair);
  return pairs;
}

bool ToldMembers::has_begun(const Pair& pair) const {
  const std::lock_guard lock(mutex_);
  const auto found = told_.find(pair);
  return found != told_.end() && found->second.has_begun;
}

std::vector<bool> ToldMembers::are_told(const Pair& pair,
                                        std::span<const UserNumber> people) const {
  const std::lock_guard lock(mutex_);
  std::vector<bool> are(people.size());
  const auto found = told_.find(pair);
  if (found == told_.end()) return are;
  for (std::size_t i = 0; i < people.size(); ++i)
    are[i] = found->second.members.contains(people[i]);
  return are;
}

std::vector<UserNumber> ToldMembers::list(const Pair& pair, UserNumber after,
                                          std::size_t count_max) const {
  const std::lock_guard lock(mutex_);
  const auto found = told_.find(pair);
  if (found == told_.end()) return {};
  return found->second.members.list(after, count_max);
}

void ToldMembers::put_chunk(events::Batch& batch, const Pair& pair, const Told& told,
                            std::uint32_t chunk) {
  const std::uint32_t first = chunk * k_chunk_people;
  const UserNumber after(first == 0 ? 0 : first - 1);
  Membership members;
  for (const UserNumber user : told.members.list(after, k_chunk_people)) {
    if (chunk_of(user) == chunk) members.set(user, true);
  }
  const std::string key = told_prefix(pair) + store::key_of(chunk);
  members.size() == 0 ? batch.erase(Family::webhooks, key)
                      : batch.put(Family::webhooks, key, members.encode());
}

void ToldMembers::stage(events::Batch& batch, const Pair& pair, std::span<const Change> changes) {
  const std::lock_guard lock(mutex_);
  Told& told = told_[pair];
  std::set<std::uint32_t> chunks;
  for (const Change& change : changes) {
    if (told.members.set(change.user, change.is_in)) chunks.insert(chunk_of(change.user));
  }
  for (const std::uint32_t chunk : chunks) put_chunk(batch, pair, told, chunk);
}

void ToldMembers::stage_begun(events::Batch& batch, const Pair& pair) {
  batch.put(Family::webhooks, begun_key(pair), "1");
  const std::lock_guard lock(mutex_);
  told_[pair].has_begun = true;
}

void ToldMembers::stage_removal(events::Batch& batch, const store::Database& database,
                                const Pair& pair) {
  batch.erase(Family::webhooks, begun_key(pair));
  erase_all(batch, database, told_prefix(pair));
  const std::lock_guard lock(mutex_);
  told_.erase(pair);
}

std::size_t ToldMembers::forget(events::Batch& batch, const std::vector<UserNumber>& people) {
  const std::lock_guard lock(mutex_);
  std::size_t forgotten = 0;
  for (auto& [pair, told] : told_) {
    std::set<std::uint32_t> chunks;
    for (const UserNumber user : people) {
      if (!told.members.set(user, false)) continue;
      chunks.insert(chunk_of(user));
      ++forgotten;
    }
    for (const std::uint32_t chunk : chunks) put_chunk(batch, pair, told, chunk);
  }
  return forgotten;
}

}  // namespace vitrine::webhooks
