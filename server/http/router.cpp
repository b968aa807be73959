#include "server/http/router.h"

#include <absl/container/inlined_vector.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "server/events/answer_keeper.h"
#include "server/http/idempotency.h"

namespace vitrine::http {
namespace {

class RouteObserver final : public ReplyObserver {
 public:
  RouteObserver(Metrics& metrics, Log& log, AccessLog& access_log, std::string_view method,
                const std::string& route)
      : log_(log),
        access_log_(access_log),
        method_(method),
        route_(route),
        seconds_(metrics.histogram("vitrine_http_request_duration_seconds",
                                   "From the parsed request to its answer",
                                   latency_bounds_seconds(), {{"route", route}})),
        unauthenticated_(denied(metrics, route, "401")),
        forbidden_(denied(metrics, route, "403")) {
    for (std::size_t i = 0; i < by_class_.size(); ++i) {
      by_class_[i] = &metrics.counter("vitrine_http_requests_total", "Answers by route and class",
                                      {{"route", route}, {"status", fmt::format("{}xx", i + 2)}});
    }
  }

  void answered(int http_status, std::int64_t duration_us, std::string_view request_id) override {
    CHECK(http_status >= 200 && http_status < 600, "an answer has a final status");
    by_class_[static_cast<std::size_t>(http_status / 100 - 2)]->add();
    if (http_status == 401) unauthenticated_.add();
    if (http_status == 403) forbidden_.add();
    seconds_.observe(static_cast<double>(duration_us) * 1e-6);
    access_log_.answered(method_, route_, http_status, duration_us, request_id);
  }

  void failed(const absl::Status& status, std::string_view request_id) override {
    log_.error("event=request_failed route={} request_id={} code={} error=\"{}\"", route_,
               request_id, static_cast<int>(status.code()), message_of(status));
  }

 private:
  Log& log_;
  AccessLog& access_log_;
  std::string method_;
  std::string route_;
  static Counter& denied(Metrics& metrics, const std::string& route, const char* status) {
    return metrics.counter("vitrine_http_denied_total", "Requests without the key they need",
                           {{"route", route}, {"status", status}});
  }

  Histogram& seconds_;
  Counter& unauthenticated_;
  Counter& forbidden_;
  std::array<Counter*, 4> by_class_{};
};

// Passes on what is our fault, and leaves counting to the reply behind it.
class FailureObserver final : public ReplyObserver {
 public:
  explicit FailureObserver(ReplyObserver& told) : told_(told) {}
  void answered(int, std::int64_t, std::string_view) override {}
  void failed(const absl::Status& status, std::string_view request_id) override {
    told_.failed(status, request_id);
  }

 private:
  ReplyObserver& told_;
};

// What changes nothing although it is posted, and imports, which the log itself keeps.
bool is_no_act(std::string_view pattern) {
  return pattern.starts_with("/v1/import/") || pattern.starts_with("/v1/recommendations/") ||
         pattern.starts_with("/v1/expressions/") || pattern == "/v1/models/refresh";
}

// Reading everything about a person is an act of its own.
bool is_about_people(std::string_view pattern) {
  return pattern.starts_with("/v1/users") || pattern.starts_with("/v1/visitors") ||
         pattern.starts_with("/v1/erasures");
}
bool is_act_of_reading(std::string_view pattern) {
  return pattern == "/v1/users/{id}/export" || pattern == "/v1/visitors/{id}/export";
}

// What pages may send: the first two, and what Segment's and RudderStack's browser clients add.
constexpr std::string_view k_allowed_headers =
    "authorization, content-type, x-retry-count, anonymousid, sentat, rsa-recovered, "
    "rsa-retry-attempt, rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt";

using Segments = absl::InlinedVector<std::string_view, 8>;  // of most paths without an allocation

// The parts between slashes; the leading slash is no part.
Segments split_path(std::string_view path) {
  Segments segments;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool is_capture(std::string_view segment) { return segment.starts_with('{'); }

}  // namespace

struct Router::Route {
  std::string method;
  std::optional<Scope> scope;
  bool has_own_key = false;  // the handler finds it
  Handler handler;

  std::unique_ptr<ReplyObserver> observer;
  std::unique_ptr<ReplyObserver> failures;

  // Whether what it did once is not to be done again when it is asked again. Events have ids of
  // their own; what is asked about people says the same whenever it is repeated, and its answers
  // are not to be kept.
  bool keeps_answers(std::string_view pattern) const {
    return method != "GET" && scope && !is_public() && !is_about_people(pattern) &&
           !pattern.starts_with("/v1/segments/") && !pattern.starts_with("/v1/import/");
  }
  bool is_administrative() const {
    return method != "GET" && (scope == Scope::marketing || scope == Scope::models ||
                               scope == Scope::privacy || scope == Scope::admin);
  }
  bool is_public() const {
    return has_own_key || scope == Scope::collect || scope == Scope::recommend;
  }
};

struct Router::Path {
  std::string pattern;
  std::vector<std::string> segments;
  std::vector<std::string> names;  // of the captures, in order
  std::vector<Route> routes;
  std::unique_ptr<ReplyObserver> observer;  // of what no route of it answers

  bool is_public() const {
    return std::any_of(routes.begin(), routes.end(),
                       [](const Route& route) { return route.is_public(); });
  }

  // As the Allow header says it.
  std::string allowed_methods() const {
    std::string allowed;
    for (const Route& route : routes) {
      if (!allowed.empty()) allowed += ", ";
      allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    return allowed;
  }
};

Handler answer_at_once(std::function<absl::StatusOr<Response>(Request&)> handler) {
  return [handler = std::move(handler)](Request& request, Reply reply) {
    reply.send_or_fail(handler(request));
  };
}

Router::Router(AccessPolicy access, Metrics& metrics, Log& log)
    : access_(access),
      metrics_(metrics),
      log_(log),
      access_log_(log, 0),
      unmatched_(make_observer("-", "unmatched")) {}
Router::~Router() = default;

std::unique_ptr<ReplyObserver> Router::make_observer(std::string_view method,
                                                     std::string_view route) {
  return std::make_unique<RouteObserver>(metrics_, log_, access_log_, method, std::string(route));
}

void Router::add(std::string_view method, std::string_view pattern, std::optional<Scope> scope,
                 Handler handler) {
  add_route(pattern, {std::string(method), scope, false, std::move(handler), nullptr, nullptr});
}

void Router::add_with_own_key(std::string_view method, std::string_view pattern, Handler handler) {
  add_route(pattern,
            {std::string(method), std::nullopt, true, std::move(handler), nullptr, nullptr});
}

void Router::add_route(std::string_view pattern, Route added) {
  CHECK(pattern.starts_with('/'), "a pattern starts with a slash");
  Path* path = nullptr;
  for (const auto& known : paths_) {
    if (known->pattern == pattern) path = known.get();
  }
  if (path == nullptr) {
    path = paths_.emplace_back(std::make_unique<Path>()).get();
    path->pattern = pattern;
    for (const std::string_view segment : split_path(pattern)) {
      path->segments.emplace_back(segment);
      if (is_capture(segment)) path->names.emplace_back(segment.substr(1, segment.size() - 2));
    }
    path->observer = make_observer("-", pattern);
  }
  for (const Route& route : path->routes) {
    CHECK(route.method != added.method, "a route is added once");
  }
  added.observer = make_observer(added.method, pattern);
  added.failures = std::make_unique<FailureObserver>(*added.observer);
  path->routes.push_back(std::move(added));
}

// Among the patterns that match, the one that names most segments outright: /v1/products/batch
// before /v1/products/{id}.
const Router::Path* Router::find_path(std::string_view path,
                                      std::vector<std::string_view>& captured) const {
  const Segments segments = split_path(path);
  const Path* best = nullptr;
  for (const auto& candidate : paths_) {
    if (candidate->segments.size() != segments.size()) continue;
    if (best != nullptr && candidate->names.size() >= best->names.size()) continue;
    bool matches = true;
    for (std::size_t i = 0; matches && i < segments.size(); ++i) {
      matches = is_capture(candidate->segments[i]) ? !segments[i].empty()
                                                   : candidate->segments[i] == segments[i];
    }
    if (matches) best = candidate.get();
  }
  if (best == nullptr) return nullptr;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (is_capture(best->segments[i])) captured.push_back(segments[i]);
  }
  return best;
}

absl::Status Router::prepare(const Path& path, const std::vector<std::string_view>& captured,
                             std::string_view query, std::optional<Scope> scope,
                             Request& request) const {
  VITRINE_ASSIGN_OR_RETURN(request.query, parse_query(query));
  for (std::size_t i = 0; i < captured.size(); ++i) {
    VITRINE_ASSIGN_OR_RETURN(std::string value, percent_decode(captured[i], false));
    request.path_parameters.emplace_back(path.names[i], std::move(value));
  }
  return access_.authorize(request, scope);
}

// A preflight carries no key (Fetch, 4.8): the keys that there are decide together, and the key of
// the request itself once more.
void Router::answer_preflight(const Path& path, Request& request, Reply reply) const {
  if (absl::Status status = access_.authorize(request, std::nullopt); !status.ok()) {
    return reply.fail(status);
  }
  const std::string_view origin = request.headers.find("Origin").value_or("");
  if (!access_.allows_origin(origin)) {
    return reply.fail(make_status(absl::StatusCode::kPermissionDenied,
                                  "no API key is for pages of the origin '{}'", origin));
  }
  Response response{204, "", "application/json", {}};
  response.headers = {{"Access-Control-Allow-Methods", path.allowed_methods()},
                      {"Access-Control-Allow-Headers", std::string(k_allowed_headers)},
                      {"Access-Control-Max-Age", "86400"}};
  reply.send(std::move(response));
}

// The same reply, which tells the audit log how it ended. Ids of people are left out.
Reply Router::audited(const Path& path, const Route& route, const Request& request,
                      Reply reply) const {
  AdministrativeAct act{.actor = request.key_id,
                        .method = request.method,
                        .route = path.pattern,
                        .object = "",
                        .request_id = reply.request_id()};
  if (act.actor.empty()) act.actor = request.is_control ? "command" : "open";
  if (!is_about_people(path.pattern)) {
    for (const auto& [name, value] : request.path_parameters) act.object = value;
  }
  std::string request_id = reply.request_id();
  Reply telling(std::move(request_id), [this, act = std::move(act),
                                        reply = std::move(reply)](Response&& response) mutable {
    if (!audit_->write(act, response.status)) {
      log_.error("event=audit_not_written route={} request_id={}", act.route, act.request_id);
    }
    reply.send(std::move(response));
  });
  telling.observe(*route.failures);
  return telling;
}

void Router::handle(Request request, Reply reply) const {
  reply.observe(*unmatched_);
  const std::string_view target = request.target;  // until a handler takes the request
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path_text = target.substr(0, question);
  const std::string_view query = target.substr(std::min(question + 1, target.size()));

  std::vector<std::string_view> captured;
  const Path* path = find_path(path_text, captured);
  if (path == nullptr) return reply.fail(not_found("there is no route for {}", path_text));
  reply.observe(*path->observer);

  // Also when the answer is a refusal: a page that cannot read it takes it for a broken network.
  const std::optional<std::string_view> origin = request.headers.find("Origin");
  if (origin && path->is_public() && access_.allows_origin(*origin)) {
    reply.add_header("Access-Control-Allow-Origin", std::string(*origin));
    reply.add_header("Access-Control-Expose-Headers", "Retry-After, X-Rejected, X-Request-Id");
    reply.add_header("Vary", "Origin");
  }
  if (request.method == "OPTIONS" && path->is_public()) {
    return answer_preflight(*path, request, std::move(reply));
  }

  const std::string_view method =
      request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  const Route* route = nullptr;
  for (const Route& candidate : path->routes) {
    if (candidate.method == method) route = &candidate;
  }
  if (route == nullptr) {
    const std::string allowed = path->allowed_methods();
    Response response =
        error_response(k_method_not_allowed, fmt::format("{} allows {}", path->pattern, allowed),
                       "", reply.request_id());
    response.headers.emplace_back("Allow", allowed);
    return reply.send(std::move(response));
  }
  reply.observe(*route->observer);
  const absl::Status ready = prepare(*path, captured, query, route->scope, request);
  if (is_too_often(*path, *route, request, ready)) {
    return reply.fail(overloaded("this address asks too often without a valid API key"));
  }
  if (!ready.ok()) return reply.fail(ready);
  carry_out(*path, *route, request, std::move(reply));
}

// What needs no key, and guesses at keys.
bool Router::is_too_often(const Path& path, const Route& route, const Request& request,
                          const absl::Status& access) const {
  if (keyless_ == nullptr || request.is_control) return false;
  // What a balancer asks must be answered however much comes through it.
  if (path.pattern == "/healthz" || path.pattern == "/readyz") return false;
  const bool is_keyless = access.ok() && !route.scope && !route.has_own_key;
  if (!is_keyless && !absl::IsUnauthenticated(access)) return false;
  return !keyless_->take(request.peer, steady_us());
}

void Router::carry_out(const Path& path, const Route& route, Request& request, Reply reply) const {
  std::shared_ptr<Idempotency::Write> write;
  if (idempotency_ != nullptr && route.keeps_answers(path.pattern) &&
      request.headers.find("Idempotency-Key")) {
    // A key, or a webhook's secret, is shown once and kept nowhere.
    for (const std::string_view secretive : {"/v1/keys", "/v1/webhooks"}) {
      if (!path.pattern.starts_with(secretive)) continue;
      return reply.fail(field_error(
          "Idempotency-Key", fmt::format("Idempotency-Key is not taken by {}, whose answers hold "
                                         "secrets and are not kept",
                                         secretive)));
    }
    write = idempotency_->begin(request, reply);
    if (!write) return;
  }
  const bool is_act =
      (route.is_administrative() && !is_no_act(path.pattern)) || is_act_of_reading(path.pattern);
  if (audit_ != nullptr && is_act) {
    reply = audited(path, route, request, std::move(reply));
  }
  if (write) {
    reply = Idempotency::keep(write, std::move(reply));
    reply.observe(*route.failures);
  }
  const events::KeepAnswers keeps(std::move(write));
  // A library may throw on the way; the reply then dies with the stack and answers 500.
  try {
    route.handler(request, std::move(reply));
  } catch (const std::exception& error) {
    log_.error("event=handler_threw route={} error=\"{}\"", path.pattern, error.what());
  }
}

std::vector<RouteName> Router::routes() const {
  std::vector<RouteName> names;
  for (const auto& path : paths_) {
    for (const Route& route : path->routes) {
      names.push_back({route.method, path->pattern, route.scope});
    }
  }
  return names;
}

}  // namespace vitrine::http
