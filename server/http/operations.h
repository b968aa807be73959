// The routes that are about the server itself: is it alive, is it ready, how is it doing, what does
// it offer.
#pragma once

#include <functional>
#include <string_view>

#include "base/metrics.h"
#include "server/http/router.h"

namespace vitrine::http {

// OK when requests can be answered; otherwise Unavailable, saying what is awaited. Thread-safe.
using Readiness = std::function<absl::Status()>;

// GET /healthz, /readyz and /openapi.yaml for anybody, /metrics with the scope admin. `metrics`
// must outlive the router.
void add_operations_routes(Router& router, Readiness readiness, const Metrics& metrics);

// The contract, as built into the program.
std::string_view openapi_yaml();

}  // namespace vitrine::http
