#include "server/http/auth.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace vitrine::http {
namespace {

absl::Status unauthenticated(std::string_view message) {
  return make_status(absl::StatusCode::kUnauthenticated, "{}", message);
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
  const std::size_t scheme = origin->find("://");
  if (scheme == std::string_view::npos || !is_loopback_host(origin->substr(scheme + 3))) {
    return make_status(absl::StatusCode::kPermissionDenied,
                       "Origin must be a loopback address while the server is open, got '{}'",
                       *origin);
  }
  return absl::OkStatus();
}

std::optional<std::string_view> bearer_of(const Request& request) {
  constexpr std::string_view k_scheme = "bearer ";
  const std::optional<std::string_view> header = request.headers.find("Authorization");
  if (!header || header->size() <= k_scheme.size()) return std::nullopt;
  const bool is_bearer = std::equal(k_scheme.begin(), k_scheme.end(), header->begin(),
                                    [](char a, char b) { return a == (b | 0x20); });
  if (!is_bearer) return std::nullopt;
  return header->substr(k_scheme.size());
}

}  // namespace

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
    request.scopes = Scopes::all();
    return absl::OkStatus();
  }
  if (keys_ == nullptr) {
    VITRINE_RETURN_IF_ERROR(check_loopback(request));
    request.scopes = Scopes::all();
    return absl::OkStatus();
  }
  if (!needed) return absl::OkStatus();

  const std::optional<std::string_view> bearer = bearer_of(request);
  const std::optional<std::string_view> given =
      bearer ? bearer : find_parameter(request.query, "key");
  if (!given) return unauthenticated("an API key is needed: Authorization: Bearer <key>");
  std::optional<KeyInfo> key = keys_->find(*given);
  if (!key) return unauthenticated("the API key is unknown or revoked");
  if (!bearer && !key->scopes.are_public()) {
    return unauthenticated(
        "?key= is for keys with the scopes collect and recommend only; send this one as "
        "Authorization: Bearer <key>");
  }
  if (!key->scopes.allow(*needed)) {
    return make_status(absl::StatusCode::kPermissionDenied,
                       "the API key needs the scope {}, it has {}", name_of(*needed),
                       key->scopes.text());
  }
  request.scopes = key->scopes;
  request.key_id = std::move(key->id);
  return absl::OkStatus();
}

}  // namespace vitrine::http
