#include "server/http/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/status.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& path,
                                                         const Clock& clock) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return unavailable("the audit log {} cannot be opened: {}", path.string(),
                       std::generic_category().message(errno));
  }
  return std::unique_ptr<AuditLog>(new AuditLog(descriptor, clock));
}

AuditLog::~AuditLog() { ::close(descriptor_); }

bool AuditLog::write(const AdministrativeAct& act, int http_status) {
  std::string line;
  JsonWriter json(line);
  json.begin_object()
      .field("time", format_time(clock_.now_ms()))
      .field("actor", act.actor)
      .field("method", act.method)
      .field("route", act.route);
  if (!act.object.empty()) json.field("object", act.object);
  json.field("status", http_status).field("request_id", act.request_id).end_object();
  line += '\n';
  // One call a line: what two threads append does not mix.
  return ::write(descriptor_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace vitrine::http
