// vitrine import: a shop's products and events from files.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/status.h"
#include "base/string_map.h"
#include "model/money.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/import/coupon_folder.h"
#include "server/app/import/event_rows.h"
#include "server/app/import/importer.h"
#include "server/app/import/product_rows.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_event_rows = 2000;
constexpr std::size_t k_product_rows = 500;
constexpr std::size_t k_batch_bytes = std::size_t{512} << 10;  // below any limit on bodies
constexpr std::size_t k_in_flight = 4;

struct ImportCommand {
  std::vector<std::string> products;
  std::vector<std::string> users;
  std::vector<std::string> events;
  std::string coupons;  // a folder
  std::string coupon_value;
  std::string currency;
  bool shift_time_to_now = false;
};

struct UsersNote {
  std::string name;
  std::uint64_t lines = 0;
};

struct Report {
  std::vector<FileReport> files;
  std::vector<UsersNote> users;
  TimeMs shift_ms = 0;
};

absl::Status check(const ImportCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, false));
  if (command.products.empty() && command.events.empty() && command.users.empty() &&
      command.coupons.empty()) {
    return wrong_use(
        "give at least one file: --products F, --events F, --users F or --coupons FOLDER");
  }
  if (!command.coupons.empty() && command.currency.empty()) {
    return wrong_use("--coupons needs --currency: that of what the coupons take off");
  }
  if (!command.currency.empty() && !is_currency(command.currency)) {
    return wrong_use(fmt::format("--currency must be three capital letters (ISO 4217), got '{}'",
                                 command.currency));
  }
  if (command.shift_time_to_now && command.events.empty()) {
    return wrong_use("--shift-time-to-now needs --events");
  }
  return absl::OkStatus();
}

// The newest time in all files; nothing when none names a time. Lines that cannot be read are left
// to the import, which reports them.
absl::StatusOr<std::optional<TimeMs>> newest_time(const std::vector<std::string>& files) {
  std::optional<TimeMs> newest;
  for (const std::string& file : files) {
    VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(file));
    Row row;
    while (true) {
      VITRINE_ASSIGN_OR_RETURN(const bool found, reader.next(row));
      if (!found) break;
      const absl::StatusOr<std::optional<TimeMs>> time = event_time(row);
      if (time.ok() && *time && (!newest || **time > *newest)) newest = *time;
    }
  }
  return newest;
}

// The currencies of the catalog, so that an order line that names none gets its product's.
absl::StatusOr<StringMap<std::string>> catalog_currencies(ApiClient& api) {
  StringMap<std::string> currencies;
  std::string cursor;
  do {
    VITRINE_ASSIGN_OR_RETURN(
        const std::string answer,
        api.call("GET", "/v1/products?limit=1000" +
                            (cursor.empty() ? "" : "&cursor=" + url_encoded(cursor))));
    VITRINE_ASSIGN_OR_RETURN(const boost::json::value page, parsed_answer(answer));
    for (const boost::json::value& product : array_at(page, "/products")) {
      std::string currency = text_at(product, "/currency");
      if (!currency.empty()) {
        currencies.emplace(text_at(product, "/product_id"), std::move(currency));
      }
    }
    cursor = text_at(page, "/cursor");
  } while (!cursor.empty());
  return currencies;
}

// Side files of one run get names of their own, also for two files of one name.
class SideFiles {
 public:
  explicit SideFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path path_for(const std::filesystem::path& file) {
    const std::string base = file.filename().string();
    std::string name = base;
    for (int again = 2; !taken_.insert(name).second; ++again) {
      name = fmt::format("{}-{}", base, again);
    }
    return folder_ / (name + ".rejected.csv");
  }

 private:
  std::filesystem::path folder_;
  std::set<std::string> taken_;
};

absl::Status import_files(const std::vector<std::string>& files, std::string_view kind,
                          const ImportTarget& target, bool quiet, ApiClient& api,
                          SideFiles& side_files, std::vector<FileReport>& reports) {
  for (const std::string& file : files) {
    Progress progress(fmt::format("{} {}", kind, file), quiet);
    VITRINE_ASSIGN_OR_RETURN(
        FileReport report, Importer(api, target).import(file, side_files.path_for(file), progress));
    reports.push_back(std::move(report));
  }
  return absl::OkStatus();
}

absl::Status import_events(const ImportCommand& command, bool quiet, ApiClient& api,
                           SideFiles& side_files, Report& report) {
  EventRowOptions options;
  options.currency = command.currency;
  if (command.shift_time_to_now) {
    VITRINE_ASSIGN_OR_RETURN(const std::optional<TimeMs> newest, newest_time(command.events));
    options.shift_ms = newest ? SystemClock().now_ms() - *newest : 0;
  }
  report.shift_ms = options.shift_ms;
  StringMap<std::string> currencies;
  if (command.currency.empty()) {
    VITRINE_ASSIGN_OR_RETURN(currencies, catalog_currencies(api));
    options.currency_of = [&currencies](std::string_view product_id) {
      const auto found = currencies.find(product_id);
      return found == currencies.end() ? std::string_view() : std::string_view(found->second);
    };
  }
  const ImportTarget target{.path = "/v1/import/events",
                            .list = "events",
                            .counted = "accepted",
                            .batch_rows = k_event_rows,
                            .batch_bytes = k_batch_bytes,
                            .in_flight = k_in_flight,
                            .append = [&options](const Row& row, std::string& json) {
                              return append_event(row, options, json);
                            }};
  return import_files(command.events, "events", target, quiet, api, side_files, report.files);
}

absl::Status import_products(const ImportCommand& command, bool quiet, ApiClient& api,
                             SideFiles& side_files, Report& report) {
  const ImportTarget target{.path = "/v1/products/batch",
                            .list = "products",
                            .counted = "upserted",
                            .batch_rows = k_product_rows,
                            .batch_bytes = k_batch_bytes,
                            .in_flight = k_in_flight,
                            .append = [&command](const Row& row, std::string& json) {
                              return append_product(row, command.currency, json);
                            }};
  return import_files(command.products, "products", target, quiet, api, side_files, report.files);
}

// Nothing of a users file is kept yet; it is read, so that a broken one is noticed now.
absl::Status look_at_users(const ImportCommand& command, Report& report) {
  for (const std::string& file : command.users) {
    UsersNote note{.name = std::filesystem::path(file).filename().string()};
    VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(file));
    Row row;
    while (true) {
      VITRINE_ASSIGN_OR_RETURN(const bool found, reader.next(row));
      if (!found) break;
      ++note.lines;
    }
    report.users.push_back(std::move(note));
  }
  return absl::OkStatus();
}

// Moved by whole days, because coupons begin and end with a day.
absl::Status import_coupons(const ImportCommand& command, bool quiet, ApiClient& api,
                            SideFiles& side_files, Report& report) {
  const CouponFolderOptions options{.folder = command.coupons,
                                    .currency = command.currency,
                                    .value = command.coupon_value,
                                    .shift_ms = report.shift_ms - report.shift_ms % k_day_ms,
                                    .quiet = quiet,
                                    .rejected_path = [&](const std::filesystem::path& file) {
                                      return side_files.path_for(file);
                                    }};
  VITRINE_ASSIGN_OR_RETURN(std::vector<FileReport> files, import_coupon_folder(options, api));
  for (FileReport& file : files) report.files.push_back(std::move(file));
  return absl::OkStatus();
}

void print_json(const Report& report) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object().key("files").begin_array();
  for (const FileReport& file : report.files) {
    writer.begin_object()
        .field("file", file.name)
        .field("lines", file.lines)
        .field("accepted", file.accepted)
        .field("duplicates", file.duplicates)
        .field("rejected", file.rejected)
        .field("seconds", file.seconds);
    if (file.rejected > 0) writer.field("rejected_lines", file.rejected_lines.string());
    writer.end_object();
  }
  writer.end_array().key("users_files_not_used").begin_array();
  for (const UsersNote& note : report.users) {
    writer.begin_object().field("file", note.name).field("lines", note.lines).end_object();
  }
  writer.end_array().field("shift_ms", report.shift_ms).end_object();
  print_line(line);
}

void print_text(const Report& report) {
  Table table({{"file"},
               {"lines", Table::Align::right},
               {"accepted", Table::Align::right},
               {"duplicates", Table::Align::right},
               {"rejected", Table::Align::right},
               {"seconds", Table::Align::right},
               {"lines/s", Table::Align::right}});
  for (const FileReport& file : report.files) {
    const double rate = static_cast<double>(file.lines) / std::max(file.seconds, 1e-3);
    table.add_row({file.name, grouped(file.lines), grouped(file.accepted), grouped(file.duplicates),
                   grouped(file.rejected), fmt::format("{:.1f}", file.seconds),
                   grouped(static_cast<std::uint64_t>(rate))});
  }
  if (!table.empty()) print(table.text(has_colours(stdout)));
  for (const FileReport& file : report.files) {
    if (file.rejected == 0) continue;
    print_line(fmt::format("{} lines of {} were not taken; which and why: {}",
                           grouped(file.rejected), file.name, file.rejected_lines.string()));
  }
  for (const UsersNote& note : report.users) {
    print_line(
        fmt::format("{}: {} lines read, nothing of them is kept: users come from their "
                    "events, traits are not stored yet",
                    note.name, grouped(note.lines)));
  }
  if (report.shift_ms != 0) {
    print_line(fmt::format("times moved by {:+.1f} days: the newest event is now",
                           static_cast<double>(report.shift_ms) / k_day_ms));
  }
}

absl::Status run(const ImportCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  Report report;
  VITRINE_RETURN_IF_ERROR(look_at_users(command, report));
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(invocation.config));
  SideFiles side_files(DataLayout(invocation.config.data).rejected);
  VITRINE_RETURN_IF_ERROR(
      import_products(command, invocation.json, client->api(), side_files, report));
  if (!command.events.empty()) {
    VITRINE_RETURN_IF_ERROR(
        import_events(command, invocation.json, client->api(), side_files, report));
  }
  if (!command.coupons.empty()) {
    VITRINE_RETURN_IF_ERROR(
        import_coupons(command, invocation.json, client->api(), side_files, report));
  }
  if (invocation.json) {
    print_json(report);
  } else {
    print_text(report);
  }
  return absl::OkStatus();
}

}  // namespace

void add_import(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "import",
      "Take in products, events and coupons from CSV or NDJSON, .gz or plain",
      "  vitrine import --data shop --products products.csv --events orders.csv.gz\n"
      "  vitrine import --data shop --events clicks.ndjson --currency EUR\n"
      "  vitrine import --data demo --events events.csv.gz --shift-time-to-now\n"
      "  vitrine import --data shop --coupons FOLDER --currency USD --coupon-value 1.00\n"
      "\nImporting a file twice changes nothing: events are known by their event_id.\n"
      "Lines that cannot be taken go to DIR/rejected/FILE.rejected.csv with the reason.\n");
  const auto command = std::make_shared<ImportCommand>();
  add_data_option(app, invocation);
  app.add_option("--products", command->products, "Products; may be given again")
      ->type_name("FILE");
  app.add_option("--users", command->users,
                 "Users; read and counted, but nothing of them is kept yet")
      ->type_name("FILE");
  app.add_option("--events", command->events, "Events; may be given again")->type_name("FILE");
  app.add_option("--coupons", command->coupons,
                 "Campaigns, coupons and what became of them: campaigns, coupons, coupon_items, "
                 "coupon_grants and coupon_redemptions, .csv or .csv.gz")
      ->type_name("FOLDER");
  app.add_option("--coupon-value", command->coupon_value,
                 "What a coupon takes off that has no value of its own")
      ->type_name("AMOUNT");
  app.add_option("--currency", command->currency,
                 "Of prices that name none; else events take their product's")
      ->type_name("CODE");
  app.add_flag("--shift-time-to-now", command->shift_time_to_now,
               "Move all event times so that the newest is now");
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
