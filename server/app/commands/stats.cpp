// vitrine stats: what a data folder holds.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <limits>
#include <memory>

#include "base/clock.h"
#include "base/status.h"
#include "model/model_registry.h"
#include "server/app/commands/command.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/catalog/catalog.h"
#include "server/events/event_log.h"
#include "server/events/quarantine.h"
#include "server/http/json_writer.h"
#include "server/identity/identity_book.h"

namespace vitrine::app {
namespace {

struct TypeCount {
  std::uint64_t events = 0;
  std::uint64_t anonymous = 0;  // of nobody known
};

struct Stats {
  std::array<TypeCount, k_event_type_count> types{};
  std::uint64_t events = 0;
  std::uint64_t links = 0;  // visitors that turned out to be users
  TimeMs first_ms = std::numeric_limits<TimeMs>::max();
  TimeMs last_ms = std::numeric_limits<TimeMs>::min();
  Position last_position = 0;
  std::size_t users = 0;
  std::size_t visitors = 0;
  std::size_t products = 0;
  std::size_t hidden = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t disk_bytes = 0;
  std::size_t models = 0;
  std::string current_model;
};

absl::Status read_log(const store::Database& database, Progress& progress, Stats& stats) {
  const std::unique_ptr<events::EventLog> log = events::make_local_event_log(database);
  stats.last_position = log->last_position();
  return log->read(0, [&](LogEntry&& entry) {
    if (entry.position % 8192 == 0) {
      progress.update(
          static_cast<double>(entry.position) / static_cast<double>(stats.last_position),
          grouped(entry.position) + " entries");
    }
    const Event* event = entry.event();
    if (event == nullptr) {
      ++stats.links;
      return true;
    }
    TypeCount& count = stats.types[static_cast<std::size_t>(event->type)];
    ++count.events;
    if (entry.user == k_nobody) ++count.anonymous;
    ++stats.events;
    stats.first_ms = std::min(stats.first_ms, event->time_ms);
    stats.last_ms = std::max(stats.last_ms, event->time_ms);
    return true;
  });
}

absl::StatusOr<Stats> read_stats(const Invocation& invocation) {
  const DataLayout layout(invocation.config.data);
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<store::Database> database,
                           store::Database::open_beside(layout.store));
  Stats stats;
  Progress progress("reading the log", invocation.json || !is_terminal(stderr));
  VITRINE_RETURN_IF_ERROR(read_log(*database, progress, stats));

  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<identity::IdentityBook> people,
                           identity::IdentityBook::open(*database));
  stats.users = people->user_count();
  stats.visitors = people->visitor_count();
  catalog::ProductNumbers numbers;
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<catalog::Catalog> catalog,
                           catalog::Catalog::open(*database, numbers, invocation.config.products));
  stats.products = catalog->current()->size();
  catalog->current()->for_each([&](ProductNumber, const Product& product) {
    if (product.hidden) ++stats.hidden;
  });
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<events::Quarantine> quarantine,
                           events::Quarantine::open(*database, invocation.config.quarantine));
  stats.quarantined = quarantine->size();
  stats.disk_bytes = database->bytes_on_disk();

  const ModelRegistry registry(layout.models);
  VITRINE_ASSIGN_OR_RETURN(const std::vector<ModelRegistry::Version> versions, registry.list());
  stats.models = versions.size();
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> current, registry.current());
  stats.current_model = current.value_or("");
  return stats;
}

void print_json(const Stats& stats) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object().field("events", stats.events).key("by_type").begin_object();
  for (const EventType type : all_event_types()) {
    const TypeCount& count = stats.types[static_cast<std::size_t>(type)];
    if (count.events > 0) writer.field(name_of(type), count.events);
  }
  writer.end_object()
      .field("links", stats.links)
      .field("last_position", stats.last_position)
      .field("users", stats.users)
      .field("visitors", stats.visitors)
      .field("products", stats.products)
      .field("hidden_products", stats.hidden);
  if (stats.events > 0) {
    writer.field("first_event", format_time(stats.first_ms))
        .field("last_event", format_time(stats.last_ms));
  }
  writer.field("quarantined", stats.quarantined)
      .field("disk_bytes", stats.disk_bytes)
      .field("models", stats.models);
  writer.key("current_model");
  if (stats.current_model.empty()) {
    writer.null();
  } else {
    writer.value(stats.current_model);
  }
  writer.end_object();
  print_line(line);
}

void print_text(const Stats& stats) {
  Table types(
      {{"event"}, {"count", Table::Align::right}, {"of nobody known", Table::Align::right}});
  for (const EventType type : all_event_types()) {
    const TypeCount& count = stats.types[static_cast<std::size_t>(type)];
    if (count.events == 0) continue;
    types.add_row({std::string(name_of(type)), grouped(count.events), grouped(count.anonymous)});
  }
  types.add_row({"all", grouped(stats.events), ""});
  print(types.text(has_colours(stdout)));
  print_line("");

  Table facts({{"what"}, {"how many", Table::Align::right}, {"", Table::Align::left}});
  const std::string span =
      stats.events == 0 ? "" : format_time(stats.first_ms) + " to " + format_time(stats.last_ms);
  facts.add_row({"log entries", grouped(stats.last_position), span});
  facts.add_row({"users", grouped(stats.users), ""});
  facts.add_row({"visitors", grouped(stats.visitors),
                 fmt::format("{} links to users", grouped(stats.links))});
  facts.add_row(
      {"products", grouped(stats.products), fmt::format("{} hidden", grouped(stats.hidden))});
  facts.add_row({"quarantined events", grouped(stats.quarantined), ""});
  facts.add_row({"disk", bytes_text(stats.disk_bytes), ""});
  facts.add_row({"models", grouped(stats.models),
                 stats.current_model.empty() ? "none serves" : stats.current_model + " serves"});
  print(facts.text(has_colours(stdout)));
}

absl::Status run(const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const Stats stats, read_stats(invocation));
  if (invocation.json) {
    print_json(stats);
  } else {
    print_text(stats);
  }
  return absl::OkStatus();
}

}  // namespace

void add_stats(CLI::App& root, Invocation& invocation) {
  CLI::App& app =
      add_command(root, invocation, "stats", "What a data folder holds, also beside a server",
                  "  vitrine stats --data shop\n"
                  "  vitrine stats --data shop --json\n");
  add_data_option(app, invocation);
  app.callback([&invocation] { invocation.run = [&invocation] { return run(invocation); }; });
}

}  // namespace vitrine::app
