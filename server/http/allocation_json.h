// An allocation, as answers tell of it.
//
// Thread-safe (pure functions).
#pragma once

#include "server/coupons/allocations.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

void append_allocation(JsonWriter& json, const coupons::Allocations::Run& run);

}  // namespace vitrine::http
