#include "server/http/reply.h"

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"

namespace vitrine::http {

Reply::Reply(std::string request_id, Sink sink)
    : request_id_(std::move(request_id)), sink_(std::move(sink)) {
  CHECK(sink_ != nullptr, "a reply goes somewhere");
}

Reply::Reply(Reply&& other) noexcept
    : request_id_(std::move(other.request_id_)),
      sink_(std::exchange(other.sink_, nullptr)),
      headers_(std::move(other.headers_)),
      observer_(other.observer_),
      observed_since_us_(other.observed_since_us_) {}

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this == &other) return *this;
  drop();
  request_id_ = std::move(other.request_id_);
  sink_ = std::exchange(other.sink_, nullptr);
  headers_ = std::move(other.headers_);
  observer_ = other.observer_;
  observed_since_us_ = other.observed_since_us_;
  return *this;
}

Reply::~Reply() { drop(); }

void Reply::observe(ReplyObserver& observer) {
  observer_ = &observer;
  if (observed_since_us_ == 0) observed_since_us_ = steady_us();
}

void Reply::add_header(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
}

void Reply::send(Response response) {
  CHECK(sink_ != nullptr, "a request is answered once");
  for (auto& header : headers_) response.headers.push_back(std::move(header));
  if (observer_ != nullptr) {
    observer_->answered(response.status, steady_us() - observed_since_us_, request_id_);
  }
  Sink sink = std::exchange(sink_, nullptr);
  sink(std::move(response));
}

void Reply::fail(const absl::Status& status) {
  Response response = error_response(status, request_id_);
  if (response.status == 500 && observer_ != nullptr) observer_->failed(status, request_id_);
  send(std::move(response));
}

void Reply::send_or_fail(absl::StatusOr<Response> response) {
  if (!response.ok()) return fail(response.status());
  send(*std::move(response));
}

void Reply::drop() {
  if (sink_ == nullptr) return;
  fail(internal_error("the handler ended without an answer"));
}

}  // namespace vitrine::http
