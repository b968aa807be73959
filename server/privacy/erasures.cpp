#include "server/privacy/erasures.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"
#include "server/events/replacements.h"
#include "server/store/key.h"

namespace vitrine::privacy {
namespace {

using store::Family;
namespace json = boost::json;

constexpr std::string_view k_prefix = "erasure/";

// Families without a word about people, which need not be written anew: the catalog, placements,
// keys of the API, and keyed hashes with positions.
constexpr std::array k_impersonal = {Family::products, Family::placements, Family::keys,
                                     Family::dedupe};

std::string key_of(const ErasureRecord& record) {
  return std::string(k_prefix) + record.erasure_id;
}

std::vector<std::string> in_hex(const std::vector<std::string>& keys) {
  std::vector<std::string> hex;
  hex.reserve(keys.size());
  for (const std::string& key : keys) hex.push_back(to_hex(key));
  return hex;
}

std::string line_of(const ErasureRecord& record) {
  json::array keys;
  for (const std::string& key : record.keys) keys.emplace_back(key);
  return json::serialize(json::object{{"erasure_id", record.erasure_id},
                                      {"requested_at", format_time(record.requested_ms)},
                                      {"keys", std::move(keys)}}) +
         "\n";
}

// Those who began to claim to be the user while it was looked up; from now on nobody can.
absl::Status add_latecomers(const Erasures::Parts& parts, ErasureRecord& record) {
  events::DataSubject& subject = record.subject;
  for (const std::string& user_id : subject.user_ids) {
    VITRINE_ASSIGN_OR_RETURN(const std::optional<events::DataSubject> late,
                             parts.identities.subject(user_id, {}));
    if (!late) continue;
    subject.visitor_ids.insert(subject.visitor_ids.end(), late->visitor_ids.begin(),
                               late->visitor_ids.end());
    for (auto numbers : {&events::DataSubject::people, &events::DataSubject::histories}) {
      std::vector<UserNumber> both;
      std::ranges::set_union(subject.*numbers, (*late).*numbers, std::back_inserter(both));
      subject.*numbers = std::move(both);
    }
  }
  return absl::OkStatus();
}

}  // namespace

Erasures::Erasures(Parts parts)
    : parts_(std::move(parts)),
      completed_(parts_.metrics.counter("vitrine_privacy_erasures_total", "Erasures completed")),
      pending_(parts_.metrics.gauge("vitrine_privacy_erasures_pending",
                                    "Erasures that were begun and not completed")) {
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

absl::StatusOr<std::optional<ErasureRecord>> Erasures::find(std::string_view user_id) const {
  const events::DataSubject named{
      .user_ids = {std::string(user_id)}, .visitor_ids = {}, .people = {}, .histories = {}};
  const std::string key = in_hex(parts_.identities.keys_of(named)).front();
  VITRINE_ASSIGN_OR_RETURN(std::vector<ErasureRecord> records, list());
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (std::ranges::find(record->keys, key) != record->keys.end()) return std::move(*record);
  }
  return std::nullopt;
}

absl::StatusOr<ErasureRecord> Erasures::erase(std::string_view user_id) {
  const std::unique_lock alone(one_at_a_time_, std::try_to_lock);
  if (!alone) return conflict("another erasure is under way: ask again when it is done");
  VITRINE_ASSIGN_OR_RETURN(std::optional<ErasureRecord> earlier, find(user_id));
  if (earlier && earlier->completed_ms == 0) VITRINE_RETURN_IF_ERROR(carry_out(*earlier));
  VITRINE_ASSIGN_OR_RETURN(std::optional<events::DataSubject> subject,
                           parts_.identities.subject(user_id, {}));
  if (subject) return erase_subject(make_ulid(parts_.clock.now_ms()), *std::move(subject));
  if (earlier) return *std::move(earlier);
  return not_found("there is no user {}", user_id);
}

absl::StatusOr<ErasureRecord> Erasures::erase_subject(std::string erasure_id,
                                                      events::DataSubject subject) {
  ErasureRecord record{.erasure_id = std::move(erasure_id),
                       .requested_ms = parts_.clock.now_ms(),
                       .completed_ms = 0,
                       .keys = in_hex(parts_.identities.keys_of(subject)),
                       .owners = {},
                       .subject = std::move(subject)};
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
  VITRINE_RETURN_IF_ERROR(parts_.database.purge(k_impersonal));
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
  VITRINE_ASSIGN_OR_RETURN(std::string ledger, read_ledger());
  const std::size_t bytes_before = ledger.size();
  for (const ErasureRecord& record : records) {
    if (ledger.find(record.erasure_id) == std::string::npos) ledger += line_of(record);
  }
  return ledger.size() == bytes_before ? absl::OkStatus() : replace_file(parts_.ledger, ledger);
}

absl::StatusOr<std::string> Erasures::read_ledger() const {
  std::error_code error;
  if (!std::filesystem::exists(parts_.ledger, error)) return std::string();
  return read_file(parts_.ledger);
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

// Erasures that were made after this folder's backup was.
absl::Status Erasures::follow_ledger() {
  VITRINE_ASSIGN_OR_RETURN(std::string lines, read_ledger());
  std::istringstream ledger(std::move(lines));
  for (std::string line; std::getline(ledger, line);) VITRINE_RETURN_IF_ERROR(follow_line(line));
  return absl::OkStatus();
}

absl::Status Erasures::follow_line(std::string_view line) {
  json::error_code error;
  const json::value entry = json::parse(line, error);
  const json::object* const object = error ? nullptr : entry.if_object();
  const json::value* const keys = object == nullptr ? nullptr : object->if_contains("keys");
  const json::value* const id = object == nullptr ? nullptr : object->if_contains("erasure_id");
  if (keys == nullptr || !keys->is_array() || id == nullptr || !id->is_string()) {
    return data_loss("{} has a line that cannot be read", parts_.ledger.string());
  }
  const std::string erasure_id(id->as_string());
  VITRINE_ASSIGN_OR_RETURN(const auto known,
                           parts_.database.get(Family::meta, std::string(k_prefix) + erasure_id));
  if (known) return absl::OkStatus();
  for (const json::value& key : keys->get_array()) {
    if (!key.is_string()) continue;
    const json::string& hex = key.get_string();
    VITRINE_ASSIGN_OR_RETURN(
        std::optional<events::DataSubject> subject,
        parts_.identities.subject_of_key(absl::HexStringToBytes({hex.data(), hex.size()})));
    if (!subject) continue;
    VITRINE_RETURN_IF_ERROR(erase_subject(erasure_id, *std::move(subject)).status());
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Erasures::export_person(std::string_view user_id) const {
  VITRINE_ASSIGN_OR_RETURN(const std::optional<events::DataSubject> subject,
                           parts_.identities.subject(user_id, {}));
  if (!subject) return not_found("there is no user {}", user_id);
  std::string archive = R"({"user_id":)" + json::serialize(json::string(user_id)) +
                        R"(,"exported_at":")" + format_time(parts_.clock.now_ms()) +
                        R"(","owners":{)";
  for (std::size_t i = 0; i < parts_.owners.size(); ++i) {
    VITRINE_ASSIGN_OR_RETURN(const std::string part, parts_.owners[i]->export_person(*subject));
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
