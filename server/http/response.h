// What a handler answers, and the one form every failure takes.
//
// {"error": {"code": ..., "message": ..., "field": ..., "request_id": ...}}, never anything else.
// Values and pure functions.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::http {

struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // static storage
  std::vector<std::pair<std::string, std::string>> headers;
};

inline Response json_response(std::string body, int status = 200) {
  return {status, std::move(body), "application/json", {}};
}

// InvalidArgument about one field of the request; the error body names the field.
absl::Status field_error(std::string_view field, std::string_view message);

// Names the field of a status from elsewhere.
absl::Status with_field(absl::Status status, std::string_view field);

// What a status means in HTTP: the status code and the word in the error body.
struct ErrorKind {
  int http_status;
  std::string_view code;
};
ErrorKind kind_of(absl::StatusCode code);

// Failures the protocol knows and absl::Status does not.
inline constexpr ErrorKind k_method_not_allowed{405, "method_not_allowed"};
inline constexpr ErrorKind k_request_timeout{408, "timeout"};
inline constexpr ErrorKind k_body_too_large{413, "too_large"};
inline constexpr ErrorKind k_headers_too_large{431, "too_large"};

// 429 and 503 carry Retry-After.
Response error_response(ErrorKind kind, std::string_view message, std::string_view field,
                        std::string_view request_id);

// Precondition, checked: `status` is an error. The messages of internal failures are not for
// clients: they get a pointer to the log, and the caller logs.
Response error_response(const absl::Status& status, std::string_view request_id);

// "Not Found"
std::string_view reason_of(int http_status);

}  // namespace vitrine::http
