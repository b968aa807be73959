#include "server/http/key_book.h"

#include <algorithm>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "base/string_map.h"
#include "server/events/function_command.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_id_bytes = 6;
constexpr std::size_t k_secret_bytes = 16;
constexpr std::size_t k_text_bytes_max = 4096;
constexpr std::size_t k_origins_max = 100;
constexpr std::size_t k_record_depth_max = 4;
constexpr std::size_t k_identity_secrets_max = 2;

// "vk_<id>_<secret>" -> id; empty when it has no such form.
std::string_view id_in(std::string_view key) {
  if (!key.starts_with("vk_")) return {};
  key.remove_prefix(3);
  const std::size_t end = key.find('_');
  return end == std::string_view::npos ? std::string_view() : key.substr(0, end);
}

struct KeySecrets {
  std::string hash;                   // hex SHA-256 of the key
  std::vector<std::string> identity;  // newest first, at most k_identity_secrets_max
};

std::string new_identity_secret() { return "vis_" + to_hex(secret_bytes(k_secret_bytes)); }

}  // namespace

struct KeyBook::Stored {
  KeyRecord record;
  KeySecrets secrets;
  std::shared_ptr<RequestBucket> bucket = std::make_shared<RequestBucket>(record.rate);
};

struct KeyBook::Keys {
  StringMap<Stored> by_id;

  bool allows_origin(std::string_view origin) const {
    return std::any_of(by_id.begin(), by_id.end(), [&](const auto& each) {
      const KeyRecord& record = each.second.record;
      return record.is_public() &&
             (record.origins.empty() || std::find(record.origins.begin(), record.origins.end(),
                                                  origin) != record.origins.end());
    });
  }
};

namespace {

std::string encode(const KeyRecord& record, const KeySecrets& secrets) {
  std::string bytes;
  JsonWriter json(bytes);
  json.begin_object().field("name", record.name).field("scopes", record.scopes.text());
  json.field("hash", secrets.hash).field("created_ms", record.created_ms);
  json.key("origins").begin_array();
  for (const std::string& origin : record.origins) json.value(origin);
  json.end_array();
  if (!record.currency.empty()) json.field("currency", record.currency);
  json.field("requests_per_second", record.rate.per_second).field("burst", record.rate.burst);
  if (record.is_secret) json.key("secret").value(true);
  json.key("identity_secrets").begin_array();
  for (const std::string& secret : secrets.identity) json.value(secret);
  json.end_array().end_object();
  return bytes;
}

absl::StatusOr<std::pair<KeyRecord, KeySecrets>> decode(std::string_view id,
                                                        std::string_view bytes) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(bytes, k_record_depth_max));
  ObjectReader reader(document.root(), "");
  KeyRecord record;
  KeySecrets secrets;
  record.id = id;
  record.name = reader.text("name", k_text_bytes_max).value_or("");
  const std::string_view scopes = reader.required_text("scopes", k_text_bytes_max);
  secrets.hash = reader.required_text("hash", k_text_bytes_max);
  record.currency = reader.text("currency", k_text_bytes_max).value_or("");
  record.created_ms = reader.integer("created_ms", 0, INT64_MAX).value_or(0);
  record.rate = read_rate(reader);
  record.is_secret = reader.boolean("secret").value_or(false);
  for (const std::string_view origin : reader.texts("origins", k_origins_max, k_text_bytes_max)) {
    record.origins.emplace_back(origin);
  }
  for (const std::string_view secret :
       reader.texts("identity_secrets", k_identity_secrets_max, k_text_bytes_max)) {
    secrets.identity.emplace_back(secret);
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_ASSIGN_OR_RETURN(record.scopes, Scopes::parse(scopes));
  return std::pair(std::move(record), std::move(secrets));
}

}  // namespace

KeyBook::KeyBook(std::shared_ptr<const Keys> first)
    : keys_(std::make_unique<Published<Keys>>(std::move(first))) {}
KeyBook::~KeyBook() = default;

absl::StatusOr<std::unique_ptr<KeyBook>> KeyBook::open(const store::Database& database) {
  auto keys = std::make_shared<Keys>();
  const std::unique_ptr<store::Cursor> cursor = database.walk(store::Family::keys, "", false);
  for (; cursor->valid(); cursor->next()) {
    auto decoded = decode(cursor->key(), cursor->value());
    if (!decoded.ok()) {
      return data_loss("the API key {} cannot be read: {}", cursor->key(),
                       message_of(decoded.status()));
    }
    keys->by_id.emplace(cursor->key(), Stored{.record = std::move(decoded->first),
                                              .secrets = std::move(decoded->second)});
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return std::unique_ptr<KeyBook>(new KeyBook(std::move(keys)));
}

std::optional<KeyInfo> KeyBook::find(std::string_view bearer_key) const {
  const std::string hash = to_hex(sha256(bearer_key));
  const std::shared_ptr<const Keys> keys = keys_->current();
  const auto found = keys->by_id.find(id_in(bearer_key));
  if (found == keys->by_id.end()) return std::nullopt;
  if (!equal_in_constant_time(hash, found->second.secrets.hash)) return std::nullopt;
  const KeyRecord& record = found->second.record;
  return KeyInfo{record.id,       record.scopes,        record.origins,
                 record.currency, found->second.bucket, record.is_secret};
}

UserTokenState KeyBook::check_user(std::string_view key_id, std::string_view user_id,
                                   std::string_view token, TimeMs now_ms) const {
  const std::shared_ptr<const Keys> keys = keys_->current();
  const auto found = keys->by_id.find(key_id);
  if (found == keys->by_id.end()) return UserTokenState::invalid;
  return check_user_token(token, user_id, found->second.secrets.identity, now_ms);
}

bool KeyBook::allows_origin(std::string_view origin) const {
  return keys_->current()->allows_origin(origin);
}

std::vector<KeyRecord> KeyBook::list() const {
  std::vector<KeyRecord> records;
  const std::shared_ptr<const Keys> keys = keys_->current();
  for (const auto& [id, stored] : keys->by_id) records.push_back(stored.record);
  std::sort(records.begin(), records.end(), [](const KeyRecord& a, const KeyRecord& b) {
    return std::pair(a.created_ms, a.id) < std::pair(b.created_ms, b.id);
  });
  return records;
}

absl::Status KeyBook::create(events::Committer& committer, KeyRecord wanted,
                             std::function<void(absl::StatusOr<CreatedKey>)> done) {
  auto created = std::make_shared<CreatedKey>();
  created->record = std::move(wanted);
  created->record.id = to_hex(secret_bytes(k_id_bytes));
  created->key = fmt::format("vk_{}_{}", created->record.id, to_hex(secret_bytes(k_secret_bytes)));
  if (created->record.is_public()) created->identity_secret = new_identity_secret();
  const auto stage = [this, created](events::Batch& batch) {
    KeyRecord& record = created->record;
    record.created_ms = batch.time_ms();
    KeySecrets secrets{.hash = to_hex(sha256(created->key)), .identity = {}};
    if (!created->identity_secret.empty()) secrets.identity.push_back(created->identity_secret);
    batch.put(store::Family::keys, record.id, encode(record, secrets));
    batch.after_sync([this, created, secrets] {
      auto next = std::make_shared<Keys>(*keys_->current());
      next->by_id.emplace(created->record.id,
                          Stored{.record = created->record, .secrets = secrets});
      keys_->publish(std::move(next));
    });
    return absl::OkStatus();
  };
  const auto answer = [created, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*created)) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

absl::Status KeyBook::renew_identity(events::Committer& committer, const std::string& id,
                                     std::function<void(absl::StatusOr<std::string>)> done) {
  const auto renewed = std::make_shared<std::string>(new_identity_secret());
  const auto stage = [this, id, renewed](events::Batch& batch) -> absl::Status {
    VITRINE_ASSIGN_OR_RETURN(const auto bytes, batch.get(store::Family::keys, id));
    if (!bytes) return not_found("there is no API key {}", id);
    VITRINE_ASSIGN_OR_RETURN(auto stored, decode(id, *bytes));
    auto& [record, secrets] = stored;
    if (!record.is_public()) {
      return make_status(absl::StatusCode::kFailedPrecondition,
                         "the API key {} is secret: what comes under it needs no user token", id);
    }
    secrets.identity.insert(secrets.identity.begin(), *renewed);
    secrets.identity.resize(std::min(secrets.identity.size(), k_identity_secrets_max));
    batch.put(store::Family::keys, id, encode(record, secrets));
    batch.after_sync([this, id, kept = secrets] {
      auto next = std::make_shared<Keys>(*keys_->current());
      if (const auto found = next->by_id.find(id); found != next->by_id.end()) {
        found->second.secrets = kept;
      }
      keys_->publish(std::move(next));
    });
    return absl::OkStatus();
  };
  const auto answer = [renewed, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(*renewed) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

absl::Status KeyBook::revoke(events::Committer& committer, const std::string& id,
                             std::function<void(absl::Status)> done) {
  const auto stage = [this, id](events::Batch& batch) -> absl::Status {
    VITRINE_ASSIGN_OR_RETURN(const auto stored, batch.get(store::Family::keys, id));
    if (!stored) return not_found("there is no API key {}", id);
    batch.erase(store::Family::keys, id);
    batch.after_sync([this, id] {
      auto next = std::make_shared<Keys>(*keys_->current());
      next->by_id.erase(id);
      keys_->publish(std::move(next));
    });
    return absl::OkStatus();
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, std::move(done)));
}

}  // namespace vitrine::http
