// Routes about coupons beside those of routes.h: what is done day by day.
#pragma once

#include "server/http/handlers/routes.h"

namespace vitrine::coupons {
class Allocations;
class GrantJobs;
}  // namespace vitrine::coupons

namespace vitrine::http {

void add_coupon_import_routes(Router& router, const Services& services);  // of another system
void add_points_routes(Router& router, const Services& services);
// `jobs` outlives the router.
void add_grant_job_routes(Router& router, const Services& services, coupons::GrantJobs& jobs);
// Likewise.
void add_allocation_routes(Router& router, const Services& services,
                           coupons::Allocations& allocations);

}  // namespace vitrine::http
