// Who may call: API keys with scopes, or everybody from this machine.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/request.h"
#include "server/http/request_rate.h"
#include "server/http/scopes.h"

namespace vitrine::http {

struct KeyInfo {
  std::string id;  // names the key in lists and logs; not the secret
  Scopes scopes;
  std::vector<std::string> origins = {};       // web pages that may use a public key; empty: all
  std::string currency = {};                   // of amounts that name none; empty: the server's
  std::shared_ptr<RequestBucket> bucket = {};  // how many requests it may make; null: any number
  bool is_secret = false;                      // kept in a backend, whatever its scopes
  // May sit in a web page: it proves nothing about who sends it.
  bool is_public() const { return scopes.are_public() && !is_secret; }
};

// Knows the keys. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Nothing for an unknown or revoked key. Compares in constant time and never logs `bearer_key`.
  virtual std::optional<KeyInfo> find(std::string_view bearer_key) const = 0;
  // Whether there is a public key that pages of this origin may use.
  virtual bool allows_origin(std::string_view /*origin*/) const { return false; }
};

// Decides before a handler runs. Immutable; thread-safe.
class AccessPolicy {
 public:
  // `keys` must outlive the policy.
  static AccessPolicy with_keys(const Authenticator& keys) { return AccessPolicy(&keys); }
  // No keys: everything is allowed to pages and programs of this machine. A Host or Origin that is
  // not a loopback name is refused, so that a web page elsewhere cannot reach the server through a
  // visitor's browser.
  static AccessPolicy open() { return AccessPolicy(nullptr); }

  // Fills request.scopes, key_id, key_currency and is_trusted. `needed` is nothing for routes that
  // answer anybody.
  // Errors   Unauthenticated: no key, or an unknown one; PermissionDenied: the key lacks the scope
  //          or is not for pages of this Origin, or open mode refuses the Host or Origin;
  //          ResourceExhausted: the key made more requests than it may
  absl::Status authorize(Request& request, std::optional<Scope> needed) const;

  // The same for a key that a client keeps elsewhere. In the URL only public ones are taken.
  struct GivenKey {
    std::string key;
    bool is_in_url = false;
  };
  absl::Status authorize_key(Request& request, const std::optional<GivenKey>& given,
                             Scope needed) const;

  // Whether the browser of somebody looking at a page of this origin may see answers.
  bool allows_origin(std::string_view origin) const;

 private:
  explicit AccessPolicy(const Authenticator* keys) : keys_(keys) {}
  const Authenticator* keys_;  // null in open mode
};

// The key of "Authorization: Basic": its user name, with or without the colon of an empty password.
std::optional<std::string> basic_key_of(const Request& request);
// The key of "Authorization: Bearer".
std::optional<std::string_view> bearer_key_of(const Request& request);

// True for "localhost", 127.0.0.0/8 and [::1], with or without a port.
bool is_loopback_host(std::string_view host);

}  // namespace vitrine::http
