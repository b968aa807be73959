// POST /v1/backups: a copy of everything, on the server's own disks.
#include "base/status.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_path_bytes_max = 4096;

absl::StatusOr<Response> make_backup(const Services& services, const Request& request) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader body(document.root(), "");
  const std::string folder(body.required_text("folder", k_path_bytes_max));
  if (folder.find('\0') != std::string::npos) body.refuse("folder", "must not hold a NUL");
  VITRINE_RETURN_IF_ERROR(body.finish());
  VITRINE_ASSIGN_OR_RETURN(std::string made, services.back_up(folder));
  return json_response(std::move(made), 201);
}

}  // namespace

void add_backup_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/backups", Scope::admin,
             services.workers.answer_aside(
                 [] { return true; },
                 [&services](Request& request) { return make_backup(services, request); }));
}

}  // namespace vitrine::http
