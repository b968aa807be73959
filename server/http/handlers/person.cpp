#include "server/http/handlers/person.h"

namespace vitrine::http {

std::optional<UserTokenState> check_person(const Services& services, const Request& request,
                                           std::string_view user_id, std::string_view token) {
  if (request.is_trusted || user_id.empty()) return std::nullopt;
  return services.keys.check_user(request.key_id, user_id, token, services.clock.now_ms());
}

void set_trust(const Services& services, const Request& request,
               std::vector<collect::IncomingEvent>& batch) {
  if (request.is_trusted) return;
  const bool is_bot =
      collect::is_bot_agent(request.headers.find("User-Agent").value_or(std::string_view()));
  const collect::IncomingEvent* last = nullptr;  // events of one call mostly are one person's
  for (collect::IncomingEvent& incoming : batch) {
    incoming.event.is_unverified = true;
    incoming.event.is_bot = incoming.event.is_bot || is_bot;
    incoming.trust = identity::Trust::claimed;
    if (incoming.event.user_id.empty() || incoming.user_token.empty()) continue;
    if (last != nullptr && last->event.user_id == incoming.event.user_id &&
        last->user_token == incoming.user_token) {
      incoming.trust = last->trust;
    } else if (check_person(services, request, incoming.event.user_id, incoming.user_token) ==
               UserTokenState::valid) {
      incoming.trust = identity::Trust::verified;
    }
    last = &incoming;
  }
}

}  // namespace vitrine::http
