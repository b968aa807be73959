#include "server/app/services.h"

#include <cstring>
#include <future>
#include <system_error>

#include "base/crypto.h"
#include "base/status.h"
#include "server/coupons/allocations.h"
#include "server/coupons/coupon_decision_log.h"
#include "server/coupons/coupon_recommender.h"
#include "server/coupons/desk.h"
#include "server/coupons/grant_jobs.h"
#include "server/events/commit_scheduling.h"
#include "server/http/coupon_store.h"
#include "server/http/handlers/coupon_routes.h"
#include "server/http/json_writer.h"
#include "server/http/operations.h"
#include "server/http/wrong_codes.h"
#include "server/payoff/campaign_report.h"
#include "server/payoff/uplift_lessons.h"
#include "server/privacy/erasure_ledger.h"

namespace vitrine::app {
namespace {

std::uint64_t any_seed() {
  std::uint64_t seed = 0;
  const std::string bytes = secret_bytes(sizeof(seed));
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

template <class T>
absl::Status kept(absl::StatusOr<std::unique_ptr<T>> opened, std::unique_ptr<T>& place) {
  if (!opened.ok()) return opened.status();
  place = *std::move(opened);
  return absl::OkStatus();
}

// In words, as SegmentStore wants them.
std::vector<std::string> placements_asking_for(std::string_view segment,
                                               const recommend::PlacementBook& book) {
  std::vector<std::string> users;
  for (const recommend::Placement& placement : book.all()) {
    for (const recommend::NamedSegment& named : named_segments(placement)) {
      if (named.segment != segment) continue;
      users.push_back(fmt::format("placement {} ({})", placement.name, named.where));
    }
  }
  return users;
}

}  // namespace

Services::Services(const Config& config, const Clock& clock, Metrics& metrics, Log& log)
    : config_(config),
      layout_(config.data),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      models_(layout_.models) {}

Services::~Services() { stop(); }

absl::StatusOr<std::unique_ptr<Services>> Services::open(const Config& config, Access access,
                                                         const Clock& clock, Metrics& metrics,
                                                         Log& log, const Progress& progress) {
  VITRINE_ASSIGN_OR_RETURN(auto services, on_store(config, clock, metrics, log));
  // Beside the store: each takes seconds in a large shop.
  services->early_model_ =
      live_model::ModelWatcher::begin_early(services->models_, config.models.index);
  VITRINE_RETURN_IF_ERROR(
      privacy::refuse_unknown(*services->database_, services->layout_.erasures, clock.now_ms()));
  VITRINE_RETURN_IF_ERROR(services->open_state(progress));
  VITRINE_ASSIGN_OR_RETURN(services->audit_, http::AuditLog::open(services->layout_.audit, clock));
  VITRINE_RETURN_IF_ERROR(services->start_parts(access));
  return services;
}

absl::StatusOr<std::unique_ptr<Services>> Services::open_for_reading(const Config& config,
                                                                     const Clock& clock,
                                                                     Metrics& metrics, Log& log,
                                                                     const Progress& progress) {
  VITRINE_ASSIGN_OR_RETURN(auto services, on_store(config, clock, metrics, log));
  VITRINE_RETURN_IF_ERROR(services->open_state(progress));
  return services;
}

absl::StatusOr<std::unique_ptr<Services>> Services::on_store(const Config& config,
                                                             const Clock& clock, Metrics& metrics,
                                                             Log& log) {
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error) return unavailable("cannot make {}: {}", config.data, error.message());
  std::unique_ptr<Services> services(new Services(config, clock, metrics, log));
  if (std::filesystem::exists(services->layout_.restoring, error)) {
    return data_loss("{} holds a restore that was not finished: empty it and restore again",
                     config.data);
  }
  VITRINE_ASSIGN_OR_RETURN(services->database_,
                           store::Database::open(services->layout_.store, config.store));
  return services;
}

// What is on disk, brought into memory: nothing changes yet.
absl::Status Services::open_state(const Progress& progress) {
  event_log_ = events::make_local_event_log(*database_);
  // What takes long and waits for nobody is read on threads of its own.
  std::future<absl::Status> identities = std::async(std::launch::async, [this] {
    return kept(identity::IdentityBook::open(*database_), identities_);
  });
  std::future<absl::StatusOr<catalog::Catalog::Products>> products =
      std::async(std::launch::async, [this] { return catalog::Catalog::read(*database_); });
  // Before anything else asks for a product's number.
  checkpointed_numbers_.emplace(numbers_, *database_);
  VITRINE_RETURN_IF_ERROR(
      events::restore_checkpoint(*database_, event_log_->last_position(), *checkpointed_numbers_));
  std::future<absl::Status> catalog =
      std::async(std::launch::async, [this, &products] { return open_catalog(products.get()); });
  VITRINE_ASSIGN_OR_RETURN(quarantine_, events::Quarantine::open(*database_, config_.quarantine));
  VITRINE_ASSIGN_OR_RETURN(keys_, http::KeyBook::open(*database_));

  VITRINE_ASSIGN_OR_RETURN(placements_, http::PlacementStore::open(*database_));
  VITRINE_ASSIGN_OR_RETURN(segments_, segments::SegmentStore::open(*database_));
  VITRINE_ASSIGN_OR_RETURN(webhooks_,
                           webhooks::Webhooks::open(*database_, metrics_, config_.webhooks));
  VITRINE_ASSIGN_OR_RETURN(campaigns_, http::CouponStore::open(*database_));
  wrong_codes_ = std::make_unique<http::WrongCodes>();
  VITRINE_ASSIGN_OR_RETURN(decisions_,
                           decisions::DecisionLog::open(*database_, metrics_, config_.decisions));

  profiles_.emplace(numbers_, *database_, metrics_, config_.profiles);
  popularity_.emplace(numbers_, *database_);
  sessions_.emplace(numbers_, profiles::SessionBook::Options(),
                    events::read_checkpoint_of(profiles::SessionBook::k_name, *database_));
  results_.emplace(*decisions_);
  before_ack_ = {&*checkpointed_numbers_, &*profiles_, &*popularity_, &*sessions_, &*results_,
                 &changed_people_};
  checkpointer_.emplace(*database_, before_ack_, clock_, metrics_, log_, config_.checkpoints);
  VITRINE_RETURN_IF_ERROR(
      events::replay(*event_log_, *database_, before_ack_, progress, &*checkpointer_));
  VITRINE_RETURN_IF_ERROR(results_->catch_up());
  VITRINE_RETURN_IF_ERROR(identities.get());
  return catalog.get();
}

absl::Status Services::open_catalog(absl::StatusOr<catalog::Catalog::Products> products) {
  if (!products.ok()) return products.status();
  catalog_ = catalog::Catalog::of(*std::move(products), numbers_, config_.products);
  return absl::OkStatus();
}

// What moves: the model's watcher before the writer, because it listens to the catalog's changes.
absl::Status Services::start_parts(Access access) {
  watcher_.emplace(models_, *catalog_, metrics_, log_, config_.models, std::move(early_model_));
  decisions_->on_written([this](const decisions::Decision& made) { results_->served(made); });
  committer_.emplace(*database_, before_ack_, clock_, metrics_, log_, config_.committer,
                     &*checkpointer_);
  retention_.emplace(*database_, *committer_, clock_, metrics_, log_, config_.retention);
  collector_.emplace(*database_, *committer_, *identities_, *quarantine_, clock_, metrics_,
                     config_.collector);
  VITRINE_ASSIGN_OR_RETURN(idempotency_, http::Idempotency::open(*database_, *committer_, clock_,
                                                                 metrics_, config_.idempotency));
  VITRINE_ASSIGN_OR_RETURN(coupon_decisions_, coupons::CouponDecisionLog::open(
                                                  *database_, metrics_, config_.coupon_decisions));
  VITRINE_ASSIGN_OR_RETURN(coupons_, coupons::Desk::open({.database = *database_,
                                                          .committer = *committer_,
                                                          .identities = *identities_,
                                                          .catalog = *catalog_,
                                                          .offers = campaigns_->book(),
                                                          .clock = clock_,
                                                          .metrics = metrics_,
                                                          .decisions = &*coupon_decisions_,
                                                          .rules = config_.coupon_rules}));
  VITRINE_ASSIGN_OR_RETURN(grant_jobs_, coupons::GrantJobs::open({.database = *database_,
                                                                  .committer = *committer_,
                                                                  .identities = *identities_,
                                                                  .desk = *coupons_,
                                                                  .metrics = metrics_,
                                                                  .log = log_}));
  campaign_reports_ = std::make_unique<payoff::CampaignReporter>(
      payoff::CampaignReporter::Parts{.database = *database_,
                                      .profiles = *profiles_,
                                      .identities = *identities_,
                                      .catalog = *catalog_,
                                      .desk = *coupons_,
                                      .decisions = *coupon_decisions_,
                                      .clock = clock_});
  start_privacy();
  segment_engine_.emplace(segments::SegmentEngine::Parts{
      .store = *segments_,
      .changed = changed_people_,
      .profiles = *profiles_,
      .identities = *identities_,
      .catalog = *catalog_,
      .clock = clock_,
      .metrics = metrics_,
      .log = log_,
      .levels = std::make_shared<const segments::LevelRules>(config_.levels)});
  const recommend::Recommender::Parts people{.identities = *identities_,
                                             .profiles = *profiles_,
                                             .popularity = *popularity_,
                                             .sessions = *sessions_,
                                             .catalog = *catalog_,
                                             .live_model = *watcher_,
                                             .clock = clock_,
                                             .metrics = metrics_,
                                             .surroundings = &*segment_engine_,
                                             .chance_seed = any_seed(),
                                             .deadline_ms = config_.recommend_deadline_ms};
  recommender_.emplace(people, *placements_->current());
  coupon_recommender_ = std::make_unique<coupons::CouponRecommender>(
      coupons::CouponRecommender::Parts{.people = people,
                                        .desk = *coupons_,
                                        .decisions = *coupon_decisions_,
                                        .committer = *committer_,
                                        .log = log_},
      coupons::CouponRecommender::Options());
  coupon_recommender_->start();
  uplift_lessons_ = std::make_unique<payoff::UpliftLessons>(payoff::UpliftLessons::Parts{
      .reports = *campaign_reports_, .profiles = *profiles_, .desk = *coupons_});
  allocator_ = std::make_unique<coupons::Allocator>(
      coupons::Allocator::Parts{.people = people,
                                .recommender = *coupon_recommender_,
                                .desk = *coupons_,
                                .segments = *segment_engine_,
                                .uplift = &*uplift_lessons_});
  allocations_ = std::make_unique<coupons::Allocations>(coupons::Allocations::Parts{
      .allocator = *allocator_, .jobs = *grant_jobs_, .clock = clock_, .log = log_});
  placements_->on_change([this](const recommend::PlacementBook& book) { recommender_->use(book); });
  prepared_ = std::async(std::launch::async, [this] {
    events::stay_in_the_background();
    recommender_->prepare();
  });

  segments_->on_change([this](const std::vector<UserNumber>& by_hand) {
    for (const UserNumber user : by_hand) changed_people_.note(user, clock_.now_ms());
    segment_engine_->wake();
  });
  audiences_.emplace(audiences::Audiences::Parts{.profiles = *profiles_,
                                                 .identities = *identities_,
                                                 .catalog = *catalog_,
                                                 .live_model = *watcher_,
                                                 .segments = *segments_,
                                                 .engine = *segment_engine_,
                                                 .clock = clock_});
  webhooks_->connect({.segments = *segments_,
                      .engine = *segment_engine_,
                      .identities = *identities_,
                      .committer = *committer_,
                      .clock = clock_,
                      .log = log_});
  segments_->add_users(
      [this](std::string_view key) { return placements_asking_for(key, *placements_->current()); });
  segment_engine_->start();

  router_.emplace(access == Access::everybody ? http::AccessPolicy::open()
                                              : http::AccessPolicy::with_keys(*keys_),
                  metrics_, log_);
  router_->keep_audit(*audit_);
  router_->keep_answers(*idempotency_);
  router_->limit_keyless({.per_second = config_.keyless_requests_per_second,
                          .burst = 2 * config_.keyless_requests_per_second});
  log_requests(config_.access_log_every);
  backups_.emplace(Backups::Parts{.data = config_.data,
                                  .database = *database_,
                                  .models = models_,
                                  .committer = *committer_,
                                  .clock = clock_,
                                  .metrics = metrics_,
                                  .log = log_});
  workers_.emplace(config_.workers, metrics_, log_);
  admission_.emplace(config_.recommend_deadline_ms, metrics_);
  handled_.emplace(
      http::Services{.collector = *collector_,
                     .tracking = tracking_options(),
                     .catalog = *catalog_,
                     .committer = *committer_,
                     .quarantine = *quarantine_,
                     .identities = *identities_,
                     .database = *database_,
                     .erasures = *erasures_,
                     .consents = *consents_,
                     .profiles = *profiles_,
                     .recommender = *recommender_,
                     .placements = *placements_,
                     .segments = *segments_,
                     .segment_engine = *segment_engine_,
                     .audiences = *audiences_,
                     .webhooks = *webhooks_,
                     .campaigns = *campaigns_,
                     .coupons = *coupons_,
                     .coupon_recommender = *coupon_recommender_,
                     .campaign_reports = *campaign_reports_,
                     .wrong_codes = *wrong_codes_,
                     .decisions = *decisions_,
                     .results = *results_,
                     .models = models_,
                     .watcher = *watcher_,
                     .keys = *keys_,
                     .workers = *workers_,
                     .admission = *admission_,
                     .clock = clock_,
                     .limits = config_.http,
                     .stats_json = [this] { return stats_json(); },
                     .back_up = [this](const std::string& folder) { return back_up(folder); }});
  http::add_operations_routes(
      *router_, [this] { return shortcomings(); }, metrics_, [this] { show_memory(); });
  http::add_api_routes(*router_, *handled_);
  http::add_grant_job_routes(*router_, *handled_, *grant_jobs_);
  http::add_allocation_routes(*router_, *handled_, *allocations_);
  return absl::OkStatus();
}

std::vector<http::Shortcoming> Services::shortcomings() const {
  std::vector<http::Shortcoming> all;
  if (is_stopping_.load()) all.push_back({"stopping", "the server is stopping", true});
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(config_.data, error);
  if (!error && space.available < config_.store.min_free_bytes) {
    all.push_back({"disk_full", fmt::format("{} bytes are free where the data is, writes need {}",
                                            space.available, config_.store.min_free_bytes)});
  }
  if (committer_->is_half_full()) {
    all.push_back({"writes_wait", "more than half of the queue of writes waits for the disk"});
  }
  if (watcher_->current()->version().empty()) {
    all.push_back({"no_model", "no trained model is live: answers rest on what is popular"});
  }
  return all;
}

// Everybody who keeps something about people. Identity first: from then on nobody is found by an
// id.
void Services::start_privacy() {
  profile_records_.emplace(*profiles_, numbers_);
  log_records_.emplace(*database_, profiles::session_key_of);
  rejected_files_.emplace(layout_.rejected);
  segment_records_.emplace(*segments_);
  consents_.emplace(*database_);
  erasures_.emplace(privacy::Erasures::Parts{
      .database = *database_,
      .committer = *committer_,
      .checkpointer = *checkpointer_,
      .identities = *identities_,
      .owners = {&*identities_, &*profile_records_, &*log_records_, &collector_->orders(),
                 &*decisions_, &*quarantine_, &*rejected_files_, &*segment_records_,
                 &webhooks_->records(), &*idempotency_, &*consents_, &*coupons_,
                 &*coupon_decisions_},
      .ledger = layout_.erasures,
      .clock = clock_,
      .metrics = metrics_,
      .log = log_});
}

collect::TrackingOptions Services::tracking_options() const {
  collect::TrackingOptions options = config_.tracking;
  options.events_max = config_.collector.batch_events_max;
  return options;
}

ServiceFacts Services::facts() const {
  return {.products = catalog_->current()->size(),
          .users = identities_->user_count(),
          .visitors = identities_->visitor_count(),
          .entries = committer_->visible(),
          .model_version = watcher_->current()->version()};
}

std::string Services::stats_json() const {
  const ServiceFacts now = facts();
  std::string json;
  http::JsonWriter writer(json);
  writer.begin_object()
      .field("log_entries", now.entries)
      .field("users", now.users)
      .field("visitors", now.visitors)
      .field("products", now.products)
      .field("quarantined", quarantine_->size())
      .field("disk_bytes", database_->bytes_on_disk());
  writer.key("model_version");
  now.model_version.empty() ? writer.null() : writer.value(now.model_version);
  writer.end_object();
  return json;
}

void Services::show_memory() {
  const store::MemoryUse use = database_->memory_use();
  const auto show = [&](const char* part, std::uint64_t bytes) {
    metrics_
        .gauge("vitrine_store_memory_bytes", "Memory of the store, by what it is for",
               {{"part", part}})
        .set(static_cast<double>(bytes));
  };
  show("block_cache", use.block_cache);
  show("write_buffers", use.write_buffers);
  show("open_files", use.open_files);
}

absl::StatusOr<std::string> Services::back_up(const std::string& folder) {
  VITRINE_ASSIGN_OR_RETURN(const BackupManifest made, backups_->make(folder));
  std::string json;
  http::JsonWriter(json)
      .begin_object()
      .field("folder", folder)
      .field("made_at", format_time(made.made_ms))
      .field("log_entries", made.entries)
      .field("files", made.files.size())
      .field("bytes", made.bytes())
      .end_object();
  return json;
}

void Services::start_grant_jobs() { grant_jobs_->start(); }

void Services::stop() {
  begin_stopping();
  if (erasures_) erasures_->begin_stopping();
  if (allocations_) allocations_->stop();
  if (workers_) workers_->stop();
  if (!committer_) return;
  if (audiences_) audiences_->stop();
  if (coupon_recommender_) coupon_recommender_->stop();
  if (segment_engine_) segment_engine_->stop();
  webhooks_->stop();
  if (grant_jobs_) grant_jobs_->stop();
  retention_->stop();
  erasures_->stop();
  committer_->stop();
  // Told and counted where it fails; the next start replays more then.
  checkpointer_->finish(committer_->visible()).IgnoreError();
}

}  // namespace vitrine::app
