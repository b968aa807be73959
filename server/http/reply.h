// The one answer a request gets: a callback that may be called once, from any thread.
//
// A handler keeps the Reply for as long as it needs, a write handler until the committer has
// synced. Dropped without an answer it answers 500 by itself, so that no client waits for ever.
// Move-only; one thread at a time.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/response.h"

namespace vitrine::http {

// Told of every answer before it leaves; outlives all replies. Thread-safe.
class ReplyObserver {
 public:
  virtual ~ReplyObserver() = default;
  virtual void answered(int http_status, std::int64_t duration_us, std::string_view request_id) = 0;
  // Something that is our fault: for the log.
  virtual void failed(const absl::Status& status, std::string_view request_id) = 0;
};

class Reply {
 public:
  using Sink = absl::AnyInvocable<void(Response&&)>;

  Reply(std::string request_id, Sink sink);
  Reply(Reply&& other) noexcept;
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();

  // Precondition of all three, checked: not answered before.
  void send(Response response);
  void fail(const absl::Status& status);
  void send_or_fail(absl::StatusOr<Response> response);

  const std::string& request_id() const { return request_id_; }

  // Goes with the answer, whatever it will be.
  void add_header(std::string name, std::string value);

  // From now on `observer` is told; the time counts from the first call.
  void observe(ReplyObserver& observer);

 private:
  void drop();

  std::string request_id_;
  Sink sink_;  // empty once answered or moved from
  std::vector<std::pair<std::string, std::string>> headers_;
  ReplyObserver* observer_ = nullptr;
  std::int64_t observed_since_us_ = 0;
};

}  // namespace vitrine::http
