#include "server/webhooks/signature.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>

#include "base/crypto.h"

namespace vitrine::webhooks {
namespace {

constexpr std::string_view k_prefix = "whsec_";
constexpr std::size_t k_secret_bytes = 32;

std::string base64(std::string_view bytes) {
  return absl::Base64Escape({bytes.data(), bytes.size()});
}

}  // namespace

std::string make_secret() { return std::string(k_prefix) + base64(secret_bytes(k_secret_bytes)); }

std::string signature(std::span<const std::string> secrets, std::string_view id,
                      std::int64_t timestamp, std::string_view body) {
  const std::string content = fmt::format("{}.{}.{}", id, timestamp, body);
  std::string all;
  for (const std::string& secret : secrets) {
    std::string key;
    if (!secret.starts_with(k_prefix) ||
        !absl::Base64Unescape(secret.substr(k_prefix.size()), &key)) {
      continue;
    }
    const Sha256 digest = hmac_sha256(key, content);
    if (!all.empty()) all += ' ';
    all += "v1," + base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }
  return all;
}

}  // namespace vitrine::webhooks
