// CHECK: a broken invariant of our own stops the process, in every build.
//
// Never reached by input (that is an absl::Status) and without side effects. Thread-safe.
#pragma once

namespace vitrine::internal {
[[noreturn]] void check_failed(const char* condition, const char* message, const char* file,
                               int line);
}  // namespace vitrine::internal

#define CHECK(condition, message)                                                 \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::vitrine::internal::check_failed(#condition, message, __FILE__, __LINE__); \
  } while (false)
