// Coupons for many people: POST and GET /v1/grants/jobs, GET /v1/grants/jobs/{job}, and
// /pause, /resume and /cancel below it.
#include "server/coupons/grant_jobs.h"

#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/http/grant_job_json.h"
#include "server/http/handlers/coupon_routes.h"
#include "server/http/handlers/later.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/segments/all_members.h"

namespace vitrine::http {
namespace {

using coupons::GrantJob;
using coupons::GrantJobs;

constexpr std::size_t k_id_bytes_max = 256;

Response job_response(const GrantJob& job, int status) {
  std::string body;
  JsonWriter json(body);
  append_grant_job(json, job);
  return json_response(std::move(body), status);
}

GrantJobs::OnJob answer_with(const LaterReply& later, int status) {
  return [later, status](absl::StatusOr<GrantJob> job) {
    if (!job.ok()) return later->fail(job.status());
    later->send(job_response(*job, status));
  };
}

absl::StatusOr<GrantJobs::Plan> read_plan(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  GrantJobs::Plan plan;
  plan.offer = reader.required_text("offer", k_id_bytes_max);
  plan.round = reader.text("round", k_id_bytes_max).value_or("1");
  plan.segment = reader.text("segment", k_id_bytes_max).value_or("");
  for (const std::string_view id :
       reader.texts("user_ids", GrantJobs::k_listed_max, k_id_bytes_max)) {
    plan.user_ids.emplace_back(id);
  }
  if (plan.segment.empty() == plan.user_ids.empty()) {
    reader.refuse("segment", "or user_ids must be given, and not both");
  }
  VITRINE_RETURN_IF_ERROR(reader.finish());
  return plan;
}

// Those who are in it now.
absl::Status take_members(const segments::SegmentEngine& engine, GrantJobs::Plan& plan) {
  VITRINE_RETURN_IF_ERROR(segments::check_built(engine, plan.segment));
  VITRINE_ASSIGN_OR_RETURN(plan.people, segments::all_members(engine, plan.segment));
  return absl::OkStatus();
}

void begin_job(const Services& services, GrantJobs& jobs, const Request& request, Reply reply) {
  absl::StatusOr<GrantJobs::Plan> plan = read_plan(services, request);
  if (!plan.ok()) return reply.fail(plan.status());
  const LaterReply later(std::move(reply));
  // A large segment takes a while.
  const bool taken =
      services.workers.try_run([&services, &jobs, later, plan = *std::move(plan)]() mutable {
        const absl::Status known =
            plan.segment.empty() ? absl::OkStatus() : take_members(services.segment_engine, plan);
        if (!known.ok()) return later->fail(known);
        jobs.start();
        later.fail_unless_ok(jobs.begin(std::move(plan), answer_with(later, 202)));
      });
  if (!taken) later->fail(overloaded("too many requests wait for a thread already, try again"));
}

absl::StatusOr<std::uint64_t> job_number(const Request& request) {
  std::uint64_t number = 0;
  const std::string_view text = request.path("job");
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return field_error("job", "job must be its number");
  }
  return number;
}

absl::StatusOr<Response> get_job(const GrantJobs& jobs, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  VITRINE_ASSIGN_OR_RETURN(const std::uint64_t number, job_number(request));
  const auto job = jobs.job(number);
  if (!job) return not_found("there is no job {}", number);
  return job_response(*job, 200);
}

absl::StatusOr<Response> list_jobs(const GrantJobs& jobs, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("jobs").begin_array();
  for (const GrantJob& job : jobs.jobs()) append_grant_job(json, job);
  json.end_array().end_object();
  return json_response(std::move(body));
}

Handler changing(GrantJobs& jobs, GrantJobs::Change change) {
  return [&jobs, change](Request& request, Reply reply) {
    const auto number = job_number(request);
    if (!number.ok()) return reply.fail(number.status());
    const LaterReply later(std::move(reply));
    jobs.start();
    later.fail_unless_ok(jobs.change(*number, change, answer_with(later, 200)));
  };
}

}  // namespace

void add_grant_job_routes(Router& router, const Services& services, GrantJobs& jobs) {
  router.add("POST", "/v1/grants/jobs", Scope::marketing,
             [&services, &jobs](Request& request, Reply reply) {
               begin_job(services, jobs, request, std::move(reply));
             });
  router.add("GET", "/v1/grants/jobs", Scope::marketing,
             answer_at_once([&jobs](Request& request) { return list_jobs(jobs, request); }));
  router.add("GET", "/v1/grants/jobs/{job}", Scope::marketing,
             answer_at_once([&jobs](Request& request) { return get_job(jobs, request); }));
  router.add("POST", "/v1/grants/jobs/{job}/pause", Scope::marketing,
             changing(jobs, GrantJobs::Change::pause));
  router.add("POST", "/v1/grants/jobs/{job}/resume", Scope::marketing,
             changing(jobs, GrantJobs::Change::resume));
  router.add("POST", "/v1/grants/jobs/{job}/cancel", Scope::marketing,
             changing(jobs, GrantJobs::Change::cancel));
}

}  // namespace vitrine::http
