#include "server/http/workers.h"

#include <absl/status/status.h>
#include <fmt/format.h>

#include <exception>
#include <memory>
#include <utility>

#include "base/clock.h"

namespace vitrine::http {

Workers::Workers(const Options& options, Metrics& metrics, Log& log)
    : waiting_(options.queue_max),
      waiting_gauge_(metrics.gauge("vitrine_http_workers_waiting_requests",
                                   "Requests that wait for a worker thread")),
      refused_(metrics.counter("vitrine_http_workers_refused_total",
                               "Requests refused because too many waited for a worker thread")),
      log_(log) {
  threads_.reserve(options.threads);
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() { stop(); }

void Workers::stop() {
  waiting_.close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool Workers::try_run(absl::AnyInvocable<void()>&& work) {
  if (!waiting_.try_push(std::move(work))) {
    refused_.add();
    return false;
  }
  waiting_gauge_.set(static_cast<double>(waiting_.size()));
  return true;
}

void Workers::run() {
  for (;;) {
    std::vector<absl::AnyInvocable<void()>> work = waiting_.pop_up_to(1);
    if (work.empty()) return;
    waiting_gauge_.set(static_cast<double>(waiting_.size()));
    // A library may throw on the way; a reply then dies with the work and answers 500.
    try {
      work.front()();
    } catch (const std::exception& error) {
      log_.error("event=work_threw error=\"{}\"", error.what());
    }
  }
}

Handler Workers::aside(std::function<bool(const Request&)> is_long, Handler handler) {
  return [this, is_long = std::move(is_long), handler = std::move(handler)](Request& request,
                                                                            Reply reply) {
    if (!is_long(request)) return handler(request, std::move(reply));
    // On its way back the answer stands in the loop's queue once more.
    if (request.arrived_us != 0) request.arrived_us -= steady_us() - request.arrived_us;
    // Shared, because a refusal must still find the reply.
    struct Call {
      Request request;
      Reply reply;
    };
    auto call = std::make_shared<Call>(Call{std::move(request), std::move(reply)});
    const bool taken =
        try_run([call, &handler] { handler(call->request, std::move(call->reply)); });
    if (!taken) {
      call->reply.fail(absl::ResourceExhaustedError(
          fmt::format("{} requests wait for a thread already, try again", waiting_.size())));
    }
  };
}

Handler Workers::answer_aside(std::function<bool()> is_long,
                              std::function<absl::StatusOr<Response>(Request&)> handler) {
  return aside([is_long = std::move(is_long)](const Request&) { return is_long(); },
               [handler = std::move(handler)](Request& request, Reply reply) {
                 reply.send_or_fail(handler(request));
               });
}

}  // namespace vitrine::http
