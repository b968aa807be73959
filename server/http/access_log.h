// One line for every so many requests: which route, how it was answered, how long it took. Never
// who asked, from where, with what, or for what: paths are the routes' patterns.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/log.h"

namespace vitrine::http {

class AccessLog {
 public:
  // `every`: 1 is all requests, 0 is none; what is our fault is logged in any case but none.
  AccessLog(Log& log, std::uint32_t every) : log_(log), every_(every) {}

  // From now on, also of requests that are under way.
  void keep_every(std::uint32_t every) { every_.store(every, std::memory_order_relaxed); }

  void answered(std::string_view method, std::string_view route, int status,
                std::int64_t duration_us, std::string_view request_id) {
    const std::uint32_t every = every_.load(std::memory_order_relaxed);
    if (every == 0) return;
    const std::uint32_t number = count_.fetch_add(1, std::memory_order_relaxed);
    if (status < 500 && number % every != 0) return;
    log_.info("event=request method={} route={} status={} duration_us={} request_id={}", method,
              route, status, duration_us, request_id);
  }

 private:
  Log& log_;
  std::atomic<std::uint32_t> every_;
  std::atomic<std::uint32_t> count_ = 0;
};

}  // namespace vitrine::http
