// vitrine export: the log as a file that import reads back; vectors; who is in a segment.
#include <absl/container/flat_hash_map.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "model/model_registry.h"
#include "model/money.h"
#include "model/npy.h"
#include "server/app/commands/command.h"
#include "server/app/commands/export_segment.h"
#include "server/app/import/csv.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/events/event_log.h"
#include "server/http/json_writer.h"
#include "server/identity/identity_book.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_write_bytes = std::size_t{1} << 20;
constexpr std::string_view k_segment = "segment:";

struct ExportCommand {
  std::string what = "events";
  std::string format = "ndjson";
  std::string out = "-";
};

// Ids of people by their numbers, each looked up once.
class Names {
 public:
  explicit Names(const identity::IdentityBook& book) : book_(book) {}

  absl::StatusOr<const identity::Person*> find(UserNumber number) {
    if (number == k_nobody) return &nobody_;
    const auto known = people_.find(number);
    if (known != people_.end()) return known->second.get();
    VITRINE_ASSIGN_OR_RETURN(const std::optional<identity::Person> person, book_.person(number));
    auto kept = std::make_unique<identity::Person>(person.value_or(identity::Person()));
    return people_.emplace(number, std::move(kept)).first->second.get();
  }

 private:
  const identity::IdentityBook& book_;
  const identity::Person nobody_;
  absl::flat_hash_map<UserNumber, std::unique_ptr<identity::Person>> people_;
};

// An event with its people named again.
struct ExportedEvent {
  const Event& event;
  std::string_view user_id;
  std::string_view visitor_id;
};

// The texts of an event, in the order of the columns of import.
template <class Visit>
void for_each_text(const ExportedEvent& exported, const Visit& visit) {
  const Event& event = exported.event;
  const std::string price =
      event.price ? format_money(*event.price, event.currency) : std::string();
  visit("event_id", std::string_view(event.event_id));
  visit("time", std::string_view(format_time(event.time_ms)));
  visit("type", name_of(event.type));
  visit("user_id", exported.user_id);
  visit("visitor_id", exported.visitor_id);
  visit("session_id", std::string_view(event.session_id));
  visit("order_id", std::string_view(event.order_id));
  visit("product_id", std::string_view(event.product_id));
  visit("quantity", std::string_view(std::to_string(event.quantity)));
  visit("price", std::string_view(price));
  visit("currency", std::string_view(event.currency));
  visit("channel", std::string_view(event.channel));
  visit("market", std::string_view(event.market));
  visit("category", std::string_view(event.category));
  visit("query", std::string_view(event.query));
  visit("coupon_code", std::string_view(event.coupon_code));
  visit("recommendation_id", std::string_view(event.recommendation_id));
  visit("properties", std::string_view(event.properties_json));
}

void append_csv_header(std::string& out) {
  const Event nothing;
  std::string header;
  for_each_text({nothing, {}, {}}, [&](std::string_view name, std::string_view) {
    if (!header.empty()) header += ',';
    header += name;
  });
  out += header + '\n';
}

void append_csv_line(std::string& out, const ExportedEvent& exported) {
  bool is_first = true;
  for_each_text(exported, [&](std::string_view, std::string_view text) {
    if (!is_first) out += ',';
    is_first = false;
    append_csv(out, text);
  });
  out += '\n';
}

void append_json_line(std::string& out, const ExportedEvent& exported) {
  http::JsonWriter writer(out);
  writer.begin_object();
  for_each_text(exported, [&](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    writer.key(name);
    if (name == "quantity" || name == "properties") {
      writer.raw(text);
    } else {
      writer.value(text);
    }
  });
  writer.end_object();
  out += '\n';
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

absl::Status write_out(std::FILE* file, std::string& buffer, const std::string& name) {
  const bool is_written = std::fwrite(buffer.data(), 1, buffer.size(), file) == buffer.size();
  buffer.clear();
  return is_written && std::fflush(file) == 0 ? absl::OkStatus()
                                              : unavailable("cannot write {}", name);
}

absl::StatusOr<std::uint64_t> export_events(const ExportCommand& command,
                                            const store::Database& database, std::FILE* file,
                                            Progress& progress) {
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<identity::IdentityBook> book,
                           identity::IdentityBook::open(database));
  const std::unique_ptr<events::EventLog> log = events::make_local_event_log(database);
  Names names(*book);
  const bool is_csv = command.format == "csv";
  std::string buffer;
  if (is_csv) append_csv_header(buffer);

  std::uint64_t count = 0;
  absl::Status trouble;
  const auto add = [&](const LogEntry& entry) -> absl::Status {
    VITRINE_ASSIGN_OR_RETURN(const identity::Person* user, names.find(entry.user));
    VITRINE_ASSIGN_OR_RETURN(const identity::Person* visitor, names.find(entry.visitor));
    const ExportedEvent exported{*entry.event(), user->user_id, visitor->visitor_id};
    if (is_csv) {
      append_csv_line(buffer, exported);
    } else {
      append_json_line(buffer, exported);
    }
    if (++count % 4096 == 0) {
      progress.update(
          static_cast<double>(entry.position) / static_cast<double>(log->last_position()),
          grouped(count) + " events");
    }
    return buffer.size() < k_write_bytes ? absl::OkStatus() : write_out(file, buffer, command.out);
  };
  VITRINE_RETURN_IF_ERROR(log->read(0, [&](LogEntry&& entry) {
    if (entry.event() != nullptr) trouble = add(entry);
    return trouble.ok();
  }));
  VITRINE_RETURN_IF_ERROR(trouble);
  VITRINE_RETURN_IF_ERROR(write_out(file, buffer, command.out));
  return count;
}

// The vectors of the model that serves, and beside them the ids of their rows.
absl::Status export_vectors(const ExportCommand& command, const Invocation& invocation) {
  if (command.format != "npy" || command.out == "-")
    return wrong_use("--what vectors needs --format npy and --out FILE.npy");
  const ModelRegistry registry(DataLayout(invocation.config.data).models);
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> version, registry.current());
  if (!version) return not_found("there is no model yet: 'vitrine train' makes one");
  VITRINE_ASSIGN_OR_RETURN(const std::shared_ptr<const TrainedModel> model,
                           registry.load(*version));
  std::vector<float> values;
  std::string ids;
  for (std::uint32_t row = 0; row < model->row_count(); ++row) {
    const std::span<const float> vector = model->factors().row(row);
    values.insert(values.end(), vector.begin(), vector.end());
    ids += std::string(model->products().id(row)) + "\n";
  }
  const std::string products = command.out + ".products.txt";
  VITRINE_RETURN_IF_ERROR(replace_file(
      command.out, encode_npy(values, model->row_count(), model->factors().dimension())));
  VITRINE_RETURN_IF_ERROR(replace_file(products, ids));
  if (invocation.json) {
    print_line(
        fmt::format(R"({{"vectors":{},"model_version":"{}"}})", model->row_count(), *version));
  } else {
    note(invocation, fmt::format("{} vectors of model {} in {}, their ids in {}",
                                 grouped(model->row_count()), *version, command.out, products));
  }
  return absl::OkStatus();
}

absl::Status export_members(const ExportCommand& command, const Invocation& invocation,
                            std::FILE* file) {
  const std::string segment = command.what.substr(k_segment.size());
  VITRINE_ASSIGN_OR_RETURN(
      const std::uint64_t count,
      export_segment(invocation.config, segment, command.format == "csv", file));
  if (invocation.json) {
    print_line(fmt::format(R"({{"members":{}}})", count));
  } else {
    note(invocation, grouped(count) + " members");
  }
  return absl::OkStatus();
}

absl::Status run(const ExportCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  if (command.what == "vectors") return export_vectors(command, invocation);
  if (command.format == "npy") return wrong_use("--format npy is for --what vectors");
  const bool to_stdout = command.out == "-";
  if (to_stdout && invocation.json) return wrong_use("--json needs --out FILE");
  const File opened(to_stdout ? nullptr : std::fopen(command.out.c_str(), "wb"));
  if (!to_stdout && opened == nullptr) return not_found("cannot write {}", command.out);

  std::FILE* const file = to_stdout ? stdout : opened.get();
  if (command.what.starts_with(k_segment)) return export_members(command, invocation, file);
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<store::Database> database,
                           store::Database::open_beside(DataLayout(invocation.config.data).store));
  Progress progress("exporting", invocation.json);
  VITRINE_ASSIGN_OR_RETURN(const std::uint64_t count,
                           export_events(command, *database, file, progress));
  progress.finish(grouped(count) + " events");
  if (invocation.json) print_line(fmt::format(R"({{"events":{}}})", count));
  return absl::OkStatus();
}

}  // namespace

void add_export(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "export", "Write what is stored to a file, also beside a running server",
      "  vitrine export --data shop --what events --format csv --out events.csv\n"
      "  vitrine export --data shop | gzip > events.ndjson.gz\n"
      "  vitrine export --data shop --what vectors --format npy --out vectors.npy\n"
      "  vitrine export --data shop --what segment:lapsed --format csv --out lapsed.csv\n");
  const auto command = std::make_shared<ExportCommand>();
  add_data_option(app, invocation);
  const auto is_known = [](const std::string& what) -> std::string {
    const bool is_segment = what.starts_with(k_segment) && what.size() > k_segment.size();
    if (what == "events" || what == "vectors" || is_segment) return {};
    return fmt::format("must be events, vectors or segment:KEY, got '{}'", what);
  };
  app.add_option("--what", command->what, "What to write: events, vectors or segment:KEY")
      ->check(is_known)
      ->capture_default_str();
  app.add_option("--format", command->format, "How")
      ->check(CLI::IsMember({"ndjson", "csv", "npy"}))
      ->capture_default_str();
  app.add_option("--out", command->out, "Where to; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
