// Every setting of the server: one field each, with its default, unit and limits.
//
// Flags and the configuration file set the same fields; unknown keys are errors, and everything is
// checked before anything starts. Each part receives its own section. A value; not thread-safe
// while it is being filled.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "model/product.h"
#include "server/collect/collector.h"
#include "server/collect/tracking.h"
#include "server/coupons/assignment.h"
#include "server/coupons/coupon_decision_log.h"
#include "server/decisions/decision_log.h"
#include "server/events/checkpointer.h"
#include "server/events/committer.h"
#include "server/events/quarantine.h"
#include "server/events/retention.h"
#include "server/http/idempotency.h"
#include "server/http/limits.h"
#include "server/http/workers.h"
#include "server/live_model/model_watcher.h"
#include "server/profiles/profile_book.h"
#include "server/segments/levels.h"
#include "server/store/database.h"
#include "server/webhooks/webhooks.h"

namespace CLI {
class App;
}

namespace vitrine::app {

struct Config {
  // The folder with everything the server keeps; made when it is new. No default.
  std::string data;

  // What goes to standard error: debug, info, warning, error or off. Default: info for serve.
  Log::Level log_level = Log::Level::info;
  // How its lines are written.
  Log::Format log_format = Log::Format::text;
  // One of so many requests is logged; 0: none. [0, 1,000,000]
  std::uint32_t access_log_every = 0;
  // Requests without a valid key that one address may make a second, and twice as many at once; not
  // of loopback addresses, nor /healthz and /readyz. [1, 1,000,000]
  std::uint32_t keyless_requests_per_second = 1000;
  // How long, how many and how large answers are kept for writes with an Idempotency-Key.
  http::Idempotency::Options idempotency;

  // Bytes of cache and buffers, and the disk space below which writes are refused.
  // What the log of the store holds is read at every start: some 100,000 events in this much.
  store::Database::Options store{.max_total_wal_bytes = std::uint64_t{32} << 20};
  // Commands that may wait for the writer before one more is refused, and how much one sync takes.
  events::Committer::Options committer;
  // How much a restart may have to replay, and what memory may be held until it is written.
  events::Checkpointer::Options checkpoints;
  // How many bytes of memory the profiles of people may take.
  profiles::ProfileBook::Options profiles;
  // How long answers are kept as decisions, and how many.
  decisions::DecisionLog::Options decisions;
  // The same for who was to get which coupon.
  coupons::CouponDecisionLog::Options coupon_decisions;
  // Who is kept from all campaigns, and how many new coupons a person gets in a week.
  coupons::DecisionRules coupon_rules;
  // How long event ids are recognised and the log's entries are kept, by class.
  events::Retention::Options retention;
  // Refused events that are kept with their reason.
  events::Quarantine::Options quarantine;
  // What one call may bring, and how far an event's time may be off.
  collect::Collector::Options collector;
  // The currency of tracked amounts that name none, and how large a tracked message may be.
  collect::TrackingOptions tracking;
  // How other systems are told, and how often it is tried.
  webhooks::Webhooks::Options webhooks;
  // What a product may be.
  ProductLimits products;
  // How often a newly promoted model is looked for, and how its products are searched.
  live_model::ModelWatcher::Options models;
  // What those who spend much are called, and for how many days they keep that. [0, 365]
  segments::LevelRules levels;
  // Milliseconds after which a recommendation is answered with what is there.
  TimeMs recommend_deadline_ms = 100;
  // Sizes and times that a client is held to.
  http::Limits http;
  // Threads for answers that take long, and how many may wait for one.
  http::Workers::Options workers;
};

// Names, help and limits of the settings above, but for `data`.
void add_settings(CLI::App& app, Config& config);

// Where the parts of a data directory are.
struct DataLayout {
  explicit DataLayout(const std::filesystem::path& data)
      : store(data / "store"),
        models(data / "models"),
        rejected(data / "rejected"),
        restoring(data / "restore.work"),
        audit(data / "audit.ndjson"),
        erasures(data / "erasures.ndjson"),
        control_socket(data / "control.sock") {}
  std::filesystem::path store;           // the database
  std::filesystem::path models;          // one folder a model version
  std::filesystem::path rejected;        // lines that imports refused
  std::filesystem::path restoring;       // while a backup is being restored
  std::filesystem::path audit;           // who administrated what
  std::filesystem::path erasures;        // hashes of the ids of people who were erased
  std::filesystem::path control_socket;  // while a server holds the directory
};

}  // namespace vitrine::app
