#include "server/privacy/erasures.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"
#include "server/events/replacements.h"
#include "server/identity/anonymous.h"
#include "server/privacy/erasure_ledger.h"
#include "server/privacy/inventory.h"
#include "server/store/families.h"

namespace vitrine::privacy {
namespace {

constexpr std::chrono::seconds k_wait_for_another{2};  // longer, and the client asks again

using store::Family;
namespace json = boost::json;

constexpr std::string_view k_prefix = "erasure/";

// What need not be written anew.
constexpr std::array k_kept = {Family::products, Family::placements, Family::keys,
                               Family::dedupe};  // keyed hashes and positions

std::string key_of(const ErasureRecord& record) {
  return std::string(k_prefix) + record.erasure_id;
}

std::vector<std::string> in_hex(const std::vector<std::string>& keys) {
  std::vector<std::string> hex;
  hex.reserve(keys.size());
  for (const std::string& key : keys) hex.push_back(to_hex(key));
  return hex;
}

// A person that is named by one id, as the shop knows them.
events::DataSubject named_user(std::string user_id) {
  events::DataSubject named;
  named.user_ids.push_back(std::move(user_id));
  return named;
}

events::DataSubject named_visitor(std::string visitor_id) {
  events::DataSubject named;
  named.visitor_ids.push_back(std::move(visitor_id));
  return named;
}

void join_numbers(const events::DataSubject& more, events::DataSubject& all) {
  for (auto numbers : {&events::DataSubject::people, &events::DataSubject::histories}) {
    std::vector<UserNumber> both;
    std::ranges::set_union(all.*numbers, more.*numbers, std::back_inserter(both));
    all.*numbers = std::move(both);
  }
}

void join(const events::DataSubject& more, events::DataSubject& all) {
  join_numbers(more, all);
  for (auto ids : {&events::DataSubject::user_ids, &events::DataSubject::visitor_ids}) {
    for (const std::string& id : more.*ids) {
      if (std::ranges::find(all.*ids, id) == (all.*ids).end()) (all.*ids).push_back(id);
    }
  }
}

std::string text_of(const events::DataSubject& named) {
  return named.user_ids.empty() ? "visitor " + named.visitor_ids.front()
                                : "user " + named.user_ids.front();
}

// Those who began to claim to be the user while it was looked up; from now on nobody can.
absl::Status add_latecomers(const Erasures::Parts& parts, ErasureRecord& record) {
  events::DataSubject& subject = record.subject;
  for (const std::string& user_id : std::vector(subject.user_ids)) {
    VITRINE_ASSIGN_OR_RETURN(const std::optional<events::DataSubject> late,
                             parts.identities.subject(user_id, {}));
    if (late) join(*late, subject);
  }
  VITRINE_ASSIGN_OR_RETURN(const identity::ClaimsBy claims,
                           identity::claims_by(parts.database, subject.visitor_ids));
  events::DataSubject late;
  late.people = late.histories = claims.open;
  join_numbers(late, subject);
  return absl::OkStatus();
}

// Who of a line of the ledger is known here.
absl::StatusOr<events::DataSubject> people_of(const Erasures::Parts& parts,
                                              const LedgerLine& line) {
  events::DataSubject found;
  for (const std::string& key : line.keys) {
    const bool is_anonymous = std::ranges::find(line.anonymous, key) != line.anonymous.end();
    VITRINE_ASSIGN_OR_RETURN(const std::optional<events::DataSubject> subject,
                             parts.identities.subject_of_key(absl::HexStringToBytes(key)));
    if (!subject) continue;
    if (!is_anonymous) {
      join(*subject, found);
      continue;
    }
    for (const std::string& visitor_id : subject->visitor_ids) {
      if (in_hex(parts.identities.keys_of(named_visitor(visitor_id))).front() != key) continue;
      VITRINE_ASSIGN_OR_RETURN(
          const auto visitor,
          identity::anonymous_visitor(parts.identities, parts.database, visitor_id));
      if (visitor) join(*visitor, found);
    }
  }
  return found;
}

}  // namespace

Erasures::Erasures(Parts parts)
    : parts_(std::move(parts)),
      completed_(parts_.metrics.counter("vitrine_privacy_erasures_total", "Erasures completed")),
      pending_(parts_.metrics.gauge("vitrine_privacy_erasures_pending",
                                    "Erasures that were begun and not completed")) {
  for (const Family family : unowned_families(parts_.owners)) {
    parts_.log.error("the family '{}' has no owner of personal data (server/privacy/inventory.h)",
                     store::name_of(family));
    CHECK(false, "every family has an owner of personal data, or a reason why it needs none");
  }
  thread_ = std::thread([this] {
    const std::lock_guard alone(one_at_a_time_);
    const absl::Status done = finish_earlier();
    if (!done.ok()) parts_.log.error("an erasure is not finished: {}", message_of(done));
  });
}

Erasures::~Erasures() { stop(); }

void Erasures::stop() {
  begin_stopping();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard alone(one_at_a_time_);
}

absl::StatusOr<std::vector<ErasureRecord>> Erasures::list() const {
  std::vector<ErasureRecord> records;
  const auto cursor = parts_.database.walk(Family::meta, k_prefix, false);
  for (; cursor->valid() && cursor->key().starts_with(k_prefix); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(
        ErasureRecord record,
        decode_erasure(cursor->key().substr(k_prefix.size()), cursor->value()));
    records.push_back(std::move(record));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return records;
}

absl::StatusOr<std::optional<ErasureRecord>> Erasures::find(
    const events::DataSubject& named) const {
  const std::string key = in_hex(parts_.identities.keys_of(named)).front();
  VITRINE_ASSIGN_OR_RETURN(std::vector<ErasureRecord> records, list());
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (std::ranges::find(record->keys, key) != record->keys.end()) return std::move(*record);
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<events::DataSubject>> Erasures::subject_of(
    const events::DataSubject& named) const {
  if (!named.user_ids.empty()) return parts_.identities.subject(named.user_ids.front(), {});
  return identity::anonymous_visitor(parts_.identities, parts_.database, named.visitor_ids.front());
}

absl::Status Erasures::look_up(const events::DataSubject& named, Looked& looked) {
  VITRINE_ASSIGN_OR_RETURN(std::optional<ErasureRecord> earlier, find(named));
  if (earlier && earlier->completed_ms == 0) VITRINE_RETURN_IF_ERROR(carry_out(*earlier));
  VITRINE_ASSIGN_OR_RETURN(const auto subject, subject_of(named));
  if (subject) {
    join(*subject, looked.all);
    return absl::OkStatus();
  }
  if (!earlier) return not_found("there is no {}", text_of(named));
  looked.earlier = std::move(earlier);
  return absl::OkStatus();
}

absl::StatusOr<ErasureRecord> Erasures::erase(const Wanted& wanted) {
  // A start looks what is left to do, which is mostly nothing: that is soon over.
  const std::unique_lock alone(one_at_a_time_, k_wait_for_another);
  if (!alone) return conflict("another erasure is under way: ask again when it is done");
  Looked looked;
  std::vector<std::string> anonymous;
  for (const std::string& id : wanted.user_ids) {
    VITRINE_RETURN_IF_ERROR(look_up(named_user(id), looked));
  }
  for (const std::string& id : wanted.visitor_ids) {
    VITRINE_RETURN_IF_ERROR(look_up(named_visitor(id), looked));
    anonymous.push_back(in_hex(parts_.identities.keys_of(named_visitor(id))).front());
  }
  if (looked.all.people.empty()) return *std::move(looked.earlier);
  return erase_subject({.erasure_id = make_ulid(parts_.clock.now_ms()),
                        .keys = {},
                        .anonymous = std::move(anonymous),
                        .owners = {},
                        .subject = std::move(looked.all)});
}

// Of a record that has its id, its anonymous visitors and its subject.
absl::StatusOr<ErasureRecord> Erasures::erase_subject(ErasureRecord record) {
  record.requested_ms = parts_.clock.now_ms();
  record.keys = in_hex(parts_.identities.keys_of(record.subject));
  VITRINE_RETURN_IF_ERROR(save(record));
  VITRINE_RETURN_IF_ERROR(add_to_ledger({&record, 1}));
  VITRINE_RETURN_IF_ERROR(carry_out(record));
  return record;
}

absl::Status Erasures::carry_out(ErasureRecord& record) {
  pending_.set(1);
  for (events::PersonalData* const owner : parts_.owners) {
    if (record.is_done_by(owner->name())) continue;
    if (is_stopping_.load())
      return unavailable("the server is stopping: the erasure goes on later");
    VITRINE_ASSIGN_OR_RETURN(const events::Erased erased,
                             owner->erase_person(record.subject, parts_.committer));
    if (owner == &parts_.identities) {
      VITRINE_RETURN_IF_ERROR(add_latecomers(parts_, record));
      VITRINE_RETURN_IF_ERROR(save(record));
      VITRINE_RETURN_IF_ERROR(owner->erase_person(record.subject, parts_.committer).status());
    }
    record.owners.push_back(
        {.owner = std::string(owner->name()), .erased = erased, .done_ms = parts_.clock.now_ms()});
    VITRINE_RETURN_IF_ERROR(save(record));
  }
  // From here on nothing names the person, not even what is to be done.
  record.subject = {};
  VITRINE_RETURN_IF_ERROR(save(record));
  VITRINE_RETURN_IF_ERROR(checkpoint());
  VITRINE_RETURN_IF_ERROR(parts_.database.purge(k_kept));
  record.completed_ms = parts_.clock.now_ms();
  VITRINE_RETURN_IF_ERROR(save(record));
  pending_.set(0);
  completed_.add();
  parts_.log.info("erased erasure_id={}", record.erasure_id);
  return absl::OkStatus();
}

// Until what follows the log is durable without the person. A checkpoint begins between two
// batches, and one that began before does not count.
absl::Status Erasures::checkpoint() const {
  constexpr auto k_rest = std::chrono::milliseconds(20);
  constexpr int k_rests_max = 30'000;
  const Position position = parts_.committer.visible();
  for (int rest = 0; rest < k_rests_max && !is_stopping_.load(); ++rest) {
    if (parts_.checkpointer.last_durable() >= position) return absl::OkStatus();
    parts_.checkpointer.ask();
    VITRINE_RETURN_IF_ERROR(events::submit_patiently(
        parts_.committer, [](events::Batch&) { return absl::OkStatus(); }));
    std::this_thread::sleep_for(k_rest);
  }
  return unavailable("no checkpoint was written: the erasure goes on later");
}

absl::Status Erasures::save(const ErasureRecord& record) const {
  return events::submit_patiently(parts_.committer, [&](events::Batch& batch) {
    batch.put(Family::meta, key_of(record), encode(record));
    return absl::OkStatus();
  });
}

absl::Status Erasures::add_to_ledger(std::span<const ErasureRecord> records) const {
  VITRINE_ASSIGN_OR_RETURN(std::string ledger, read_ledger(parts_.ledger));
  const std::size_t bytes_before = ledger.size();
  for (const ErasureRecord& record : records) {
    if (ledger.find(record.erasure_id) == std::string::npos) ledger += ledger_line(record);
  }
  return ledger.size() == bytes_before ? absl::OkStatus() : replace_file(parts_.ledger, ledger);
}

absl::Status Erasures::finish_earlier() {
  VITRINE_ASSIGN_OR_RETURN(std::vector<ErasureRecord> records, list());
  for (ErasureRecord& record : records) {
    if (record.completed_ms == 0) VITRINE_RETURN_IF_ERROR(carry_out(record));
  }
  // A folder that was restored has what its backup knew.
  VITRINE_RETURN_IF_ERROR(add_to_ledger(records));
  return follow_ledger();
}

// Erasures that were made after this folder's backup was: all that are left to do, at once.
absl::Status Erasures::follow_ledger() {
  VITRINE_ASSIGN_OR_RETURN(const std::vector<LedgerLine> lines, read_lines(parts_.ledger));
  ErasureRecord record;
  for (const LedgerLine& line : lines) {
    VITRINE_ASSIGN_OR_RETURN(
        const auto known,
        parts_.database.get(Family::meta, std::string(k_prefix) + line.erasure_id));
    if (known) continue;
    VITRINE_ASSIGN_OR_RETURN(const events::DataSubject found, people_of(parts_, line));
    if (found.people.empty()) continue;
    if (record.erasure_id.empty()) record.erasure_id = line.erasure_id;
    join(found, record.subject);
    record.anonymous.insert(record.anonymous.end(), line.anonymous.begin(), line.anonymous.end());
  }
  if (record.erasure_id.empty()) return absl::OkStatus();
  return erase_subject(std::move(record)).status();
}

absl::StatusOr<std::string> Erasures::export_user(std::string_view user_id) const {
  const events::DataSubject named = named_user(std::string(user_id));
  VITRINE_ASSIGN_OR_RETURN(const auto subject, subject_of(named));
  if (!subject) return not_found("there is no {}", text_of(named));
  return archive_of("user_id", user_id, *subject);
}

absl::StatusOr<std::string> Erasures::export_visitor(std::string_view visitor_id) const {
  const events::DataSubject named = named_visitor(std::string(visitor_id));
  VITRINE_ASSIGN_OR_RETURN(const auto subject, subject_of(named));
  if (!subject) return not_found("there is no {}", text_of(named));
  return archive_of("visitor_id", visitor_id, *subject);
}

absl::StatusOr<std::string> Erasures::archive_of(std::string_view name, std::string_view id,
                                                 const events::DataSubject& subject) const {
  std::string archive = "{\"" + std::string(name) + "\":" + json::serialize(json::string(id)) +
                        R"(,"exported_at":")" + format_time(parts_.clock.now_ms()) +
                        R"(","owners":{)";
  for (std::size_t i = 0; i < parts_.owners.size(); ++i) {
    VITRINE_ASSIGN_OR_RETURN(const std::string part, parts_.owners[i]->export_person(subject));
    if (i > 0) archive += ',';
    archive += '"';
    archive += parts_.owners[i]->name();
    archive += "\":";
    archive += part;
  }
  archive += "}}";
  return archive;
}

}  // namespace vitrine::privacy
