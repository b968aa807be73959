// The composition: every part of the server, built in one visible order.
//
// open() brings a data folder to the point where requests can be answered: store, snapshots,
// replay, the writer, the model, the routes. Thread-safe as its router is; built and ended on one
// thread.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "model/model_registry.h"
#include "server/app/backup/backup.h"
#include "server/app/config.h"
#include "server/app/import/rejected_files.h"
#include "server/audiences/audiences.h"
#include "server/catalog/catalog.h"
#include "server/collect/collector.h"
#include "server/decisions/decision_log.h"
#include "server/decisions/results_book.h"
#include "server/events/checkpointer.h"
#include "server/events/committer.h"
#include "server/events/event_log.h"
#include "server/events/log_records.h"
#include "server/events/quarantine.h"
#include "server/events/retention.h"
#include "server/http/admission.h"
#include "server/http/handlers/routes.h"
#include "server/http/idempotency.h"
#include "server/http/key_book.h"
#include "server/http/operations.h"
#include "server/http/placement_store.h"
#include "server/http/router.h"
#include "server/http/workers.h"
#include "server/identity/identity_book.h"
#include "server/live_model/model_watcher.h"
#include "server/privacy/erasures.h"
#include "server/profiles/popularity_book.h"
#include "server/profiles/profile_book.h"
#include "server/profiles/profile_records.h"
#include "server/profiles/session_book.h"
#include "server/recommend/recommender.h"
#include "server/segments/changed_people.h"
#include "server/segments/segment_engine.h"
#include "server/segments/segment_records.h"
#include "server/segments/segment_store.h"
#include "server/store/database.h"
#include "server/webhooks/webhooks.h"

namespace vitrine::coupons {
class Allocations;
class Allocator;
class CouponDecisionLog;
class CouponRecommender;
class Desk;
class GrantJobs;
}  // namespace vitrine::coupons

namespace vitrine::payoff {
class CampaignReporter;
class UpliftLessons;
}  // namespace vitrine::payoff

namespace vitrine::http {
class CouponStore;
class WrongCodes;
}  // namespace vitrine::http

namespace vitrine::app {

enum class Access {
  by_key,     // API keys with scopes
  everybody,  // serve --open, and commands in this process
};

// What there is, for the line that says the server is ready.
struct ServiceFacts {
  std::size_t products = 0;
  std::size_t users = 0;
  std::size_t visitors = 0;
  Position entries = 0;
  std::string model_version;  // empty: none
};

class Services {
 public:
  using Progress = std::function<void(Position done, Position last)>;

  // `clock`, `metrics` and `log` must outlive the services. `progress` is told how far the replay
  // is; may be empty.
  // Errors   FailedPrecondition: another process holds the folder, or its format is newer;
  //          DataLoss: it cannot be read; Unavailable: it cannot be made
  static absl::StatusOr<std::unique_ptr<Services>> open(const Config& config, Access access,
                                                        const Clock& clock, Metrics& metrics,
                                                        Log& log, const Progress& progress);
  // The state alone, brought to the end of the log: no writer, no model, no routes. For looking at
  // a folder that nobody serves.
  static absl::StatusOr<std::unique_ptr<Services>> open_for_reading(const Config& config,
                                                                    const Clock& clock,
                                                                    Metrics& metrics, Log& log,
                                                                    const Progress& progress);
  ~Services();  // stop()
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  const http::Router& router() const { return *router_; }
  // From now on one of `every` requests is logged; 0: none.
  void log_requests(std::uint32_t every) { router_->access_log().keep_every(every); }
  store::Database& database() const { return *database_; }
  const events::EventLog& event_log() const { return *event_log_; }
  // The state that follows the log.
  std::span<events::Projection* const> projections() const { return before_ack_; }
  ServiceFacts facts() const;

  // From here on webhooks are sent. A command that only borrows the folder does not: the next
  // server finds what is to be told.
  void start_webhooks() { webhooks_->start(); }
  // From here on coupons are given by jobs, also by those that an earlier server began.
  void start_grant_jobs();

  // From here on /readyz answers 503; requests are still carried out.
  void begin_stopping() { is_stopping_.store(true); }
  // Finishes what is queued and makes it durable. No request may come any more.
  void stop();

 private:
  Services(const Config& config, const Clock& clock, Metrics& metrics, Log& log);
  // The store open, nothing of it read.
  static absl::StatusOr<std::unique_ptr<Services>> on_store(const Config& config,
                                                            const Clock& clock, Metrics& metrics,
                                                            Log& log);
  absl::Status open_state(const Progress& progress);
  absl::Status open_catalog(absl::StatusOr<catalog::Catalog::Products> products);
  absl::Status start_parts(Access access);
  void start_privacy();
  std::vector<http::Shortcoming> shortcomings() const;
  collect::TrackingOptions tracking_options() const;
  std::string stats_json() const;
  void show_memory();  // in the metrics
  absl::StatusOr<std::string> back_up(const std::string& folder);

  const Config config_;
  const DataLayout layout_;
  const Clock& clock_;
  Metrics& metrics_;
  Log& log_;
  std::atomic<bool> is_stopping_{false};

  // In the order in which they are built; they end in the opposite one.
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<events::EventLog> event_log_;
  catalog::ProductNumbers numbers_;
  std::optional<catalog::CheckpointedNumbers> checkpointed_numbers_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<events::Quarantine> quarantine_;
  std::unique_ptr<http::KeyBook> keys_;
  std::optional<profiles::ProfileBook> profiles_;
  std::optional<profiles::PopularityBook> popularity_;
  std::optional<profiles::SessionBook> sessions_;
  std::unique_ptr<http::PlacementStore> placements_;
  std::unique_ptr<segments::SegmentStore> segments_;
  std::unique_ptr<http::CouponStore> campaigns_;
  std::unique_ptr<http::WrongCodes> wrong_codes_;
  segments::ChangedPeople changed_people_;
  std::unique_ptr<webhooks::Webhooks> webhooks_;
  std::unique_ptr<decisions::DecisionLog> decisions_;
  std::optional<decisions::ResultsBook> results_;
  std::vector<events::Projection*> before_ack_;  // what the next answer must know
  std::optional<events::Checkpointer> checkpointer_;
  ModelRegistry models_;
  live_model::ModelWatcher::Early early_model_;  // until the watcher takes it
  std::optional<live_model::ModelWatcher> watcher_;
  std::optional<events::Committer> committer_;
  std::unique_ptr<coupons::CouponDecisionLog> coupon_decisions_;
  std::unique_ptr<coupons::Desk> coupons_;
  std::unique_ptr<coupons::GrantJobs> grant_jobs_;
  std::unique_ptr<payoff::CampaignReporter> campaign_reports_;
  std::optional<events::Retention> retention_;
  std::optional<collect::Collector> collector_;
  std::optional<profiles::ProfileRecords> profile_records_;
  std::optional<events::LogRecords> log_records_;
  std::optional<RejectedFiles> rejected_files_;
  std::optional<segments::SegmentRecords> segment_records_;
  std::unique_ptr<http::Idempotency> idempotency_;
  std::optional<privacy::Consents> consents_;
  std::optional<privacy::Erasures> erasures_;
  std::optional<recommend::Recommender> recommender_;
  std::future<void> prepared_;  // what filters are asked of; waited for before the recommender goes
  std::unique_ptr<coupons::CouponRecommender> coupon_recommender_;
  std::optional<segments::SegmentEngine> segment_engine_;
  std::unique_ptr<payoff::UpliftLessons> uplift_lessons_;
  std::unique_ptr<coupons::Allocator> allocator_;
  std::unique_ptr<coupons::Allocations> allocations_;
  std::optional<audiences::Audiences> audiences_;
  std::optional<Backups> backups_;
  std::optional<http::Workers> workers_;
  std::optional<http::Admission> admission_;
  std::optional<http::Services> handled_;  // what the routes stand on
  std::unique_ptr<http::AuditLog> audit_;
  std::optional<http::Router> router_;
};

}  // namespace vitrine::app
