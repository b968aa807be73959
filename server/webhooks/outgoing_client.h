// POSTs to other people's servers, many at a time on one thread: the door to libcurl.
//
// Certificates are verified, redirects are not followed, no proxy is asked, answers are thrown
// away. Every address is judged when a socket is opened for it, after its name was resolved, so
// that no name can lead to an address that it did not have when it was looked at. One thread, but
// for wake().
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace vitrine::webhooks {

struct OutgoingPost {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct PostOutcome {
  int http_status = 0;     // 0: there was no answer
  std::string error = {};  // why not; empty with a status
  std::int64_t duration_ms = 0;
  TimeMs retry_after_ms = 0;  // as the answer's Retry-After asks, in seconds or as a date; 0: none
  bool is_delivered() const { return http_status >= 200 && http_status < 300; }
};

// Whether it may be called, as far as can be said without asking a name server: https (http too
// with `allow_private`), a host, no user name, no password, no fragment. InvalidArgument begins
// with url.
absl::Status check_url(const std::string& url, bool allow_private);

class OutgoingClient {
 public:
  struct Options {
    TimeMs timeout_ms = 10'000;  // from the name's resolution to the end of the answer
    bool allow_private = false;  // addresses of own networks, and plain HTTP
    std::string ca_file;         // PEM, in place of the system's authorities; empty: those
  };
  static constexpr std::size_t k_answer_bytes_max = std::size_t{64} << 10;

  explicit OutgoingClient(Options options);
  ~OutgoingClient();  // what is under way is cut, unanswered
  OutgoingClient(const OutgoingClient&) = delete;
  OutgoingClient& operator=(const OutgoingClient&) = delete;

  using Done = std::function<void(const PostOutcome&)>;
  // `done` is called once, from run().
  void start(OutgoingPost post, Done done);
  std::size_t in_flight() const;
  // Waits until something happens, at most `wait_ms`, and carries it out.
  void run(int wait_ms);
  // Ends the waiting of run(). Any thread.
  void wake();

  // One POST, from its start to its end.
  static PostOutcome post_now(const Options& options, OutgoingPost post);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::webhooks
