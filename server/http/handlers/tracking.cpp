// The tracking API that clients of Segment and RudderStack speak, and GA4's Measurement Protocol.
//
// Those clients drop everything they sent on an answer of 4xx, so that what is wrong with single
// messages is told by X-Rejected and kept in quarantine.
#include "server/collect/tracking.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "base/status.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/person.h"
#include "server/http/handlers/routes.h"
#include "server/http/request_body.h"

namespace vitrine::http {
namespace {

using collect::MessageKind;
using GivenKey = AccessPolicy::GivenKey;

enum class Form { message, batch, import, ga4 };

struct TrackingRoute {
  std::string_view path;
  Form form;
  std::optional<MessageKind> kind;
};

// Each is there with and without /v1: operators put a host with either into the same option.
constexpr TrackingRoute k_routes[] = {
    {"/track", Form::message, MessageKind::track},
    {"/identify", Form::message, MessageKind::identify},
    {"/page", Form::message, MessageKind::page},
    {"/screen", Form::message, MessageKind::screen},
    {"/group", Form::message, MessageKind::group},
    {"/alias", Form::message, MessageKind::alias},
    {"/t", Form::message, MessageKind::track},
    {"/i", Form::message, MessageKind::identify},
    {"/p", Form::message, MessageKind::page},
    {"/s", Form::message, MessageKind::screen},
    {"/g", Form::message, MessageKind::group},
    {"/a", Form::message, MessageKind::alias},
    {"/batch", Form::batch, std::nullopt},
    {"/b", Form::batch, std::nullopt},
    {"/import", Form::import, std::nullopt},
};

// Everything but the key of the body, which is known only once it was read.
struct KeysAround {
  std::optional<GivenKey> first;   // before the body's
  std::optional<GivenKey> second;  // after it
};

KeysAround keys_of(const Request& request, std::string_view parameter) {
  KeysAround keys;
  if (auto basic = basic_key_of(request)) keys.first = {.key = *std::move(basic)};
  if (const auto in_url = find_parameter(request.query, parameter)) {
    keys.second = {.key = std::string(*in_url), .is_in_url = true};
  } else if (const auto bearer = bearer_key_of(request)) {
    keys.second = {.key = std::string(*bearer)};
  }
  return keys;
}

// A call of the tracking API from its bytes to its answer.
class TrackingCall {
 public:
  TrackingCall(const Services& services, const AccessPolicy& access, Form form,
               std::optional<MessageKind> kind)
      : services_(services), access_(access), form_(form), kind_(kind) {}

  void run(Request& request, Reply reply) const {
    absl::StatusOr<collect::TrackedBatch> batch = read(request);
    if (!batch.ok()) return refuse(batch.status(), std::move(reply));
    collect(request, *std::move(batch), std::move(reply));
  }

 private:
  absl::StatusOr<collect::TrackedBatch> read(Request& request) const;
  absl::StatusOr<std::unique_ptr<collect::TrackingBody>> authorized_body(Request& request) const;
  void collect(const Request& request, collect::TrackedBatch batch, Reply reply) const;
  Response success(std::size_t rejected) const;
  static void refuse(const absl::Status& status, Reply reply);

  bool keeps_times(const Request& request) const {
    return form_ == Form::import && request.scopes.allow(Scope::admin);
  }

  const Services& services_;
  const AccessPolicy& access_;
  const Form form_;
  const std::optional<MessageKind> kind_;
};

absl::StatusOr<std::unique_ptr<collect::TrackingBody>> TrackingCall::authorized_body(
    Request& request) const {
  const KeysAround keys = keys_of(request, form_ == Form::ga4 ? "api_secret" : "writeKey");
  if (keys.first) {
    VITRINE_RETURN_IF_ERROR(access_.authorize_key(request, keys.first, Scope::collect));
  }
  VITRINE_ASSIGN_OR_RETURN(std::string bytes,
                           take_body(request, services_.limits.max_inflated_body_bytes));
  VITRINE_ASSIGN_OR_RETURN(auto body, collect::TrackingBody::parse(std::move(bytes)));
  if (!keys.first) {
    const std::string in_body = body->write_key();
    const std::optional<GivenKey> given =
        in_body.empty() ? keys.second : std::optional(GivenKey{.key = in_body});
    VITRINE_RETURN_IF_ERROR(access_.authorize_key(request, given, Scope::collect));
  }
  return body;
}

absl::StatusOr<collect::TrackedBatch> TrackingCall::read(Request& request) const {
  VITRINE_ASSIGN_OR_RETURN(const auto body, authorized_body(request));
  const collect::TrackingArrival arrival{.received_ms = services_.clock.now_ms(),
                                         .is_import = keeps_times(request),
                                         .knows_product = [this](std::string_view product_id) {
                                           return services_.catalog.find(product_id) != nullptr;
                                         }};
  collect::TrackingOptions options = services_.tracking;
  if (!request.key_currency.empty()) options.currency = request.key_currency;
  return form_ == Form::ga4 ? body->ga4_events(arrival, options)
                            : body->events(kind_, arrival, options);
}

Response TrackingCall::success(std::size_t rejected) const {
  Response response = form_ == Form::ga4 ? Response{204, "", "application/json", {}}
                                         : json_response(R"({"success":true})");
  if (rejected > 0) response.headers.emplace_back("X-Rejected", std::to_string(rejected));
  return response;
}

void TrackingCall::collect(const Request& request, collect::TrackedBatch batch, Reply reply) const {
  if (batch.events.empty()) return reply.send(success(0));
  // Ids of messages are unique for their sender, which is who has the key.
  std::string source = form_ == Form::ga4 ? "ga4" : "segment";
  if (!request.key_id.empty()) source += ":" + request.key_id;
  set_trust(services_, request, batch.events);
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services_.collector.collect(
      std::move(batch.events), std::move(source), keeps_times(request),
      [later, call = *this,
       message_of = std::move(batch.message_of)](absl::StatusOr<collect::CollectOutcome> outcome) {
        if (!outcome.ok()) return later->fail(outcome.status());
        std::set<std::size_t> rejected;
        for (const collect::RejectedEvent& event : outcome->rejected) {
          rejected.insert(message_of[event.index]);
        }
        later->send(call.success(rejected.size()));
      }));
}

void TrackingCall::refuse(const absl::Status& status, Reply reply) {
  if (status.code() != absl::StatusCode::kOutOfRange) return reply.fail(status);
  reply.send(error_response(k_body_too_large,
                            fmt::format("the unpacked body is too large: {}", message_of(status)),
                            "", reply.request_id()));
}

}  // namespace

void add_tracking_routes(Router& router, const Services& services) {
  const auto add = [&](const std::string& path, Form form, std::optional<MessageKind> kind) {
    router.add_with_own_key(
        "POST", path,
        services.workers.aside(
            is_long_to_read,
            [call = TrackingCall(services, router.access(), form, kind)](
                Request& request, Reply reply) { call.run(request, std::move(reply)); }));
  };
  for (const TrackingRoute& route : k_routes) {
    add(std::string(route.path), route.form, route.kind);
    add("/v1" + std::string(route.path), route.form, route.kind);
  }
  add("/beacon/v1/batch", Form::batch, std::nullopt);
  add("/beacon/batch", Form::batch, std::nullopt);
  add("/mp/collect", Form::ga4, std::nullopt);
  add_tracking_settings_routes(router);
}

}  // namespace vitrine::http
