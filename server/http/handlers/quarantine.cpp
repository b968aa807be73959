// Refused events with their reasons, and a second chance for them: GET /v1/quarantine, POST
// /v1/quarantine/resubmit and /v1/quarantine/{number}/resubmit.
#include <charconv>
#include <map>
#include <mutex>
#include <utility>

#include "base/status.h"
#include "server/http/handlers/cursor.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::int64_t k_page_max = 200;
constexpr std::int64_t k_page_usual = 50;
constexpr std::size_t k_text_bytes_max = 200;

TimeMs read_time(QueryReader& query, std::string_view name) {
  const auto text = query.text(name, k_text_bytes_max);
  if (!text) return 0;
  const absl::StatusOr<TimeMs> time_ms = parse_time(*text);
  if (!time_ms.ok()) query.refuse(name, message_of(time_ms.status()));
  return time_ms.value_or(0);
}

// A page of those that the parameters name.
absl::StatusOr<events::Quarantine::Page> wanted_page(const Services& services,
                                                     const Request& request) {
  QueryReader query(request.query);
  const auto limit =
      static_cast<std::size_t>(query.integer("limit", 1, k_page_max).value_or(k_page_usual));
  const std::uint64_t before = read_cursor(query, "q").value_or(0);
  const events::QuarantineFilter filter{
      .code = std::string(query.text("code", k_text_bytes_max).value_or("")),
      .source = std::string(query.text("source", k_text_bytes_max).value_or("")),
      .from_ms = read_time(query, "from"),
      .until_ms = read_time(query, "until")};
  VITRINE_RETURN_IF_ERROR(query.finish());
  return services.quarantine.list(filter, before, limit);
}

void append_cursor(JsonWriter& json, std::uint64_t next_before) {
  json.key("cursor");
  next_before > 0 ? json.value(write_cursor("q", next_before)) : json.null();
}

absl::StatusOr<Response> list_quarantine(const Services& services, const Request& request) {
  VITRINE_ASSIGN_OR_RETURN(const events::Quarantine::Page page, wanted_page(services, request));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("size", services.quarantine.size()).key("events").begin_array();
  for (const events::QuarantinedEvent& event : page.events) {
    json.begin_object().field("number", event.number);
    json.field("received_at", format_time(event.received_ms)).field("source", event.source);
    json.field("code", event.code).field("message", event.message).field("raw", event.raw);
    json.end_object();
  }
  json.end_array();
  append_cursor(json, page.next_before);
  json.end_object();
  return json_response(std::move(body));
}

// The events of what was refused, read again as what they came as.
absl::StatusOr<std::vector<collect::IncomingEvent>> read_again(
    const Services& services, const events::QuarantinedEvent& refused) {
  const bool is_ga4 = refused.source.starts_with("ga4");
  if (!is_ga4 && !refused.source.starts_with("segment")) {
    return collect::parse_native_batch("{\"events\":[" + refused.raw + "]}", refused.received_ms);
  }
  const collect::TrackingArrival arrival{.received_ms = refused.received_ms,
                                         .is_import = false,
                                         .knows_product = [&services](std::string_view product_id) {
                                           return services.catalog.find(product_id) != nullptr;
                                         }};
  VITRINE_ASSIGN_OR_RETURN(
      const auto body, collect::TrackingBody::parse((is_ga4 ? "{\"events\":[" : "{\"batch\":[") +
                                                    refused.raw + "]}"));
  VITRINE_ASSIGN_OR_RETURN(collect::TrackedBatch batch,
                           is_ga4 ? body->ga4_events(arrival, services.tracking)
                                  : body->events(std::nullopt, arrival, services.tracking));
  return std::move(batch.events);
}

void append_again(const Services& services, const events::QuarantinedEvent& refused,
                  std::vector<collect::IncomingEvent>& batch) {
  auto read = read_again(services, refused);
  if (!read.ok() || read->empty()) {
    collect::IncomingEvent unread{.raw = refused.raw, .event = {}, .refusal = std::nullopt};
    unread.refusal = EventRefusal{
        .code = read.ok() ? refused.code : "unreadable",
        .field = "",
        .message = read.ok() ? refused.message : std::string(message_of(read.status()))};
    read = std::vector<collect::IncomingEvent>();
    read->push_back(std::move(unread));
  }
  for (collect::IncomingEvent& incoming : *read) {
    incoming.quarantined = refused.number;
    incoming.event.received_ms = refused.received_ms;
    incoming.event.is_unverified = refused.is_unverified;
    if (refused.is_unverified) incoming.trust = identity::Trust::claimed;
    batch.push_back(std::move(incoming));
  }
}

// Imports name their sources themselves; their times are kept.
bool is_import(std::string_view source) {
  return !source.starts_with("api") && !source.starts_with("segment") && !source.starts_with("ga4");
}

// What all sources' calls come to; the last one answers.
struct Retried {
  std::mutex mutex;
  std::size_t waiting = 0;
  std::size_t messages = 0;
  collect::CollectOutcome sum;
  absl::Status status;
  std::uint64_t next_before = 0;

  Response response() const {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("resubmitted", messages).field("accepted", sum.accepted);
    json.field("duplicates", sum.duplicates).field("rejected", sum.rejected.size());
    append_cursor(json, next_before);
    json.end_object();
    return json_response(std::move(body));
  }
};

void take_outcome(Retried& retried, absl::StatusOr<collect::CollectOutcome> outcome,
                  const LaterReply& later) {
  const std::lock_guard lock(retried.mutex);
  if (outcome.ok()) {
    retried.sum.accepted += outcome->accepted;
    retried.sum.duplicates += outcome->duplicates;
    for (collect::RejectedEvent& event : outcome->rejected) {
      retried.sum.rejected.push_back(std::move(event));
    }
  } else {
    retried.status = outcome.status();
  }
  if (--retried.waiting > 0) return;
  retried.status.ok() ? later->send(retried.response()) : later->fail(retried.status);
}

void resubmit(const Services& services, events::Quarantine::Page page, Reply reply) {
  const LaterReply later(std::move(reply));
  const auto retried = std::make_shared<Retried>();
  retried->messages = page.events.size();
  retried->next_before = page.next_before;
  // Event ids are unique within a source.
  std::map<std::string, std::vector<collect::IncomingEvent>> by_source;
  for (const events::QuarantinedEvent& refused : page.events) {
    append_again(services, refused, by_source[refused.source]);
  }
  if (by_source.empty()) return later->send(retried->response());
  retried->waiting = by_source.size();
  for (auto& [source, batch] : by_source) {
    const auto done = [retried, later](absl::StatusOr<collect::CollectOutcome> outcome) {
      take_outcome(*retried, std::move(outcome), later);
    };
    const absl::Status submitted =
        services.collector.collect(std::move(batch), source, is_import(source), done);
    if (!submitted.ok()) take_outcome(*retried, submitted, later);
  }
}

void resubmit_page(const Services& services, const Request& request, Reply reply) {
  auto page = wanted_page(services, request);
  if (!page.ok()) return reply.fail(page.status());
  resubmit(services, *std::move(page), std::move(reply));
}

void resubmit_one(const Services& services, const Request& request, Reply reply) {
  const std::string_view text = request.path("number");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  const bool is_number = error == std::errc() && end == text.end();
  auto refused = is_number ? services.quarantine.find(number) : std::nullopt;
  if (!refused.ok()) return reply.fail(refused.status());
  if (!*refused) return reply.fail(not_found("there is no refused event {}", text));
  resubmit(services, {.events = {**std::move(refused)}}, std::move(reply));
}

}  // namespace

void add_quarantine_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/quarantine", Scope::admin, answer_at_once([&services](Request& request) {
               return list_quarantine(services, request);
             }));
  router.add("POST", "/v1/quarantine/resubmit", Scope::admin,
             [&services](Request& request, Reply reply) {
               resubmit_page(services, request, std::move(reply));
             });
  router.add("POST", "/v1/quarantine/{number}/resubmit", Scope::admin,
             [&services](Request& request, Reply reply) {
               resubmit_one(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
