#include "server/http/scopes.h"

#include "base/check.h"
#include "base/status.h"

namespace vitrine::http {

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::collect:
      return "collect";
    case Scope::recommend:
      return "recommend";
    case Scope::catalog:
      return "catalog";
    case Scope::marketing:
      return "marketing";
    case Scope::models:
      return "models";
    case Scope::privacy:
      return "privacy";
    case Scope::admin:
      return "admin";
  }
  CHECK(false, "every scope has a name");
}

absl::StatusOr<Scopes> Scopes::parse(std::string_view comma_separated) {
  Scopes parsed;
  std::size_t begin = 0;
  while (begin <= comma_separated.size()) {
    const std::size_t end = std::min(comma_separated.find(',', begin), comma_separated.size());
    const std::string_view name = comma_separated.substr(begin, end - begin);
    begin = end + 1;
    bool known = false;
    for (const Scope scope : k_all_scopes) {
      if (name != name_of(scope)) continue;
      parsed.bits_ |= bit(scope);
      known = true;
    }
    if (!known) {
      return invalid_argument(
          "scopes must be a comma-separated list of collect, recommend, catalog, marketing, "
          "models, privacy, admin, got '{}'",
          name);
    }
  }
  return parsed;
}

std::string Scopes::text() const {
  std::string joined;
  for (const Scope scope : k_all_scopes) {
    if ((bits_ & bit(scope)) == 0) continue;
    if (!joined.empty()) joined += ',';
    joined += name_of(scope);
  }
  return joined;
}

}  // namespace vitrine::http
