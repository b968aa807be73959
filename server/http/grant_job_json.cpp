#include "server/http/grant_job_json.h"

namespace vitrine::http {

void append_grant_job(JsonWriter& json, const coupons::GrantJob& job) {
  json.begin_object().field("job", job.number).field("offer", job.offer);
  json.field("round", job.round).key("segment");
  job.segment.empty() ? json.null() : json.value(job.segment);
  json.key("allocation");
  job.allocation.empty() ? json.null() : json.value(job.allocation);
  json.field("state", name_of(job.state)).key("stopped_by");
  job.stopped_by ? json.value(name_of(*job.stopped_by)) : json.null();
  json.field("people", job.people).field("looked_at", job.looked_at);
  json.field("granted", job.granted).field("had_it", job.had_it).field("gone", job.gone);
  json.key("withheld").begin_object();
  for (std::size_t reason = 0; reason < coupons::k_withheld; ++reason) {
    if (job.withheld.at(reason) == 0) continue;
    json.field(name_of(static_cast<coupons::Withheld>(reason)), job.withheld.at(reason));
  }
  json.end_object().key("denied").begin_object();
  for (std::size_t reason = 0; reason < coupons::k_reasons; ++reason) {
    if (job.denied.at(reason) == 0) continue;
    json.field(name_of(static_cast<coupons::Reason>(reason)), job.denied.at(reason));
  }
  json.end_object().field("created_at", format_time(job.created_ms));
  json.field("changed_at", format_time(job.changed_ms)).end_object();
}

}  // namespace vitrine::http
