// Every route of the API, by what it is about. One file each; the list in add_api_routes is the
// whole API beside the operations.
//
// Handlers run on the loops' threads; writes are answered from the committer thread once they are
// durable.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "base/clock.h"
#include "model/model_registry.h"
#include "server/audiences/audiences.h"
#include "server/catalog/catalog.h"
#include "server/collect/collector.h"
#include "server/collect/tracking.h"
#include "server/decisions/decision_log.h"
#include "server/decisions/results_book.h"
#include "server/events/committer.h"
#include "server/events/quarantine.h"
#include "server/http/admission.h"
#include "server/http/key_book.h"
#include "server/http/limits.h"
#include "server/http/placement_store.h"
#include "server/http/router.h"
#include "server/http/workers.h"
#include "server/identity/identity_book.h"
#include "server/live_model/model_watcher.h"
#include "server/privacy/consents.h"
#include "server/privacy/erasures.h"
#include "server/profiles/profile_book.h"
#include "server/recommend/recommender.h"
#include "server/segments/segment_engine.h"
#include "server/segments/segment_store.h"
#include "server/webhooks/webhooks.h"

namespace vitrine::coupons {
class CouponRecommender;
class Desk;
}  // namespace vitrine::coupons

namespace vitrine::payoff {
class CampaignReporter;
}

namespace vitrine::http {

class CouponStore;
class WrongCodes;

// What the handlers stand on; all outlives the router.
struct Services {
  collect::Collector& collector;
  collect::TrackingOptions tracking;
  catalog::Catalog& catalog;
  events::Committer& committer;
  const events::Quarantine& quarantine;
  identity::IdentityBook& identities;
  const store::Database& database;  // where many people are read in one go
  privacy::Erasures& erasures;
  const privacy::Consents& consents;
  const profiles::ProfileBook& profiles;
  const recommend::Recommender& recommender;
  PlacementStore& placements;
  segments::SegmentStore& segments;
  segments::SegmentEngine& segment_engine;
  audiences::Audiences& audiences;
  webhooks::Webhooks& webhooks;
  CouponStore& campaigns;
  coupons::Desk& coupons;
  const coupons::CouponRecommender& coupon_recommender;
  const payoff::CampaignReporter& campaign_reports;
  WrongCodes& wrong_codes;
  decisions::DecisionLog& decisions;
  const decisions::ResultsBook& results;
  ModelRegistry& models;
  live_model::ModelWatcher& watcher;
  KeyBook& keys;
  Workers& workers;  // for answers a loop must not make itself
  Admission& admission;
  const Clock& clock;
  Limits limits;
  // A JSON object of counts, of what is in memory: called on a loop's thread.
  std::function<absl::StatusOr<std::string>()> stats_json;
  // Copies everything into a new folder, which may take long; a JSON object of what it holds.
  std::function<absl::StatusOr<std::string>(const std::string& folder)> back_up;
};

void add_api_routes(Router& router, const Services& services);

// What the person said, with what follows from it for answers. Under the user id, known or not.
absl::Status stage_consent(const Services& services, events::Batch& batch,
                           const std::string& user_id, const privacy::Consent& consent);

void add_event_routes(Router& router, const Services& services);
void add_tracking_routes(Router& router, const Services& services);  // Segment's, GA4's
void add_tracking_settings_routes(Router& router);
void add_recommendation_routes(Router& router, const Services& services);
void add_placement_routes(Router& router, const Services& services);
void add_segment_routes(Router& router, const Services& services);
void add_audience_routes(Router& router, const Services& services);
void add_webhook_routes(Router& router, const Services& services);
void add_campaign_routes(Router& router, const Services& services);
void add_campaign_report_routes(Router& router, const Services& services);
void add_coupon_routes(Router& router, const Services& services);
void add_coupon_recommendation_routes(Router& router, const Services& services);
void add_redemption_routes(Router& router, const Services& services);
void add_analytics_routes(Router& router, const Services& services);
void add_expression_routes(Router& router, const Services& services);
void add_product_routes(Router& router, const Services& services);
void add_user_routes(Router& router, const Services& services);
void add_privacy_routes(Router& router, const Services& services);
void add_consent_routes(Router& router, const Services& services);
void add_model_routes(Router& router, const Services& services);
void add_key_routes(Router& router, const Services& services);
void add_quarantine_routes(Router& router, const Services& services);
void add_admin_routes(Router& router, const Services& services);  // stats
void add_backup_routes(Router& router, const Services& services);

}  // namespace vitrine::http
