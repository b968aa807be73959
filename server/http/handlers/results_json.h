// What became of a placement's answers, in HTTP form.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "base/clock.h"
#include "server/decisions/results_book.h"
#include "server/http/request.h"

namespace vitrine::http {

// `from` and `until` (days, both included; the last 28 when absent) and `by`: any of day, source,
// position, model_version, placement_version, separated by commas; day when absent.
absl::StatusOr<decisions::ResultsQuery> results_query(const Request& request, TimeMs now_ms);

std::string results_json(const decisions::ResultsQuery& query, const decisions::Results& results);

}  // namespace vitrine::http
