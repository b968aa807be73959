#include "server/http/idempotency.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/events/function_command.h"
#include "server/events/mention.h"
#include "server/events/replacements.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"

namespace vitrine::http {
namespace {

constexpr store::Family k_family = store::Family::meta;
constexpr std::string_view k_prefix = "idempotent/";
constexpr std::size_t k_record_depth_max = 3;
constexpr std::size_t k_text_bytes_max = std::size_t{16} << 20;
constexpr std::size_t k_headers_max = 32;
constexpr std::string_view k_header = "Idempotency-Key";

// Of the committer's thread: the write whose answer is taken right now. Compared with, never
// followed.
thread_local const void* write_being_answered = nullptr;

struct Record {
  TimeMs given_ms = 0;
  std::string body_hash;
  Response response;
};

absl::StatusOr<Record> decode(std::string_view bytes) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(bytes, k_record_depth_max));
  ObjectReader reader(document.root(), "");
  Record record;
  record.given_ms = reader.integer("given_ms", 0, INT64_MAX).value_or(0);
  record.body_hash = reader.required_text("body_hash", k_text_bytes_max);
  record.response.status = static_cast<int>(reader.integer("status", 200, 299).value_or(200));
  record.response.body = reader.text("body", k_text_bytes_max).value_or("");
  const auto headers = reader.texts("headers", k_headers_max, k_text_bytes_max);
  for (std::size_t i = 0; i + 1 < headers.size(); i += 2) {
    record.response.headers.emplace_back(headers[i], headers[i + 1]);
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return record;
}

absl::Status check_key(const Request& request, std::string_view key) {
  const bool is_plain =
      std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (key.empty() || key.size() > Idempotency::k_key_bytes_max || !is_plain) {
    return field_error(k_header,
                       fmt::format("Idempotency-Key must be 1 to {} printable ASCII characters, "
                                   "got {} bytes",
                                   Idempotency::k_key_bytes_max, key.size()));
  }
  if (request.headers.count(k_header) > 1) {
    return field_error(k_header, "Idempotency-Key must be given once");
  }
  return absl::OkStatus();
}

absl::Status other_body() {
  return with_field(conflict("Idempotency-Key was used with another body for this route already"),
                    k_header);
}

absl::Status not_carried_out() {
  return overloaded("the same request came first and was not carried out; ask again");
}

bool is_kept(const Response& response, std::size_t bytes_max) {
  return response.status >= 200 && response.status < 300 && response.body.size() <= bytes_max &&
         response.content_type == "application/json";
}

}  // namespace

struct Idempotency::Flight {
  explicit Flight(std::string hash) : body_hash(std::move(hash)) {}
  const std::string body_hash;
  std::vector<Reply> twins;
};

Idempotency::Idempotency(const store::Database& database, events::Committer& committer,
                         const Clock& clock, Metrics& metrics, const Options& options)
    : database_(database),
      committer_(committer),
      clock_(clock),
      options_(options),
      replayed_(metrics.counter("vitrine_http_idempotent_replays_total",
                                "Repeated writes answered with the first one's answer")) {}

Idempotency::~Idempotency() = default;

absl::StatusOr<std::unique_ptr<Idempotency>> Idempotency::open(const store::Database& database,
                                                               events::Committer& committer,
                                                               const Clock& clock, Metrics& metrics,
                                                               const Options& options) {
  std::unique_ptr<Idempotency> opened(
      new Idempotency(database, committer, clock, metrics, options));
  VITRINE_RETURN_IF_ERROR(opened->load());
  return opened;
}

absl::Status Idempotency::load() {
  const std::unique_ptr<store::Cursor> cursor = database_.walk(k_family, k_prefix, false);
  for (; cursor->valid() && cursor->key().starts_with(k_prefix); cursor->next()) {
    const absl::StatusOr<Record> record = decode(cursor->value());
    if (!record.ok()) {
      return data_loss("a kept answer cannot be read: {}", message_of(record.status()));
    }
    remember(std::string(cursor->key()), record->given_ms);
  }
  return cursor->status();
}

void Idempotency::remember(const std::string& name, TimeMs given_ms) {
  const auto [known, is_new] = given_.try_emplace(name, given_ms);
  if (!is_new) {
    ages_.erase({known->second, name});
    known->second = given_ms;
  }
  ages_.emplace(given_ms, name);
}

std::shared_ptr<Idempotency::Write> Idempotency::begin(const Request& request, Reply& reply) {
  const std::string_view key = request.headers.find(k_header).value_or("");
  if (const absl::Status status = check_key(request, key); !status.ok()) {
    reply.fail(status);
    return nullptr;
  }
  // Hashed with the folder's secret: neither ids in a path nor guessed keys can be found in it.
  std::string name =
      std::string(k_prefix) +
      to_hex(hmac_sha256(database_.secret(), fmt::format("{}\n{}\n{}\n{}", request.key_id,
                                                         request.method, request.target, key)));
  std::string body_hash = to_hex(hmac_sha256(database_.secret(), request.body));
  if (!take_off(name, body_hash, reply)) return nullptr;
  if (answer_from_store(name, body_hash, reply)) return nullptr;
  return std::make_shared<Write>(*this, std::move(name), std::move(body_hash));
}

Reply Idempotency::keep(const std::shared_ptr<Write>& write, Reply reply) {
  std::string request_id = reply.request_id();
  write->reply_.emplace(std::move(reply));
  return Reply(std::move(request_id),
               [write](Response&& response) { write->owner_.finish(write, std::move(response)); });
}

// Whether the caller is the first; a twin waits, or is refused.
bool Idempotency::take_off(const std::string& name, const std::string& body_hash, Reply& reply) {
  absl::Status refusal;
  {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Flight>& flight = flights_[name];
    if (flight == nullptr) {
      flight = std::make_unique<Flight>(body_hash);
      return true;
    }
    if (flight->body_hash != body_hash) {
      refusal = other_body();
    } else if (flight->twins.size() >= k_twins_max) {
      refusal = overloaded("{} requests with this Idempotency-Key wait already", k_twins_max);
    } else {
      flight->twins.push_back(std::move(reply));
      return false;
    }
  }
  reply.fail(refusal);
  return false;
}

bool Idempotency::answer_from_store(const std::string& name, const std::string& body_hash,
                                    Reply& reply) {
  const auto stored = database_.get(k_family, name);
  if (stored.ok() && !stored->has_value()) return false;
  absl::StatusOr<Record> record =
      stored.ok() ? decode(**stored) : absl::StatusOr<Record>(stored.status());
  if (record.ok() && record->given_ms + options_.kept_ms <= clock_.now_ms()) return false;
  std::vector<Reply> asking = land(name);
  asking.push_back(std::move(reply));
  for (Reply& each : asking) {
    if (!record.ok()) {
      each.fail(record.status());
    } else if (record->body_hash != body_hash) {
      each.fail(other_body());
    } else {
      replay(each, record->response);
    }
  }
  return true;
}

void Idempotency::replay(Reply& reply, const Response& response) {
  replayed_.add();
  reply.add_header("Idempotent-Replayed", "true");
  reply.send(response);
}

// What the handler answered.
void Idempotency::finish(const std::shared_ptr<Write>& write, Response response) {
  if (write_being_answered == write.get()) return write->hold(std::move(response));
  if (!is_kept(response, options_.answer_bytes_max)) return tell(*write, std::move(response));
  keep_alone(write, std::move(response));
}

// Of what is done without the committer, or by several of its commands: durable before anybody is
// told.
void Idempotency::keep_alone(const std::shared_ptr<Write>& write, Response response) {
  const events::KeepAnswers nobody(nullptr);  // this command answers for itself
  const auto told = std::make_shared<Response>(std::move(response));
  const TimeMs now_ms = clock_.now_ms();
  const absl::Status taken = committer_.submit(std::make_unique<events::FunctionCommand>(
      [this, write, told, now_ms](events::Batch& batch) {
        stage(batch, write->name_, now_ms, write->record_of(*told, now_ms));
        return absl::OkStatus();
      },
      // The effect is durable already, whatever became of keeping its answer.
      [this, write, told](const absl::Status&) { tell(*write, std::move(*told)); }));
  if (!taken.ok()) tell(*write, std::move(*told));
}

std::string Idempotency::Write::record_of(const Response& response, TimeMs given_ms) const {
  std::string bytes;
  JsonWriter json(bytes);
  json.begin_object().field("given_ms", given_ms).field("body_hash", body_hash_);
  json.field("status", response.status).field("body", response.body);
  json.key("headers").begin_array();
  for (const auto& [name, value] : response.headers) json.value(name).value(value);
  json.end_array().end_object();
  return bytes;
}

void Idempotency::Write::take(events::Batch& batch, absl::FunctionRef<void()> answer) {
  batch_ = &batch;
  write_being_answered = this;
  answer();
  write_being_answered = nullptr;
  batch_ = nullptr;
}

void Idempotency::Write::hold(Response response) {
  if (failed_.ok() && is_kept(response, owner_.options_.answer_bytes_max)) {
    const TimeMs now_ms = owner_.clock_.now_ms();
    owner_.stage(*batch_, name_, now_ms, record_of(response, now_ms));
  }
  held_ = std::move(response);
}

// A request may be several commands, of which the last one answers for all.
void Idempotency::Write::settle(const absl::Status& written) {
  failed_.Update(written);
  if (!held_) return;
  Response response = *std::exchange(held_, std::nullopt);
  failed_.ok() ? owner_.tell(*this, std::move(response)) : owner_.fail(*this, failed_);
}

void Idempotency::stage(events::Batch& batch, const std::string& name, TimeMs given_ms,
                        const std::string& record) {
  batch.put(k_family, name, record);
  remember(name, given_ms);
  const TimeMs too_old_ms = given_ms - options_.kept_ms;
  for (std::size_t i = 0; i < k_swept_max && !ages_.empty(); ++i) {
    const auto oldest = ages_.begin();
    if (oldest->first > too_old_ms && ages_.size() <= options_.answers_max) break;
    forget(batch, std::string(oldest->second));
  }
}

void Idempotency::forget(events::Batch& batch, const std::string& name) {
  batch.erase(k_family, name);
  const auto known = given_.find(name);
  if (known == given_.end()) return;
  ages_.erase({known->second, name});
  given_.erase(known);
}

std::vector<Reply> Idempotency::land(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(name);
  std::vector<Reply> twins = std::move(found->second->twins);
  flights_.erase(found);
  return twins;
}

void Idempotency::tell(Write& write, Response response) {
  for (Reply& twin : land(write.name_)) {
    // A failure names the request it is about, which a twin is not.
    if (response.status >= 300) {
      twin.fail(not_carried_out());
      continue;
    }
    replay(twin, response);
  }
  std::exchange(write.reply_, std::nullopt)->send(std::move(response));
}

void Idempotency::fail(Write& write, const absl::Status& status) {
  for (Reply& twin : land(write.name_)) twin.fail(not_carried_out());
  std::exchange(write.reply_, std::nullopt)->fail(status);
}

namespace {

// Every kept answer that names one of the subject's ids, by its key.
absl::Status for_each_of(const store::Database& database, const events::DataSubject& subject,
                         const std::function<void(std::string_view, const Record&)>& visit) {
  const events::Mention mention(subject.ids());
  const std::unique_ptr<store::Cursor> cursor = database.walk(k_family, k_prefix, true);
  for (; cursor->valid() && cursor->key().starts_with(k_prefix); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(const Record record, decode(cursor->value()));
    if (mention.is_in_json(record.response.body)) visit(cursor->key(), record);
  }
  return cursor->status();
}

}  // namespace

absl::StatusOr<std::string> Idempotency::export_person(const events::DataSubject& subject) const {
  std::string answers;
  JsonWriter json(answers);
  json.begin_array();
  VITRINE_RETURN_IF_ERROR(
      for_each_of(database_, subject, [&](std::string_view /*key*/, const Record& record) {
        json.begin_object().field("given_at", format_time(record.given_ms));
        json.field("status", record.response.status).field("answer", record.response.body);
        json.end_object();
      }));
  json.end_array();
  return answers;
}

absl::StatusOr<events::Erased> Idempotency::erase_person(const events::DataSubject& subject,
                                                         events::Committer& committer) {
  std::vector<std::string> names;
  VITRINE_RETURN_IF_ERROR(for_each_of(
      database_, subject,
      [&](std::string_view key, const Record& /*record*/) { names.emplace_back(key); }));
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    for (const std::string& name : names) forget(batch, name);
    return absl::OkStatus();
  }));
  return events::Erased{.dropped = names.size()};
}

}  // namespace vitrine::http
