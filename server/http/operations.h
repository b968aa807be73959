// The routes that are about the server itself: is it alive, is it ready, how is it doing, what does
// it offer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "server/http/router.h"

namespace vitrine::http {

// Something that is not as it should be.
struct Shortcoming {
  std::string_view reason;  // a word for programs: "stopping", "disk_full", "no_model", ...
  std::string message;      // a sentence for people
  bool forbids_traffic = false;
};
// All there are now; none when everything is well. Thread-safe.
using Readiness = std::function<std::vector<Shortcoming>()>;

// GET /healthz, /readyz and /openapi.yaml for anybody, /metrics with the scope admin. `metrics`
// must outlive the router; `refresh` sets those that are measured when they are asked for.
void add_operations_routes(
    Router& router, Readiness readiness, const Metrics& metrics,
    std::function<void()> refresh = [] {});

// The contract, as built into the program.
std::string_view openapi_yaml();

}  // namespace vitrine::http
