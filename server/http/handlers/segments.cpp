// Segments: who is meant, how many they are, who they are. GET /v1/segments; GET, PUT and DELETE
// /v1/segments/{segment}, its members and overlaps; POST /v1/segments/preview.
#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"
#include "server/http/handlers/cursor.h"
#include "server/http/handlers/if_match.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/identity/people_walk.h"
#include "server/segments/segment_programs.h"

namespace vitrine::http {
namespace {

using segments::Segment;
using segments::SegmentEngine;
using segments::SegmentStore;

constexpr std::int64_t k_members_usual = 1000;
constexpr std::int64_t k_members_max = 100'000;  // of one page
constexpr std::size_t k_changes_max = 10'000;    // people put in or taken out by one call
constexpr std::size_t k_user_id_bytes_max = 256;
constexpr std::size_t k_word_bytes_max = 100;

absl::Status no_segment(std::string_view key) { return not_found("there is no segment {}", key); }

// A refusal of the segment as a whole begins with its field.
absl::Status with_its_field(absl::Status status) {
  if (status.ok()) return status;
  const std::string field(message_of(status).substr(0, message_of(status).find(' ')));
  return with_field(std::move(status), field);
}

void append_placements(JsonWriter& json, const recommend::PlacementBook& book,
                       std::string_view segment) {
  for (const recommend::Placement& placement : book.all()) {
    for (const recommend::NamedSegment& named : named_segments(placement)) {
      if (named.segment != segment) continue;
      json.begin_object().field("placement", placement.name);
      json.field("where", named.where).end_object();
    }
  }
}

void append_segment(JsonWriter& json, const Services& services, const Segment& segment) {
  const auto programs = services.segments.current();
  json.begin_object().field("segment", segment.key).field("name", segment.name);
  json.field("description", segment.description).field("kind", name_of(segment.kind));
  json.key("expression");
  segment.expression.empty() ? json.null() : json.value(segment.expression);
  json.field("include_visitors", segment.includes_visitors).field("version", segment.version);
  json.key("changed_at");
  segment.changed_ms == 0 ? json.null() : json.value(format_time(segment.changed_ms));
  const SegmentEngine::Status status =
      services.segment_engine.status(segment.key).value_or(SegmentEngine::Status());
  json.field("state", status.is_built ? "live" : "building");
  json.field("progress", status.progress).key("size");
  status.size_at_ms == 0 ? json.null() : json.value(status.size);
  json.key("size_at");
  status.size_at_ms == 0 ? json.null() : json.value(format_time(status.size_at_ms));
  json.field("memory_bytes", status.bytes).key("used_by").begin_array();
  for (const std::string& user : programs->users_of(segment.key)) {
    json.begin_object().field("segment", user).end_object();
  }
  append_placements(json, *services.placements.current(), segment.key);
  json.end_array().end_object();
}

Response segment_response(const Services& services, const Segment& segment, int status) {
  Response response;
  response.status = status;
  JsonWriter json(response.body);
  append_segment(json, services, segment);
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", segment.version));
  return response;
}

absl::StatusOr<Response> list_segments(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("segments").begin_array();
  const auto programs = services.segments.current();
  for (const Segment& segment : programs->list().all()) append_segment(json, services, segment);
  json.end_array().end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Response> get_segment(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const auto programs = services.segments.current();
  const Segment* const segment = programs->list().find(request.path("segment"));
  if (segment == nullptr) return no_segment(request.path("segment"));
  return segment_response(services, *segment, 200);
}

Segment::Kind read_kind(ObjectReader& reader) {
  const std::string_view text = reader.text("kind", k_word_bytes_max).value_or("dynamic");
  for (const auto kind : {Segment::Kind::dynamic, Segment::Kind::snapshot, Segment::Kind::fixed}) {
    if (name_of(kind) == text) return kind;
  }
  reader.refuse("kind", fmt::format("must be one of dynamic, snapshot, static, got '{}'", text));
  return Segment::Kind::dynamic;
}

// What was read can be written back: what the server says of itself is let pass.
void skip_answers(ObjectReader& reader) {
  for (const std::string_view name : {"version", "changed_at", "state", "progress", "size",
                                      "size_at", "memory_bytes", "used_by"}) {
    reader.any(name);
  }
}

absl::StatusOr<Segment> segment_from_json(const Services& services, const Request& request) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  Segment segment;
  segment.key = request.path("segment");
  if (reader.text("segment", Segment::k_text_bytes_max).value_or(segment.key) != segment.key) {
    reader.refuse("segment", fmt::format("must be the path's, '{}'", segment.key));
  }
  segment.name = reader.text("name", Segment::k_text_bytes_max).value_or("");
  segment.description = reader.text("description", Segment::k_text_bytes_max).value_or("");
  segment.kind = read_kind(reader);
  segment.expression = reader.text("expression", expressions::Limits().bytes_max).value_or("");
  segment.includes_visitors = reader.boolean("include_visitors").value_or(false);
  skip_answers(reader);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_RETURN_IF_ERROR(with_its_field(validate(segment)));
  segment.changed_ms = services.clock.now_ms();
  return segment;
}

absl::StatusOr<expressions::Program> program_of(std::string_view expression) {
  auto program = segments::compile_for_people(expression);
  if (program.ok()) return program;
  return with_field(invalid_argument("expression {}", message_of(program.status())), "expression");
}

struct Wanted {
  Segment segment;
  SegmentStore::Expected expected;
  std::optional<segments::Membership> members;  // of a snapshot
  bool validate_only = false;
};

absl::StatusOr<Wanted> wanted_segment(const Services& services, const Request& request) {
  QueryReader query(request.query);
  Wanted wanted;
  wanted.validate_only = query.boolean("validate_only").value_or(false);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(wanted.expected, expected_version(request));
  VITRINE_ASSIGN_OR_RETURN(wanted.segment, segment_from_json(services, request));
  if (wanted.segment.expression.empty()) return wanted;
  VITRINE_RETURN_IF_ERROR(program_of(wanted.segment.expression).status());
  VITRINE_RETURN_IF_ERROR(with_its_field(services.segments.check(wanted.segment)));
  return wanted;
}

absl::StatusOr<Response> try_out(const Services& services, Wanted wanted) {
  const auto programs = services.segments.current();
  const Segment* const current = programs->list().find(wanted.segment.key);
  VITRINE_RETURN_IF_ERROR(check_version(wanted.expected, current));
  wanted.segment.version = current != nullptr ? current->version : 0;
  return segment_response(services, wanted.segment, 200);
}

void store_segment(const Services& services, Wanted wanted, const LaterReply& later) {
  later.fail_unless_ok(services.segments.put(
      services.committer, std::move(wanted.segment), wanted.expected, std::move(wanted.members),
      [&services, later](absl::StatusOr<SegmentStore::Put> put) {
        if (!put.ok()) return later->fail(with_its_field(put.status()));
        later->send(segment_response(services, put->segment, put->is_new ? 201 : 200));
      }));
}

// Everybody is asked, which may take long.
void take_snapshot(const Services& services, Wanted wanted, const LaterReply& later) {
  const bool taken =
      services.workers.try_run([&services, wanted = std::move(wanted), later]() mutable {
        const auto program = program_of(wanted.segment.expression);
        auto members =
            services.segment_engine.members_now(*program, wanted.segment.includes_visitors);
        if (!members.ok()) return later->fail(with_its_field(members.status()));
        wanted.members = *std::move(members);
        store_segment(services, std::move(wanted), later);
      });
  if (!taken) later->fail(overloaded("too many requests wait for a thread already, try again"));
}

void put_segment(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<Wanted> wanted = wanted_segment(services, request);
  if (!wanted.ok()) return reply.fail(wanted.status());
  if (wanted->validate_only) return reply.send_or_fail(try_out(services, *std::move(wanted)));
  const LaterReply later(std::move(reply));
  if (wanted->segment.kind == Segment::Kind::snapshot) {
    return take_snapshot(services, *std::move(wanted), later);
  }
  store_segment(services, *std::move(wanted), later);
}

void delete_segment(const Services& services, const Request& request, Reply reply) {
  const auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.segments.remove(services.committer,
                                                std::string(request.path("segment")), *expected,
                                                [later](const absl::Status& removed) {
                                                  if (!removed.ok()) return later->fail(removed);
                                                  later->send({204, "", "application/json", {}});
                                                }));
}

absl::StatusOr<Response> preview(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  const std::string_view expression =
      reader.required_text("expression", expressions::Limits().bytes_max);
  const bool with_visitors = reader.boolean("include_visitors").value_or(false);
  const bool is_exact = reader.boolean("exact").value_or(false);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_ASSIGN_OR_RETURN(const expressions::Program program, program_of(expression));
  const SegmentEngine& engine = services.segment_engine;
  const auto found = is_exact ? engine.preview_exactly(program, with_visitors)
                              : engine.preview(program, with_visitors);
  if (!found.ok()) return with_its_field(found.status());
  std::string body;
  JsonWriter(body)
      .begin_object()
      .field("exact", found->is_exact)
      .field("estimate", found->estimate)
      .field("low", found->low)
      .field("high", found->high)
      .field("matched", found->matched)
      .field("asked", found->asked)
      .field("people", found->people)
      .end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Response> overlap(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view a = request.path("segment");
  const std::string_view b = request.path("other");
  const SegmentEngine& engine = services.segment_engine;
  const auto status_a = engine.status(a);
  const auto status_b = engine.status(b);
  if (!status_a) return no_segment(a);
  if (!status_b) return no_segment(b);
  const std::size_t both = engine.size_of_both(a, b).value_or(0);
  const std::size_t either = status_a->size + status_b->size - std::min(both, status_a->size);
  std::string body;
  JsonWriter(body)
      .begin_object()
      .field("segment", a)
      .field("other", b)
      .field("segment_size", status_a->size)
      .field("other_size", status_b->size)
      .field("both", both)
      .field("either", either)
      .end_object();
  return json_response(std::move(body));
}

// One person of a list of members: by user id, or by visitor id where there is no other.
class MemberList {
 public:
  explicit MemberList(std::string_view format) : format_(format) {}

  void begin() {
    if (format_ == "csv") body_ = "user_id,visitor_id\n";
    if (format_ == "json") body_ = "{\"members\":[";
  }
  void add(const identity::Person& person) {
    if (format_ == "csv") {
      append_csv(person.user_id);
      body_ += ',';
      append_csv(person.visitor_id);
      body_ += '\n';
      return;
    }
    if (format_ == "json" && count_++ > 0) body_ += ',';
    const bool is_user = !person.user_id.empty();
    JsonWriter(body_)
        .begin_object()
        .field(is_user ? "user_id" : "visitor_id", is_user ? person.user_id : person.visitor_id)
        .end_object();
    if (format_ == "ndjson") body_ += '\n';
  }
  Response end(const std::optional<std::string>& cursor) {
    Response response;
    if (format_ == "json") {
      body_ += "],\"cursor\":";
      JsonWriter json(body_);
      cursor ? json.value(*cursor) : json.null();
      body_ += '}';
    } else {
      response.content_type = format_ == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
      if (cursor) response.headers.emplace_back("X-Next-Cursor", *cursor);
    }
    response.body = std::move(body_);
    return response;
  }

 private:
  // In quotes where it must be; a cell that a spreadsheet would take for a formula begins with '.
  void append_csv(std::string_view text) {
    const bool is_formula =
        !text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos;
    if (!is_formula && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      body_ += text;
      return;
    }
    body_ += '"';
    if (is_formula) body_ += '\'';
    for (const char letter : text) body_.append(letter == '"' ? 2 : 1, letter);
    body_ += '"';
  }

  std::string_view format_;
  std::string body_;
  std::size_t count_ = 0;
};

absl::StatusOr<Response> list_members(const Services& services, const Request& request) {
  QueryReader query(request.query);
  const auto limit =
      static_cast<std::size_t>(query.integer("limit", 1, k_members_max).value_or(k_members_usual));
  const std::string_view key = request.path("segment");
  const std::uint64_t after = read_cursor(query, "m").value_or(0);
  const std::string_view format = query.text("format", k_word_bytes_max).value_or("json");
  if (format != "json" && format != "ndjson" && format != "csv") {
    query.refuse("format", fmt::format("must be one of json, ndjson, csv, got '{}'", format));
  }
  VITRINE_RETURN_IF_ERROR(query.finish());
  const auto members =
      services.segment_engine.members(key, UserNumber(static_cast<std::uint32_t>(after)), limit);
  if (!members) return no_segment(key);
  const SegmentEngine::Status status =
      services.segment_engine.status(key).value_or(SegmentEngine::Status());
  if (status.size_at_ms == 0) {
    return unavailable("segment {} is being built, {:.0f} % are done: ask again", key,
                       100 * status.progress);
  }
  MemberList list(format);
  list.begin();
  VITRINE_RETURN_IF_ERROR(
      identity::walk_people(services.database, *members,
                            [&](UserNumber, const identity::Person& person) { list.add(person); }));
  std::optional<std::string> cursor;
  if (members->size() == limit) cursor = write_cursor("m", members->back().value());
  return list.end(cursor);
}

absl::StatusOr<std::vector<UserNumber>> users_in(ObjectReader& reader, std::string_view name,
                                                 const identity::IdentityBook& identities) {
  std::vector<UserNumber> users;
  for (const std::string_view id : reader.texts(name, k_changes_max, k_user_id_bytes_max)) {
    const UserNumber user = identities.find(id, "").user;
    if (user == k_nobody) {
      return field_error(name, fmt::format("{} names {}, who is not known: send an event of theirs "
                                           "first",
                                           name, id));
    }
    users.push_back(user);
  }
  return users;
}

void change_members(const Services& services, const Request& request, Reply reply) {
  const auto read = [&]() -> absl::StatusOr<SegmentStore::Change> {
    VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
    JsonDocument document;
    VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
    ObjectReader reader(document.root(), "");
    SegmentStore::Change change;
    VITRINE_ASSIGN_OR_RETURN(change.added, users_in(reader, "add", services.identities));
    VITRINE_ASSIGN_OR_RETURN(change.removed, users_in(reader, "remove", services.identities));
    VITRINE_RETURN_IF_ERROR(reader.finish());
    return change;
  };
  absl::StatusOr<SegmentStore::Change> change = read();
  if (!change.ok()) return reply.fail(change.status());
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.segments.change(
      services.committer, std::string(request.path("segment")), *std::move(change),
      [later](absl::StatusOr<std::size_t> changed) {
        if (!changed.ok()) return later->fail(changed.status());
        std::string body;
        JsonWriter(body).begin_object().field("changed", *changed).end_object();
        later->send(json_response(std::move(body)));
      }));
}

Handler aside(const Services& services,
              absl::StatusOr<Response> (*handler)(const Services&, const Request&)) {
  return services.workers.answer_aside(
      [] { return true; },
      [&services, handler](Request& request) { return handler(services, request); });
}

}  // namespace

void add_segment_routes(Router& router, const Services& services) {
  router.add("GET", "/v1/segments", Scope::marketing, answer_at_once([&services](Request& request) {
               return list_segments(services, request);
             }));
  router.add("POST", "/v1/segments/preview", Scope::marketing, aside(services, preview));
  router.add(
      "GET", "/v1/segments/{segment}", Scope::marketing,
      answer_at_once([&services](Request& request) { return get_segment(services, request); }));
  router.add("PUT", "/v1/segments/{segment}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               put_segment(services, request, std::move(reply));
             });
  router.add("DELETE", "/v1/segments/{segment}", Scope::marketing,
             [&services](Request& request, Reply reply) {
               delete_segment(services, request, std::move(reply));
             });
  router.add("GET", "/v1/segments/{segment}/overlap/{other}", Scope::marketing,
             answer_at_once([&services](Request& request) { return overlap(services, request); }));
  router.add("GET", "/v1/segments/{segment}/members", Scope::marketing,
             aside(services, list_members));
  router.add("POST", "/v1/segments/{segment}/members", Scope::marketing,
             [&services](Request& request, Reply reply) {
               change_members(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
