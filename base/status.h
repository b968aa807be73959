// Building and passing on absl::Status: one line a message, one line a check.
//
// A message is for the operator: it names the field, the value and what is allowed. Thread-safe.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace vitrine {

// The message as std::string_view (Debian's Abseil has a string_view of its own).
inline std::string_view message_of(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

template <class... Args>
absl::Status make_status(absl::StatusCode code, fmt::format_string<Args...> format,
                         Args&&... args) {
  return absl::Status(code, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status invalid_argument(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kInvalidArgument, format, std::forward<Args>(args)...);
}
template <class... Args>
absl::Status not_found(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kNotFound, format, std::forward<Args>(args)...);
}
template <class... Args>
absl::Status conflict(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kAborted, format, std::forward<Args>(args)...);
}
// A full queue or a rate over its limit: 429.
template <class... Args>
absl::Status overloaded(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kResourceExhausted, format, std::forward<Args>(args)...);
}
// Starting, stopping, disk nearly full: 503, nothing was acknowledged.
template <class... Args>
absl::Status unavailable(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kUnavailable, format, std::forward<Args>(args)...);
}
template <class... Args>
absl::Status data_loss(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kDataLoss, format, std::forward<Args>(args)...);
}
template <class... Args>
absl::Status internal_error(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kInternal, format, std::forward<Args>(args)...);
}
template <class... Args>
absl::Status failed_precondition(fmt::format_string<Args...> format, Args&&... args) {
  return make_status(absl::StatusCode::kFailedPrecondition, format, std::forward<Args>(args)...);
}

}  // namespace vitrine

#define VITRINE_STATUS_JOIN_INNER(a, b) a##b
#define VITRINE_STATUS_JOIN(a, b) VITRINE_STATUS_JOIN_INNER(a, b)

#define VITRINE_RETURN_IF_ERROR(expression)                                                      \
  do {                                                                                           \
    if (absl::Status vitrine_status = (expression); !vitrine_status.ok()) return vitrine_status; \
  } while (false)

// `target` declares a variable, so it cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VITRINE_ASSIGN_OR_RETURN_INNER(holder, target, expression) \
  auto holder = (expression);                                      \
  if (!holder.ok()) return std::move(holder).status();             \
  target = *std::move(holder)

// VITRINE_ASSIGN_OR_RETURN(const Offer offer, find_offer(id));
#define VITRINE_ASSIGN_OR_RETURN(target, expression) \
  VITRINE_ASSIGN_OR_RETURN_INNER(VITRINE_STATUS_JOIN(vitrine_or_, __LINE__), target, expression)
// NOLINTEND(bugprone-macro-parentheses)
