// What to show next: POST /v1/recommendations, the simple GET form, whole pages, rankings, and why
// a product is not shown. Every answer is kept as a decision, without being waited for.
#include <functional>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "server/http/event_loop.h"
#include "server/http/handlers/coupon_recommendations.h"
#include "server/http/handlers/person.h"
#include "server/http/handlers/recommendation_json.h"
#include "server/http/handlers/routes.h"
#include "server/http/handlers/typical_time.h"

namespace vitrine::http {
namespace {

using recommend::Effort;
using recommend::RecommendAnswer;

using Answer = std::function<absl::StatusOr<Response>(const Request&, Effort)>;

void keep_decision(const Services& services, const RecommendAnswer& answer) {
  decisions::Decision decision{.recommendation_id = answer.recommendation_id,
                               .time_ms = answer.time_ms,
                               .placement = answer.placement,
                               .placement_version = answer.placement_version,
                               .model_version = answer.model_version,
                               .user = answer.user,
                               .shown = {}};
  decision.shown.reserve(answer.products.size());
  for (const recommend::RecommendedProduct& product : answer.products) {
    decision.shown.push_back({.product_id = product.product_id,
                              .source = std::string(product.source),
                              .score = product.score,
                              .propensity = product.propensity});
  }
  services.decisions.record(services.committer, std::move(decision));
}

// The recommender's refusals begin with the field they are about.
absl::Status with_its_field(absl::Status status) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return status;
  const std::string field(message_of(status).substr(0, message_of(status).find(' ')));
  return with_field(std::move(status), field);
}

// An answer for whom the request names, as far as it proves that.
void settle_person(const Services& services, const Request& request, RecommendationCall& call) {
  call.user_token_state = check_person(services, request, call.request.user_id, call.user_token);
  call.request.is_verified = request.is_trusted || call.user_token_state == UserTokenState::valid;
}

// What a request asks may name no segment that there is not.
absl::Status check_segments(const Services& services, const recommend::RecommendRequest& request) {
  const auto check = [&](const std::vector<std::string>& segments, std::string_view field) {
    if (segments.empty()) return absl::OkStatus();
    absl::Status known = services.segments.current()->check_references(segments);
    return known.ok() ? known : with_field(std::move(known), std::string(field));
  };
  VITRINE_RETURN_IF_ERROR(check(request.filter.expression.segments(), "filter"));
  for (const recommend::Rule& boost : request.boosts) {
    VITRINE_RETURN_IF_ERROR(check(boost.when.expression.segments(), "boost"));
    VITRINE_RETURN_IF_ERROR(check(boost.audience.segments(), "boost"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Response> answered(const Services& services, const RecommendationCall& call,
                                  const absl::StatusOr<RecommendAnswer>& answer) {
  if (!answer.ok()) return with_its_field(answer.status());
  keep_decision(services, *answer);
  return json_response(recommendation_json(call, *answer));
}

absl::StatusOr<Response> coupon_placement(const Services& services,
                                          const RecommendationCall& call) {
  VITRINE_ASSIGN_OR_RETURN(std::string body, coupon_placement_json(services, call));
  return json_response(std::move(body));
}

absl::StatusOr<Response> recommend_one(const Services& services, const Request& request,
                                       Effort effort, absl::StatusOr<RecommendationCall> call) {
  if (!call.ok()) return call.status();
  call->request.effort = effort;
  settle_person(services, request, *call);
  VITRINE_RETURN_IF_ERROR(check_segments(services, call->request));
  if (asks_for_coupons(services, *call)) return coupon_placement(services, *call);
  return answered(services, *call, services.recommender.recommend(call->request));
}

// The recommender counts the placements it was asked for; those of coupons stand between them.
absl::Status with_its_place(const absl::Status& status, const std::vector<std::string>& coupons) {
  std::string message(message_of(status));
  std::size_t place = 0;
  for (std::size_t i = 0; i < coupons.size(); ++i) {
    if (!coupons[i].empty()) continue;
    const std::string counted = fmt::format("placements[{}]", place++);
    if (!message.starts_with(counted)) continue;
    message.replace(0, counted.size(), fmt::format("placements[{}]", i));
    break;
  }
  return {status.code(), message};
}

absl::StatusOr<Response> recommend_page(const Services& services, const Request& request,
                                        Effort effort) {
  VITRINE_ASSIGN_OR_RETURN(PageCall page, page_from_body(request, services.limits));
  for (RecommendationCall& call : page.calls) {
    call.request.effort = effort;
    settle_person(services, request, call);
    VITRINE_RETURN_IF_ERROR(check_segments(services, call.request));
  }
  std::vector<recommend::RecommendRequest> requests;
  std::vector<std::string> coupons(page.calls.size());  // empty where products are asked for
  for (std::size_t i = 0; i < page.calls.size(); ++i) {
    const RecommendationCall& call = page.calls[i];
    if (!asks_for_coupons(services, call)) {
      requests.push_back(call.request);
      continue;
    }
    VITRINE_ASSIGN_OR_RETURN(coupons[i], coupon_placement_json(services, call));
  }
  if (requests.empty()) return json_response(page_json(page, {}, coupons));
  const auto answers = services.recommender.recommend_page(requests);
  if (!answers.ok()) return with_its_field(with_its_place(answers.status(), coupons));
  for (const RecommendAnswer& answer : *answers) keep_decision(services, answer);
  return json_response(page_json(page, *answers, coupons));
}

absl::StatusOr<Response> rank(const Services& services, const Request& request, Effort effort) {
  VITRINE_ASSIGN_OR_RETURN(RankingCall call, ranking_from_body(request, services.limits));
  call.request.effort = effort;
  settle_person(services, request, call);
  VITRINE_RETURN_IF_ERROR(check_segments(services, call.request));
  const auto ranking = services.recommender.rank(call.request, call.products);
  if (!ranking.ok()) return with_its_field(ranking.status());
  keep_decision(services, ranking->answer);
  return json_response(ranking_json(call, *ranking));
}

absl::StatusOr<Response> why_not(const Services& services, const Request& request) {
  VITRINE_ASSIGN_OR_RETURN(const WhyNotCall call, why_not_from_body(request, services.limits));
  const auto why = services.recommender.why_not(call.request, call.product_id);
  if (!why.ok()) return with_its_field(why.status());
  return json_response(why_not_json(call, *why));
}

// What counts as waited: where answers are made on threads of their own, many are at work at once,
// and how long that takes each is time that a request has not got left. Who did not wait so long
// does not stand in a queue.
std::int64_t with_what_is_to_come(std::int64_t waited_us, const TypicalTime* aside) {
  const std::int64_t to_come_us = aside == nullptr ? 0 : aside->us();
  return waited_us > to_come_us ? waited_us + to_come_us : waited_us;
}

// Asked when it is the request's turn. `aside` is null on a loop's thread.
std::optional<Effort> admitted(const Services& services, const Request& request,
                               std::int64_t now_us, const TypicalTime* aside = nullptr) {
  // What this process asks itself has not come through a queue.
  const std::int64_t waited_us = request.arrived_us == 0 ? 0 : now_us - request.arrived_us;
  return services.admission.admit(request.key_id, with_what_is_to_come(waited_us, aside), now_us);
}

absl::StatusOr<Response> refused() {
  return overloaded("too many requests wait for an answer already; ask again later");
}

// The answer, as well as there is time for.
absl::StatusOr<Response> answer_in_turn(const Services& services, const Request& request,
                                        const Answer& answer, TypicalTime* aside) {
  const std::int64_t now_us = steady_us();
  const std::optional<Effort> effort = admitted(services, request, now_us, aside);
  if (!effort) return refused();
  absl::StatusOr<Response> response = answer(request, *effort);
  if (aside != nullptr) aside->note(steady_us() - now_us);
  return response;
}

// Requests that are there at the same time, on a thread that answers them itself: what they search
// for is looked up together, so that each costs the less the more there are.
class Gathered {
 public:
  using Reader = std::function<absl::StatusOr<RecommendationCall>(const Request&)>;

  // `read` outlives the answer.
  static void add(const Services& services, Request& request, const Reader& read, Reply reply) {
    std::vector<Waiting>& waiting = of_this_thread();
    waiting.push_back({std::move(request), &read, std::move(reply)});
    if (waiting.size() > 1) return;
    const bool is_later = EventLoop::after_this_turn([&services] { answer_all(services); });
    if (!is_later) answer_all(services);
  }

 private:
  struct Waiting {
    Request request;
    const Reader* read;
    Reply reply;
  };

  static std::vector<Waiting>& of_this_thread() {
    thread_local std::vector<Waiting> waiting;
    return waiting;
  }

  // A reply that is dropped on the way answers that something went wrong.
  static void answer_all(const Services& services) {
    std::vector<Waiting> waiting = std::exchange(of_this_thread(), {});
    std::vector<RecommendationCall> calls;
    std::vector<Reply> replies;
    calls.reserve(waiting.size());
    replies.reserve(waiting.size());
    for (Waiting& each : waiting) {
      const std::optional<Effort> effort = admitted(services, each.request, steady_us());
      if (!effort) {
        each.reply.send_or_fail(refused());
        continue;
      }
      absl::StatusOr<RecommendationCall> call = (*each.read)(each.request);
      if (!call.ok()) {
        each.reply.fail(call.status());
        continue;
      }
      call->request.effort = *effort;
      settle_person(services, each.request, *call);
      if (absl::Status known = check_segments(services, call->request); !known.ok()) {
        each.reply.fail(known);
        continue;
      }
      if (asks_for_coupons(services, *call)) {
        each.reply.send_or_fail(coupon_placement(services, *call));
        continue;
      }
      calls.push_back(*std::move(call));
      replies.push_back(std::move(each.reply));
    }
    std::vector<recommend::RecommendRequest> requests;
    requests.reserve(calls.size());
    for (RecommendationCall& call : calls) requests.push_back(call.request);
    const auto answers = services.recommender.recommend_together(requests);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      replies[i].send_or_fail(answered(services, calls[i], answers[i]));
    }
  }
};

}  // namespace

void add_recommendation_routes(Router& router, const Services& services) {
  const auto takes_long = [&services] { return services.watcher.current()->is_large(); };
  const auto aside = std::make_shared<TypicalTime>();
  const auto add = [&](std::string_view method, std::string_view pattern, Answer answer) {
    router.add(
        method, pattern, Scope::recommend,
        services.workers.answer_aside(takes_long, [&services, takes_long, aside,
                                                   answer = std::move(answer)](Request& request) {
          return answer_in_turn(services, request, answer, takes_long() ? aside.get() : nullptr);
        }));
  };
  const auto add_gathered = [&](std::string_view method, std::string_view pattern,
                                Gathered::Reader read) {
    Handler long_one = services.workers.answer_aside(
        [] { return true; },
        [&services, read, aside](Request& request) {
          const Answer answer = [&](const Request& asked, Effort effort) {
            return recommend_one(services, asked, effort, read(asked));
          };
          return answer_in_turn(services, request, answer, aside.get());
        });
    router.add(method, pattern, Scope::recommend,
               [&services, takes_long, long_one = std::move(long_one), read = std::move(read)](
                   Request& request, Reply reply) {
                 if (takes_long()) return long_one(request, std::move(reply));
                 Gathered::add(services, request, read, std::move(reply));
               });
  };
  add_gathered("POST", "/v1/recommendations", [&services](const Request& request) {
    return recommendation_from_body(request, services.limits);
  });
  add_gathered("GET", "/v1/placements/{placement}/products", recommendation_from_query);
  add("POST", "/v1/pages", [&services](const Request& request, Effort effort) {
    return recommend_page(services, request, effort);
  });
  add("POST", "/v1/rankings", [&services](const Request& request, Effort effort) {
    return rank(services, request, effort);
  });
  // Tells what is kept from shoppers, so it is not for a key in a web page.
  router.add("POST", "/v1/recommendations/why-not", Scope::marketing,
             services.workers.answer_aside(
                 takes_long, [&services](Request& request) { return why_not(services, request); }));
}

}  // namespace vitrine::http
