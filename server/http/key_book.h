// The API keys of a data folder: made, listed, revoked, and recognised at every request.
//
// A key is "vk_<id>_<secret>" and shown once; the folder keeps the SHA-256 of the whole, which is
// enough for a secret of 128 random bits. A public key comes with an identity secret, with which
// the shop's backend signs user tokens (user_token.h); the folder keeps that one as it is, because
// it is needed to check them. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/published.h"
#include "server/events/committer.h"
#include "server/http/auth.h"
#include "server/http/user_token.h"
#include "server/store/database.h"

namespace vitrine::http {

struct KeyRecord {
  std::string id;
  std::string name;  // for people: what the key is used for
  Scopes scopes;
  std::vector<std::string> origins;  // web pages that may use a public key; empty: all
  std::string currency;              // of amounts that name none; empty: the server's
  RequestRate rate = {};             // as many requests as it may make
  TimeMs created_ms = 0;
  bool is_secret = false;  // kept in a backend, though its scopes may be public
  bool is_public() const { return scopes.are_public() && !is_secret; }
};

struct CreatedKey {
  KeyRecord record;
  std::string key;              // shown once
  std::string identity_secret;  // of a public key, shown once; else empty
};

class KeyBook final : public Authenticator {
 public:
  // Loads all keys. DataLoss when one cannot be read.
  static absl::StatusOr<std::unique_ptr<KeyBook>> open(const store::Database& database);
  ~KeyBook() override;

  std::optional<KeyInfo> find(std::string_view bearer_key) const override;
  bool allows_origin(std::string_view origin) const override;
  std::vector<KeyRecord> list() const;  // oldest first
  // Of a token that came with a request under this key.
  UserTokenState check_user(std::string_view key_id, std::string_view user_id,
                            std::string_view token, TimeMs now_ms) const;

  // `wanted.id` and `wanted.created_ms` are decided here. `done` is called once, on the committer
  // thread, unless this call itself fails (queue full).
  absl::Status create(events::Committer& committer, KeyRecord wanted,
                      std::function<void(absl::StatusOr<CreatedKey>)> done);
  // A new identity secret beside the newest there was: tokens signed with either are valid, older
  // ones are not. NotFound when there is no such key, FailedPrecondition when it is not public.
  absl::Status renew_identity(events::Committer& committer, const std::string& id,
                              std::function<void(absl::StatusOr<std::string>)> done);
  // NotFound when there is no such key. From the answer on the key is refused.
  absl::Status revoke(events::Committer& committer, const std::string& id,
                      std::function<void(absl::Status)> done);

 private:
  struct Stored;
  struct Keys;
  explicit KeyBook(std::shared_ptr<const Keys> first);

  std::unique_ptr<Published<Keys>> keys_;
};

}  // namespace vitrine::http
