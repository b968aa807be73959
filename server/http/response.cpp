#include "server/http/response.h"

#include <absl/strings/cord.h>

#include <optional>

#include "base/check.h"
#include "base/status.h"
#include "server/http/json_writer.h"

namespace vitrine::http {
namespace {

constexpr char k_field_payload[] = "vitrine/field";

std::string field_of(const absl::Status& status) {
  const auto payload = status.GetPayload(k_field_payload);
  return payload ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status field_error(std::string_view field, std::string_view message) {
  return with_field(invalid_argument("{}", message), field);
}

absl::Status with_field(absl::Status status, std::string_view field) {
  status.SetPayload(k_field_payload, absl::Cord(absl::string_view(field.data(), field.size())));
  return status;
}

ErrorKind kind_of(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return {400, "invalid_argument"};
    case absl::StatusCode::kUnauthenticated:
      return {401, "unauthenticated"};
    case absl::StatusCode::kPermissionDenied:
      return {403, "permission_denied"};
    case absl::StatusCode::kNotFound:
      return {404, "not_found"};
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return {409, "conflict"};
    case absl::StatusCode::kFailedPrecondition:
      return {422, "refused"};
    case absl::StatusCode::kResourceExhausted:
      return {429, "overloaded"};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return {503, "unavailable"};
    default:
      return {500, "internal"};
  }
}

Response error_response(ErrorKind kind, std::string_view message, std::string_view field,
                        std::string_view request_id) {
  Response response;
  response.status = kind.http_status;
  JsonWriter json(response.body);
  json.begin_object().key("error").begin_object();
  json.field("code", kind.code).field("message", message);
  if (!field.empty()) json.field("field", field);
  json.field("request_id", request_id).end_object().end_object();
  if (kind.http_status == 429 || kind.http_status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  if (kind.http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

Response error_response(const absl::Status& status, std::string_view request_id) {
  CHECK(!status.ok(), "an error response needs an error");
  const ErrorKind kind = kind_of(status.code());
  if (kind.http_status == 500) {
    return error_response(kind, "internal error; the server's log has it under this request_id", "",
                          request_id);
  }
  return error_response(kind, message_of(status), field_of(status), request_id);
}

std::string_view reason_of(int http_status) {
  switch (http_status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return http_status < 500 ? "Status" : "Internal Server Error";
  }
}

}  // namespace vitrine::http
