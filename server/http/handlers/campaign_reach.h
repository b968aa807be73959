// How many people a campaign is for, how many of them buy anyway, and what it could show.
//
// Thread-safe; asks a sample of all people, or all of a small shop, so not on a loop's thread.
#pragma once

#include "server/coupons/campaign.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

// "detectable_effect": an object, or null when nothing can be said.
void append_detectable_effect(JsonWriter& json, const Services& services,
                              const coupons::Campaign& campaign);

}  // namespace vitrine::http
