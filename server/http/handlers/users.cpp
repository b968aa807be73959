// What is known about one person: GET /v1/users/{id}.
#include <algorithm>

#include "base/status.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_recent_shown = 20;

absl::Status append_visitors(JsonWriter& json, const identity::IdentityBook& identities,
                             UserNumber user) {
  json.key("visitors").begin_array();
  for (const UserNumber visitor : identities.visitors_of(user)) {
    VITRINE_ASSIGN_OR_RETURN(const std::optional<identity::Person> person,
                             identities.person(visitor));
    if (person) json.value(person->visitor_id);
  }
  json.end_array();
  return absl::OkStatus();
}

void append_computed(JsonWriter& json, const profiles::Profile& profile) {
  TimeMs last_order_ms = 0;
  for (const profiles::Bought& bought : profile.bought) {
    last_order_ms = std::max(last_order_ms, bought.last_ms);
  }
  json.key("computed").begin_object();
  json.field("events_count", profile.events).field("orders_count", profile.orders);
  json.field("products_bought", profile.bought.size());
  json.field("first_seen_at", format_time(profile.first_seen_ms));
  json.field("last_seen_at", format_time(profile.last_seen_ms)).key("last_order_at");
  last_order_ms == 0 ? json.null() : json.value(format_time(last_order_ms));
  json.end_object();
}

void append_recent(JsonWriter& json, const profiles::Profile& profile,
                   const catalog::ProductNumbers& numbers) {
  json.key("recent").begin_array();
  const std::size_t count = std::min(k_recent_shown, profile.recent.size());
  for (std::size_t i = 0; i < count; ++i) {
    const profiles::ProfileEvent& event = profile.recent[i];
    json.begin_object().field("type", name_of(event.type));
    json.field("product_id", numbers.id_of(event.product));
    json.field("time", format_time(event.time_ms)).end_object();
  }
  json.end_array();
}

void append_traits(JsonWriter& json, const profiles::Profile& profile) {
  json.key("traits").begin_object();
  for (const profiles::Trait& trait : profile.traits) {
    if (trait.value != "null") json.key(trait.name).raw(trait.value);
  }
  json.end_object();
}

absl::StatusOr<Response> get_user(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view user_id = request.path("id");
  const identity::Who who = services.identities.find(user_id, "");
  const UserNumber user = who.user;
  if (user == k_nobody) return not_found("there is no user {}", user_id);
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("user_id", user_id);
  VITRINE_RETURN_IF_ERROR(append_visitors(json, services.identities, user));
  std::shared_ptr<const profiles::Profile> profile = services.profiles.find(user);
  if (!profile) profile = std::make_shared<profiles::Profile>();
  json.field("personalize", !who.refuses_personalization);
  append_traits(json, *profile);
  append_computed(json, *profile);
  append_recent(json, *profile, services.catalog.numbers());
  json.end_object();
  return json_response(std::move(body));
}

}  // namespace

void add_user_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/users/{id}", Scope::privacy,
             answer_at_once([&services](Request& request) { return get_user(services, request); }));
}

}  // namespace vitrine::http
