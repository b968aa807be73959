// Who may call: API keys with scopes, or everybody from this machine.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <string>
#include <string_view>

#include "server/http/request.h"
#include "server/http/scopes.h"

namespace vitrine::http {

struct KeyInfo {
  std::string id;  // names the key in lists and logs; not the secret
  Scopes scopes;
};

// Knows the keys. Thread-safe.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Nothing for an unknown or revoked key. Compares in constant time and never logs `bearer_key`.
  virtual std::optional<KeyInfo> find(std::string_view bearer_key) const = 0;
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

  // Fills request.scopes and request.key_id. `needed` is nothing for routes that answer anybody.
  // Errors   Unauthenticated: no key, or an unknown one; PermissionDenied: the key lacks the scope,
  // or open mode
  //          refuses the Host or Origin
  absl::Status authorize(Request& request, std::optional<Scope> needed) const;

 private:
  explicit AccessPolicy(const Authenticator* keys) : keys_(keys) {}
  const Authenticator* keys_;  // null in open mode
};

// True for "localhost", 127.0.0.0/8 and [::1], with or without a port.
bool is_loopback_host(std::string_view host);

}  // namespace vitrine::http
