// Whom to reach: people like those of a segment, people who would want a product or a category.
// /v1/segments/{segment}/lookalike with its members and what saves them; POST /v1/audiences.
#include <utility>

#include "base/status.h"
#include "server/http/handlers/cursor.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using audiences::Audiences;
using audiences::Driver;
using audiences::Lookalike;
using audiences::Scored;
using segments::Segment;
using segments::SegmentStore;

constexpr std::int64_t k_page_usual = 100;
constexpr std::int64_t k_page_max = 10'000;
constexpr std::int64_t k_audience_usual = 100;
constexpr std::size_t k_text_bytes_max = 1000;
// How large a lookalike may be chosen: told at these shares of those who were scored.
constexpr double k_shares[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};

void append_drivers(JsonWriter& json, std::string_view name, const std::vector<Driver>& drivers) {
  json.key(name).begin_array();
  for (const Driver& driver : drivers) {
    json.begin_object().field("name", driver.name).field("weight", driver.weight).end_object();
  }
  json.end_array();
}

void append_sizes(JsonWriter& json, const std::vector<Scored>& people) {
  json.key("sizes").begin_array();
  std::size_t last = 0;
  for (const double share : k_shares) {
    const auto size = static_cast<std::size_t>(share * static_cast<double>(people.size()));
    if (size == last) continue;
    last = size;
    json.begin_object().field("size", size).field("score", people[size - 1].score).end_object();
  }
  json.end_array();
}

void append_result(JsonWriter& json, const Lookalike& found) {
  json.begin_object().field("made_at", format_time(found.made_ms));
  json.key("model_version");
  found.model_version.empty() ? json.null() : json.value(found.model_version);
  json.field("seed_people", found.seed_people).field("seed_examples", found.seed_examples);
  json.field("other_examples", found.other_examples).field("held_out", found.held_out);
  json.field("auc", found.auc.value).field("auc_low", found.auc.low);
  json.field("auc_high", found.auc.high).field("better_than_chance", found.auc.low > 0.5);
  append_drivers(json, "habits", found.habits);
  append_drivers(json, "categories", found.categories);
  json.field("people", found.people.size());
  append_sizes(json, found.people);
  json.end_object();
}

std::string_view word_of(Audiences::Run::State state) {
  switch (state) {
    case Audiences::Run::State::running:
      return "running";
    case Audiences::Run::State::done:
      return "done";
    case Audiences::Run::State::failed:
      return "failed";
  }
  return {};
}

Response run_response(std::string_view segment, const Audiences::Run& run, int status) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("segment", segment).field("state", word_of(run.state));
  json.field("progress", run.progress).key("error");
  run.failure.ok() ? json.null() : json.value(message_of(run.failure));
  json.key("result");
  if (run.result == nullptr) {
    json.null();
  } else {
    append_result(json, *run.result);
  }
  json.end_object();
  return json_response(std::move(body), status);
}

absl::StatusOr<Audiences::Run> run_of(const Services& services, std::string_view segment) {
  if (services.segments.current()->list().find(segment) == nullptr) {
    return not_found("there is no segment {}", segment);
  }
  std::optional<Audiences::Run> run = services.audiences.lookalike(segment);
  if (run) return *std::move(run);
  return not_found("no lookalike of {} was asked for since the start: POST begins one", segment);
}

absl::StatusOr<std::shared_ptr<const Lookalike>> result_of(const Services& services,
                                                           std::string_view segment) {
  VITRINE_ASSIGN_OR_RETURN(const Audiences::Run run, run_of(services, segment));
  if (run.result != nullptr) return run.result;
  if (run.state == Audiences::Run::State::failed) return run.failure;
  return unavailable("the lookalike of {} is being made: ask again", segment);
}

absl::StatusOr<Response> begin_lookalike(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string segment(request.path("segment"));
  VITRINE_RETURN_IF_ERROR(services.audiences.start_lookalike(segment));
  VITRINE_ASSIGN_OR_RETURN(const Audiences::Run run, run_of(services, segment));
  return run_response(segment, run, 202);
}

absl::StatusOr<Response> get_lookalike(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const Audiences::Run run, run_of(services, request.path("segment")));
  return run_response(request.path("segment"), run, 200);
}

// Who was erased or refuses since they were found is left out.
absl::Status append_people(JsonWriter& json, const Services& services,
                           std::span<const Scored> people) {
  json.begin_array();
  for (const Scored& scored : people) {
    VITRINE_ASSIGN_OR_RETURN(const auto person, services.identities.person(scored.user));
    if (!person || person->user_id.empty() || person->refuses_personalization) continue;
    json.begin_object().field("user_id", person->user_id).field("score", scored.score).end_object();
  }
  json.end_array();
  return absl::OkStatus();
}

absl::StatusOr<Response> list_alike(const Services& services, const Request& request) {
  QueryReader query(request.query);
  const auto limit =
      static_cast<std::size_t>(query.integer("limit", 1, k_page_max).value_or(k_page_usual));
  const std::uint64_t from = read_cursor(query, "l").value_or(0);
  VITRINE_RETURN_IF_ERROR(query.finish());
  VITRINE_ASSIGN_OR_RETURN(const auto found, result_of(services, request.path("segment")));
  const std::span<const Scored> people(found->people);
  const std::size_t begin = std::min<std::size_t>(from, people.size());
  const std::size_t count = std::min(limit, people.size() - begin);
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("members");
  VITRINE_RETURN_IF_ERROR(append_people(json, services, people.subspan(begin, count)));
  json.key("cursor");
  begin + count < people.size() ? json.value(write_cursor("l", begin + count)) : json.null();
  json.end_object();
  return json_response(std::move(body));
}

struct Saving {
  Segment segment;
  segments::Membership members;
  std::size_t people = 0;
};

absl::StatusOr<Saving> read_saving(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const auto found, result_of(services, request.path("segment")));
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  Saving saving;
  saving.segment.kind = Segment::Kind::fixed;
  saving.segment.key = reader.required_text("segment", Segment::k_key_bytes_max);
  saving.segment.name = reader.text("name", Segment::k_text_bytes_max).value_or("");
  const auto size = reader.integer(
      "size", 1, static_cast<std::int64_t>(std::max<std::size_t>(1, found->people.size())));
  if (!size) reader.refuse("size", "is required: how many of the people, best first");
  VITRINE_RETURN_IF_ERROR(reader.finish());
  saving.segment.description =
      fmt::format("Like {}: the best {} of {} on {}", request.path("segment"), *size,
                  found->people.size(), format_time(found->made_ms));
  const absl::Status valid = validate(saving.segment);
  if (!valid.ok()) return with_field(valid, "segment");
  saving.segment.changed_ms = services.clock.now_ms();
  for (const Scored& scored : found->people) {
    if (saving.people == static_cast<std::size_t>(*size)) break;
    VITRINE_ASSIGN_OR_RETURN(const auto person, services.identities.person(scored.user));
    if (!person || person->erased_ms != 0 || person->refuses_personalization) continue;
    saving.members.set(scored.user, true);
    ++saving.people;
  }
  return saving;
}

// Always a new segment: one that is there may be in use.
void save_lookalike(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<Saving> saving = read_saving(services, request);
  if (!saving.ok()) return reply.fail(saving.status());
  constexpr std::uint64_t k_none = 0;
  const std::size_t people = saving->people;
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.segments.put(
      services.committer, std::move(saving->segment), k_none, std::move(saving->members),
      [later, people](absl::StatusOr<SegmentStore::Put> put) {
        if (!put.ok()) return later->fail(put.status());
        std::string body;
        JsonWriter(body)
            .begin_object()
            .field("segment", put->segment.key)
            .field("version", put->segment.version)
            .field("size", people)
            .end_object();
        later->send(json_response(std::move(body), 201));
      }));
}

absl::StatusOr<std::vector<Scored>> audience_of(const Services& services,
                                                std::optional<std::string_view> product,
                                                std::optional<std::string_view> category,
                                                const Audiences::Wanted& wanted) {
  if (product.has_value() == category.has_value()) {
    return field_error("product_id", "product_id or category must be given, and not both");
  }
  const auto found = product ? services.audiences.for_product(*product, wanted)
                             : services.audiences.for_category(*category, wanted);
  if (found.ok() || !absl::IsFailedPrecondition(found.status())) return found;
  return with_field(found.status(), product ? "product_id" : "category");
}

absl::StatusOr<Response> find_audience(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  const auto product = reader.text("product_id", k_text_bytes_max);
  const auto category = reader.text("category", k_text_bytes_max);
  Audiences::Wanted wanted;
  wanted.limit = static_cast<std::size_t>(
      reader.integer("limit", 1, static_cast<std::int64_t>(Audiences::k_answer_max))
          .value_or(k_audience_usual));
  wanted.with_buyers = reader.boolean("include_buyers").value_or(false);
  VITRINE_RETURN_IF_ERROR(reader.finish());
  VITRINE_ASSIGN_OR_RETURN(const std::vector<Scored> people,
                           audience_of(services, product, category, wanted));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("model_version", services.watcher.current()->version());
  json.key("members");
  VITRINE_RETURN_IF_ERROR(append_people(json, services, people));
  json.end_object();
  return json_response(std::move(body));
}

using Answering = absl::StatusOr<Response> (*)(const Services&, const Request&);

// Reads many people's ids, or asks everybody.
Handler aside(const Services& services, Answering handler) {
  return services.workers.answer_aside(
      [] { return true; },
      [&services, handler](Request& request) { return handler(services, request); });
}

Handler at_once(const Services& services, Answering handler) {
  return answer_at_once(
      [&services, handler](Request& request) { return handler(services, request); });
}

}  // namespace

void add_audience_routes(Router& router, const Services& services) {
  const auto add = [&](std::string_view method, std::string_view pattern, Handler handler) {
    router.add(method, pattern, Scope::marketing, std::move(handler));
  };
  add("POST", "/v1/segments/{segment}/lookalike", at_once(services, begin_lookalike));
  add("GET", "/v1/segments/{segment}/lookalike", at_once(services, get_lookalike));
  add("GET", "/v1/segments/{segment}/lookalike/members", aside(services, list_alike));
  add("POST", "/v1/segments/{segment}/lookalike/save", [&services](Request& request, Reply reply) {
    save_lookalike(services, request, std::move(reply));
  });
  add("POST", "/v1/audiences", aside(services, find_audience));
}

}  // namespace vitrine::http
