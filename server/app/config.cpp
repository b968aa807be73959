#include "server/app/config.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>

namespace vitrine::app {
namespace {

constexpr std::size_t k_mib = std::size_t{1} << 20;

const std::map<std::string, Log::Level> k_levels{{"debug", Log::Level::debug},
                                                 {"info", Log::Level::info},
                                                 {"warning", Log::Level::warning},
                                                 {"error", Log::Level::error},
                                                 {"off", Log::Level::off}};

// A number of bytes, also as "64MiB".
template <class Number>
void add_size(CLI::App& app, const std::string& name, Number& bytes, std::size_t low,
              std::size_t high, const std::string& help) {
  app.add_option(name, bytes, help)
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(static_cast<double>(low), static_cast<double>(high)))
      ->type_name("BYTES")
      ->capture_default_str()
      ->group("Settings");
}

template <class Number>
void add_count(CLI::App& app, const std::string& name, Number& count, std::int64_t low,
               std::int64_t high, const std::string& help) {
  app.add_option(name, count, help)
      ->check(CLI::Range(low, high))
      ->capture_default_str()
      ->group("Settings");
}

void add_timeout(CLI::App& app, const std::string& name, std::chrono::milliseconds& field,
                 std::int64_t low_ms, std::int64_t high_ms, const std::string& help) {
  app.add_option_function<std::int64_t>(
         name, [&field](std::int64_t ms) { field = std::chrono::milliseconds(ms); }, help)
      ->check(CLI::Range(low_ms, high_ms))
      ->default_str(std::to_string(field.count()))
      ->type_name("MS")
      ->group("Settings");
}

void add_days(CLI::App& app, const std::string& name, TimeMs& field, std::int64_t low_days,
              std::int64_t high_days, const std::string& help) {
  app.add_option_function<std::int64_t>(
         name, [&field](std::int64_t days) { field = days * k_day_ms; }, help)
      ->check(CLI::Range(low_days, high_days))
      ->default_str(std::to_string(field / k_day_ms))
      ->type_name("DAYS")
      ->group("Settings");
}

}  // namespace

void add_settings(CLI::App& app, Config& config) {
  app.add_option("--log-level", config.log_level, "What goes to standard error")
      ->transform(CLI::CheckedTransformer(k_levels))
      ->default_str("info")
      ->type_name("LEVEL")
      ->group("Settings");

  app.add_option("--log-format", config.log_format, "How its lines are written: text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Log::Format>{
          {"text", Log::Format::text}, {"json", Log::Format::json}}))
      ->default_str("text")
      ->type_name("FORMAT")
      ->group("Settings");
  add_count(app, "--access-log-every", config.access_log_every, 0, 1'000'000,
            "One of so many requests is logged; 0: none");
  add_count(app, "--keyless-requests-per-second", config.keyless_requests_per_second, 1, 1'000'000,
            "Requests without a valid key that one address may make");
  add_count(app, "--idempotent-answers", config.idempotency.answers_max, 0, 10'000'000,
            "Answers kept for writes with an Idempotency-Key; the oldest go first");
  add_size(app, "--store-cache", config.store.block_cache_bytes, 8 * k_mib, k_mib * k_mib,
           "Cache of the store, e.g. 256MiB");
  add_size(app, "--store-write-buffer", config.store.write_buffer_bytes, k_mib, 4096 * k_mib,
           "Newest writes kept in memory, a family");
  add_size(app, "--store-write-buffers", config.store.write_buffers_bytes, k_mib, 65536 * k_mib,
           "The same of all families together, about");
  add_size(app, "--store-background-rate", config.store.background_bytes_per_second, k_mib,
           k_mib * k_mib, "What files in the background are written with at most, a second");
  add_size(app, "--store-min-free", config.store.min_free_bytes, k_mib, k_mib * k_mib,
           "Free disk space below which writes are refused");

  add_count(app, "--queue-commands", config.committer.queue_max, 16, 1'000'000,
            "Writes that may wait for the disk; one more is answered 429");
  add_size(app, "--profile-cache", config.profiles.cache_bytes, k_mib, k_mib * k_mib,
           "Memory of people's profiles; what does not fit is read from the store");
  app.add_option_function<std::string>(
         "--levels",
         [&config](const std::string& text) {
           config.levels.levels = *segments::parse_levels(text);
         },
         "Levels by the net spend of twelve months, ascending, e.g. silver:200,gold:1000")
      ->check([](const std::string& text) {
        const auto levels = segments::parse_levels(text);
        return levels.ok() ? "" : std::string(levels.status().message());
      })
      ->type_name("NAME:SPEND,...")
      ->group("Settings");
  add_count(app, "--level-grace-days", config.levels.grace_days, 0,
            segments::LevelRules::k_grace_days_max,
            "Days for which a level is kept when the spend has fallen below it");
  add_count(app, "--checkpoint-entries", config.checkpoints.entries, 1000, 1'000'000'000,
            "Entries of the log after which a checkpoint is written: what a restart replays");
  add_count(app, "--checkpoint-ms", config.checkpoints.interval_ms, 100, k_day_ms,
            "Milliseconds after which a checkpoint is written when there are new entries");
  add_count(app, "--batch-events", config.collector.batch_events_max, 1, 5000,
            "Events one call may bring");
  app.add_option("--currency", config.tracking.currency,
                 "Of tracked amounts that name none, e.g. EUR; without it they have none")
      ->check([](const std::string& text) {
        return is_currency(text) ? "" : "must be three capital letters (ISO 4217), got " + text;
      })
      ->type_name("ISO4217")
      ->group("Settings");
  add_size(app, "--max-message", config.tracking.message_bytes_max, 1024, k_mib,
           "Largest message of the tracking API; beyond, it is refused alone");
  add_count(app, "--message-products", config.tracking.products_max, 1, 5000,
            "Products one message of the tracking API may name");
  add_count(app, "--quarantine-events", config.quarantine.events_max, 0, 100'000'000,
            "Refused events kept with their reason; the oldest go first");
  add_count(app, "--event-id-days", config.retention.key_days, 1, 36'500,
            "Days for which an event sent again is recognised; of imports, for ever");
  add_count(app, "--behaviour-days", config.retention.behaviour_days, 1, 36'500,
            "Days for which views, clicks and other behaviour stay in the log");
  add_count(app, "--order-days", config.retention.order_days, 1, 36'500,
            "Days for which purchases, refunds and cancellations stay in the log");
  add_count(app, "--retention-ms", config.retention.interval_ms, 1, k_day_ms,
            "Milliseconds between two looks for what is past its time");
  add_size(app, "--quarantine-bytes", config.quarantine.bytes_max, k_mib, 1024 * 1024 * k_mib,
           "Bytes of refused events kept");
  add_days(app, "--quarantine-days", config.quarantine.age_ms_max, 1, 3650,
           "Days for which refused events are kept");
  add_count(app, "--quarantine-share", config.quarantine.code_share_percent, 1, 100,
            "Percent of the refused events kept that one reason may take");
  add_count(app, "--bot-events", config.collector.bursts.events_max, 1, 1'000'000,
            "Deeds of one person in a minute, past which it is taken for a program");
  add_count(app, "--decision-days", config.decisions.days_kept, 1, 400,
            "Days for which what was shown to whom is kept");
  add_count(app, "--decisions", config.decisions.decisions_max, 0, 10'000'000'000,
            "Answers kept at most; the oldest go first");
  add_count(app, "--coupon-decision-days", config.coupon_decisions.days_kept, 1, 3650,
            "Days for which it is kept who was to get which coupon");
  add_count(app, "--coupon-decisions", config.coupon_decisions.decisions_max, 0, 10'000'000'000,
            "Decisions about coupons kept at most; the oldest go first");
  add_count(app, "--coupon-control-percent", config.coupon_rules.control_percent, 0,
            coupons::DecisionRules::k_control_percent_max,
            "Percent of all people that are kept from every campaign, to compare with");
  add_count(app, "--new-coupons-per-week", config.coupon_rules.new_per_week, 1,
            coupons::DecisionRules::k_new_per_week_max,
            "New coupons of a person in seven days after which the shop grants no more");
  add_count(app, "--model-poll-ms", config.models.poll_ms, 10, k_hour_ms,
            "Milliseconds between two looks for a newly promoted model");
  add_count(app, "--large-shop-values", config.models.index.large_values, 1, 1'000'000'000'000,
            "Products times dimensions above which answers share scans on threads of their own");
  add_count(app, "--graph-above-products", config.models.index.graph_above_products, 1,
            1'000'000'000, "Products above which a graph is walked in place of a scan");
  app.add_option("--index-recall-min", config.models.index.recall_min,
                 "Part of the true nearest products an index must find for its model to serve")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->capture_default_str()
      ->group("Settings");

  app.add_flag("--webhook-allow-private", config.webhooks.client.allow_private,
               "Webhooks may call addresses of own networks, and plain HTTP")
      ->group("Settings");
  app.add_option("--webhook-ca", config.webhooks.client.ca_file,
                 "PEM file of authorities whose certificates webhooks trust, in place of the "
                 "system's")
      ->type_name("FILE")
      ->group("Settings");
  add_count(app, "--webhook-timeout-ms", config.webhooks.client.timeout_ms, 100, k_minute_ms,
            "Milliseconds that one attempt of a webhook may take");
  add_count(app, "--webhook-waiting", config.webhooks.deliveries.waiting_max, 1, 1'000'000,
            "Deliveries of one webhook that may wait; later changes are compared again");
  add_count(app, "--webhook-attempts", config.webhooks.deliveries.retry.attempts_max, 1, 1000,
            "Attempts after which a delivery is given up");
  add_count(app, "--webhook-retry-ms", config.webhooks.deliveries.retry.wait_ms, 1, k_hour_ms,
            "Milliseconds until the second attempt; doubles with each, up to an hour");
  add_days(app, "--webhook-days", config.webhooks.deliveries.retry.age_ms_max, 1, 365,
           "Days after which a delivery is given up at its next failure");
  add_count(app, "--webhook-dead", config.webhooks.deliveries.retry.dead_max, 0, 1'000'000,
            "Given up deliveries of one webhook that are kept; the oldest go first");

  add_count(app, "--recommend-deadline-ms", config.recommend_deadline_ms, 1, k_minute_ms,
            "Milliseconds after which a recommendation is answered with what is there");

  add_size(app, "--max-body", config.http.max_body_bytes, 1024, 1024 * k_mib,
           "Largest body of a request");
  add_size(app, "--max-inflated-body", config.http.max_inflated_body_bytes, 1024, 1024 * k_mib,
           "Largest body of a packed request, unpacked");
  add_size(app, "--max-headers", config.http.max_header_bytes, 1024, k_mib,
           "Largest request line and headers");
  add_count(app, "--max-connections", config.http.max_connections, 1, 1'000'000,
            "Connections at one time; one more is refused");
  add_count(app, "--worker-threads", config.workers.threads, 1, 1024,
            "Threads for answers that scan large catalogs");
  add_count(app, "--worker-queue", config.workers.queue_max, 1, 1'000'000,
            "Requests that may wait for such a thread; one more is answered 429");
  add_timeout(app, "--handshake-timeout-ms", config.http.handshake_timeout, 100, k_hour_ms,
              "TLS: time from the connection to its first request");
  add_timeout(app, "--header-timeout-ms", config.http.header_timeout, 100, k_hour_ms,
              "Time for the headers of a request");
  add_timeout(app, "--body-timeout-ms", config.http.body_timeout, 100, k_hour_ms,
              "Time for the body of a request");
  add_timeout(app, "--idle-timeout-ms", config.http.idle_timeout, 100, k_hour_ms,
              "Time a connection may stay silent");
  add_timeout(app, "--drain-timeout-ms", config.http.drain_timeout, 0, k_minute_ms,
              "Time a stopping server gives to requests in flight");
}

}  // namespace vitrine::app
