// The report of a campaign as JSON: docs/coupon_decisions.md and openapi.yaml say what it means.
//
// Thread-safe.
#pragma once

#include "server/http/json_writer.h"
#include "server/payoff/campaign_report.h"

namespace vitrine::http {

void append_campaign_report(JsonWriter& json, const payoff::CampaignReport& report);

}  // namespace vitrine::http
