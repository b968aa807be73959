// What is known about one person: GET /v1/users/{id}, and its tags.
#include <algorithm>

#include "base/status.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/profiles/removed_traits.h"
#include "server/segments/person.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_recent_shown = 20;
constexpr std::string_view k_trait_prefix = "user.traits.";

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
    if (profiles::is_told(trait)) json.key(trait.name).raw(trait.value);
  }
  json.end_object();
}

// The value that an expression finds under the name; false where there is none.
bool append_value(JsonWriter& json, const segments::PersonSubject& person,
                  const expressions::Field& field, std::size_t slot) {
  switch (field.type) {
    case expressions::Type::boolean: {
      const std::optional<bool> truth = person.boolean(slot);
      if (truth) json.key("value").value(*truth);
      return truth.has_value();
    }
    case expressions::Type::number:
    case expressions::Type::time: {
      const std::optional<double> number = person.number(slot);
      if (!number) return false;
      json.key("value");
      field.type == expressions::Type::time ? json.value(format_time(static_cast<TimeMs>(*number)))
                                            : json.value(*number);
      return true;
    }
    case expressions::Type::text: {
      const std::optional<std::string_view> text = person.text(slot);
      if (text) json.key("value").value(*text);
      return text.has_value();
    }
    case expressions::Type::texts:
    case expressions::Type::paths: {
      if (person.texts(slot).empty()) return false;
      json.key("value").begin_array();
      for (const std::string& text : person.texts(slot)) json.value(text);
      json.end_array();
      return true;
    }
    default:
      return false;
  }
}

// Everything that expressions can say of the person, with where it comes from and since when it is
// so: what the shop said, or what follows from events.
void append_tags(JsonWriter& json, const Services& services, UserNumber user,
                 const profiles::Profile& profile) {
  const segments::Surroundings around = services.segment_engine.surroundings();
  const segments::PersonSubject person(user, !services.identities.is_user(user), profile,
                                       services.clock.now_ms(), around);
  json.key("tags").begin_array();
  for (const profiles::Trait& trait : profile.traits) {
    if (!profiles::is_told(trait)) continue;
    json.begin_object()
        .field("name", std::string(k_trait_prefix) + trait.name)
        .key("value")
        .raw(trait.value);
    json.field("source", "shop").field("updated_at", format_time(trait.time_ms)).end_object();
  }
  const auto fields = segments::person_schema().fields();
  for (std::size_t slot = 0; slot < fields.size(); ++slot) {
    std::string value;
    JsonWriter one(value);
    one.begin_object().field("name", fields[slot].name);
    if (!append_value(one, person, fields[slot], slot)) continue;
    one.field("source", fields[slot].name == "user.country" ? "shop" : "events");
    one.field("rule", fields[slot].meaning);
    one.field("updated_at", format_time(profile.last_seen_ms)).end_object();
    json.raw(value);
  }
  json.end_array().key("segments").begin_array();
  for (const std::string& key : services.segment_engine.segments_of(user)) json.value(key);
  json.end_array();
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
  append_tags(json, services, user, *profile);
  append_recent(json, *profile, services.catalog.numbers());
  json.end_object();
  return json_response(std::move(body));
}

// The profile of a known user, empty when they did nothing yet.
absl::StatusOr<std::pair<UserNumber, std::shared_ptr<const profiles::Profile>>> known_user(
    const Services& services, std::string_view user_id) {
  const UserNumber user = services.identities.find(user_id, "").user;
  if (user == k_nobody) return not_found("there is no user {}", user_id);
  std::shared_ptr<const profiles::Profile> profile = services.profiles.find(user);
  if (!profile) profile = std::make_shared<profiles::Profile>();
  return std::pair(user, std::move(profile));
}

absl::StatusOr<Response> list_tags(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const auto known, known_user(services, request.path("id")));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("user_id", request.path("id"));
  append_tags(json, services, known.first, *known.second);
  json.end_object();
  return json_response(std::move(body));
}

// What is to be told to everything that follows the log, so that the tag is gone and stays away.
absl::StatusOr<collect::IncomingEvent> removal_of_tag(const Services& services,
                                                      const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const auto known, known_user(services, request.path("id")));
  const std::string_view name = request.path("name");
  const profiles::Profile& profile = *known.second;
  if (!name.starts_with(k_trait_prefix)) {
    return failed_precondition(
        "the tag {} is not what the shop said, but follows from events: what can be deleted begins "
        "with {}; the person can refuse personalization, or be erased",
        name, k_trait_prefix);
  }
  const std::string_view trait = name.substr(k_trait_prefix.size());
  const bool is_there = std::ranges::any_of(profile.traits, [&](const profiles::Trait& each) {
    return each.name == trait && profiles::is_told(each);
  });
  if (!is_there) return not_found("the user {} has no tag {}", request.path("id"), name);
  collect::IncomingEvent removal{.raw = {}, .event = {}, .refusal = {}};
  removal.event.type = EventType::identify;
  removal.event.user_id = request.path("id");
  removal.event.time_ms = services.clock.now_ms();
  removal.event.properties_json = profiles::removal_of(trait);
  return removal;
}

void delete_tag(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<collect::IncomingEvent> removal = removal_of_tag(services, request);
  if (!removal.ok()) return reply.fail(removal.status());
  std::vector<collect::IncomingEvent> events;
  events.push_back(*std::move(removal));
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.collector.collect(
      std::move(events), std::string(profiles::k_removal_source), false,
      [later](const absl::StatusOr<collect::CollectOutcome>& outcome) {
        if (!outcome.ok()) return later->fail(outcome.status());
        if (!outcome->rejected.empty()) {
          return later->fail(failed_precondition("{}", outcome->rejected.front().message));
        }
        later->send({204, "", "application/json", {}});
      }));
}

}  // namespace

void add_user_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/users/{id}", Scope::privacy,
             answer_at_once([&services](Request& request) { return get_user(services, request); }));
  router.add(
      "GET", "/v1/users/{id}/tags", Scope::privacy,
      answer_at_once([&services](Request& request) { return list_tags(services, request); }));
  router.add("DELETE", "/v1/users/{id}/tags/{name}", Scope::privacy,
             [&services](Request& request, Reply reply) {
               delete_tag(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
