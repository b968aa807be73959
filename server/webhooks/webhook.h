// Where a shop wants to be told, of what, and with which secrets: a target of webhooks.
//
// Thread-safe (values, pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace vitrine::webhooks {

// What can be told. Who tells of something new adds a name here.
inline constexpr std::string_view k_segment_entered = "segment.entered";
inline constexpr std::string_view k_segment_left = "segment.left";
inline constexpr std::string_view k_event_types[] = {k_segment_entered, k_segment_left};
inline constexpr std::string_view k_ping = "webhook.ping";  // only when asked for

struct Secret {
  std::string text;
  TimeMs valid_until_ms = 0;  // 0: for ever
};

struct Webhook {
  static constexpr std::size_t k_key_bytes_max = 64;
  static constexpr std::size_t k_text_bytes_max = 1000;
  static constexpr std::size_t k_url_bytes_max = 2000;
  static constexpr std::size_t k_segments_max = 1000;
  // A secret that was replaced signs beside the new one for so long.
  static constexpr TimeMs k_old_secret_ms = k_day_ms;

  std::string key = {};  // a-z, 0-9, - and _
  std::string url = {};
  std::string description = {};
  std::vector<std::string> types = {};     // of k_event_types; none: all
  std::vector<std::string> segments = {};  // keys, which need not be there yet; none: all
  bool is_active = true;                   // else nothing is sent, and nothing is missed
  std::string stopped_because = {};        // by the server, until somebody changes it
  std::uint64_t version = 0;               // given when it is stored
  TimeMs changed_ms = 0;
  std::vector<Secret> secrets = {};  // newest first, at most two

  bool wants_type(std::string_view type) const;
  bool wants_segment(std::string_view segment) const;
  // Those that sign now.
  std::vector<std::string> secrets_at(TimeMs now_ms) const;
};

// Whether it can be one: InvalidArgument begins with the field. `allow_private`: plain HTTP and
// addresses of own networks may be named.
absl::Status validate(const Webhook& webhook, bool allow_private);

// The stored form, which is JSON.
std::string encode(const Webhook& webhook);
absl::StatusOr<Webhook> decode_webhook(std::string_view key, std::string_view bytes);  // DataLoss

}  // namespace vitrine::webhooks
