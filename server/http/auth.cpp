#include "server/http/auth.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/status.h"

namespace vitrine::http {
namespace {

absl::Status unauthenticated(std::string_view message) {
  return make_status(absl::StatusCode::kUnauthenticated, "{}", message);
}

bool is_loopback_origin(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && is_loopback_host(origin.substr(scheme + 3));
}

// It is repeated in an answer's header.
bool is_plain_origin(std::string_view origin) {
  constexpr std::size_t k_bytes_max = 300;
  return !origin.empty() && origin.size() <= k_bytes_max &&
         std::all_of(origin.begin(), origin.end(), [](char c) { return c > ' ' && c <= '~'; });
}

absl::Status check_loopback(const Request& request) {
  const std::string_view host = request.headers.find("Host").value_or("");
  if (!is_loopback_host(host)) {
    return make_status(absl::StatusCode::kPermissionDenied,
                       "Host must be localhost or a loopback address while the server is open, "
                       "got '{}'",
                       host);
  }
  const std::optional<std::string_view> origin = request.headers.find("Origin");
  if (!origin) return absl::OkStatus();
  if (!is_loopback_origin(*origin)) {
    return make_status(absl::StatusCode::kPermissionDenied,
                       "Origin must be a loopback address while the server is open, got '{}'",
                       *origin);
  }
  return absl::OkStatus();
}

// What follows the scheme in the Authorization header.
std::optional<std::string_view> credentials_of(const Request& request, std::string_view scheme) {
  const std::optional<std::string_view> header = request.headers.find("Authorization");
  if (!header || header->size() <= scheme.size()) return std::nullopt;
  const bool is_meant = std::equal(scheme.begin(), scheme.end(), header->begin(),
                                   [](char a, char b) { return a == (b | 0x20); });
  if (!is_meant) return std::nullopt;
  return header->substr(scheme.size());
}

// Whoever reached an open server or the control socket is the operator.
void trust(Request& request) {
  request.scopes = Scopes::all();
  request.is_trusted = true;
}

absl::Status check_origin(const Request& request, const KeyInfo& key) {
  const std::optional<std::string_view> origin = request.headers.find("Origin");
  if (!origin || key.origins.empty()) return absl::OkStatus();
  if (std::find(key.origins.begin(), key.origins.end(), *origin) != key.origins.end()) {
    return absl::OkStatus();
  }
  return make_status(absl::StatusCode::kPermissionDenied,
                     "the API key is not for pages of the origin '{}'", *origin);
}

}  // namespace

std::optional<std::string_view> bearer_key_of(const Request& request) {
  return credentials_of(request, "bearer ");
}

std::optional<std::string> basic_key_of(const Request& request) {
  const std::optional<std::string_view> encoded = credentials_of(request, "basic ");
  std::string decoded;
  if (!encoded || !absl::Base64Unescape({encoded->data(), encoded->size()}, &decoded)) {
    return std::nullopt;
  }
  return decoded.substr(0, decoded.find(':'));
}

bool is_loopback_host(std::string_view host) {
  if (host.starts_with("[")) return host == "[::1]" || host.starts_with("[::1]:");
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  if (colon != std::string_view::npos &&
      !std::all_of(host.begin() + static_cast<std::ptrdiff_t>(colon) + 1, host.end(),
                   [](char c) { return c >= '0' && c <= '9'; })) {
    return false;
  }
  if (name == "localhost") return true;
  // Digits and dots only: "127.evil.example" is somebody else's name.
  return name.starts_with("127.") && std::count(name.begin(), name.end(), '.') == 3 &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

absl::Status AccessPolicy::authorize(Request& request, std::optional<Scope> needed) const {
  if (request.is_control) {
    trust(request);
    return absl::OkStatus();
  }
  if (keys_ == nullptr) {
    VITRINE_RETURN_IF_ERROR(check_loopback(request));
    trust(request);
    return absl::OkStatus();
  }
  if (!needed) return absl::OkStatus();

  std::optional<GivenKey> given;
  if (const auto bearer = bearer_key_of(request)) {
    given = {.key = std::string(*bearer)};
  } else if (const auto in_url = find_parameter(request.query, "key")) {
    given = {.key = std::string(*in_url), .is_in_url = true};
  }
  return authorize_key(request, given, *needed);
}

absl::Status AccessPolicy::authorize_key(Request& request, const std::optional<GivenKey>& given,
                                         Scope needed) const {
  if (request.is_control || keys_ == nullptr) {
    trust(request);
    return absl::OkStatus();
  }
  if (!given) return unauthenticated("an API key is needed: Authorization: Bearer <key>");
  std::optional<KeyInfo> key = keys_->find(given->key);
  if (!key) return unauthenticated("the API key is unknown or revoked");
  if (key->bucket != nullptr && !key->bucket->take(steady_us())) {
    return make_status(absl::StatusCode::kResourceExhausted,
                       "the API key may make {} requests a second, and {} at once",
                       key->bucket->rate().per_second, key->bucket->rate().burst);
  }
  if (given->is_in_url && !key->is_public()) {
    return unauthenticated(
        "?key= is for public keys, with the scopes collect and recommend only; send this one as "
        "Authorization: Bearer <key>");
  }
  if (!key->scopes.allow(needed)) {
    return make_status(absl::StatusCode::kPermissionDenied,
                       "the API key needs the scope {}, it has {}", name_of(needed),
                       key->scopes.text());
  }
  VITRINE_RETURN_IF_ERROR(check_origin(request, *key));
  request.scopes = key->scopes;
  request.is_trusted = !key->is_public();
  request.key_id = std::move(key->id);
  request.key_currency = std::move(key->currency);
  return absl::OkStatus();
}

bool AccessPolicy::allows_origin(std::string_view origin) const {
  if (!is_plain_origin(origin)) return false;
  return keys_ == nullptr ? is_loopback_origin(origin) : keys_->allows_origin(origin);
}

}  // namespace vitrine::http
