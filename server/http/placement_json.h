// Placements in their JSON form: what the API takes and gives, and what is stored.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "server/http/json_writer.h"
#include "server/recommend/placement.h"

namespace vitrine::http {

// The whole placement `name`; absent fields have the values of a new one. A `version` and `shipped`
// are let pass, so that what was read can be written back; a `placement` must be `name`. What is
// read is a placement that can be served. InvalidArgument names the field.
absl::StatusOr<recommend::Placement> placement_from_json(std::string_view text,
                                                         std::string_view name,
                                                         std::size_t max_depth);

void append_placement(JsonWriter& json, const recommend::Placement& placement);

}  // namespace vitrine::http
