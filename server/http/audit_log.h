// Who administrated what, a JSON object a line in a file that is only ever added to.
//
// Names keys by their id and never holds a key, a body or a person's id. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace vitrine::http {

struct AdministrativeAct {
  std::string actor;  // a key's id, "command" for this machine's commands, "open" without keys
  std::string method;
  std::string route;       // the pattern
  std::string object;      // what the path names, but for people; may be empty
  std::string request_id;  // as the answer and the log have it
};

class AuditLog {
 public:
  // Unavailable: the file cannot be opened. `clock` outlives the log.
  static absl::StatusOr<std::unique_ptr<AuditLog>> open(const std::filesystem::path& path,
                                                        const Clock& clock);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // With how it ended. False when it could not be written, for the log.
  bool write(const AdministrativeAct& act, int http_status);

 private:
  AuditLog(int descriptor, const Clock& clock) : descriptor_(descriptor), clock_(clock) {}
  const int descriptor_;
  const Clock& clock_;
};

}  // namespace vitrine::http
