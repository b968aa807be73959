#include "server/http/handlers/routes.h"

#include "server/http/handlers/coupon_routes.h"

namespace vitrine::http {

void add_api_routes(Router& router, const Services& services) {
  add_event_routes(router, services);
  add_tracking_routes(router, services);
  add_recommendation_routes(router, services);
  add_placement_routes(router, services);
  add_segment_routes(router, services);
  add_audience_routes(router, services);
  add_webhook_routes(router, services);
  add_campaign_routes(router, services);
  add_campaign_report_routes(router, services);
  add_coupon_routes(router, services);
  add_coupon_recommendation_routes(router, services);
  add_redemption_routes(router, services);
  add_points_routes(router, services);
  add_coupon_import_routes(router, services);
  add_analytics_routes(router, services);
  add_expression_routes(router, services);
  add_product_routes(router, services);
  add_user_routes(router, services);
  add_privacy_routes(router, services);
  add_consent_routes(router, services);
  add_model_routes(router, services);
  add_key_routes(router, services);
  add_quarantine_routes(router, services);
  add_admin_routes(router, services);
  add_backup_routes(router, services);
}

}  // namespace vitrine::http
