// A job that gives coupons to many people, as answers tell of it.
//
// Thread-safe (pure functions).
#pragma once

#include "server/coupons/grant_job.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

void append_grant_job(JsonWriter& json, const coupons::GrantJob& job);

}  // namespace vitrine::http
