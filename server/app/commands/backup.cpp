// vitrine backup and restore: everything the server keeps, copied while it serves, and back.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/backup/backup.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

absl::Status run_backup(const std::string& folder, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  std::error_code error;
  const std::filesystem::path target = std::filesystem::absolute(folder, error);
  if (error) return wrong_use(fmt::format("'{}' is no path: {}", folder, error.message()));
  std::string body;
  http::JsonWriter(body).begin_object().field("folder", target.string()).end_object();
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(invocation.config));
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           client->api().call("POST", "/v1/backups", std::move(body)));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value made, parsed_answer(answer));
  print_line(fmt::format("{} holds {} files of {} with {} log entries", text_at(made, "/folder"),
                         text_at(made, "/files"),
                         bytes_text(made.at("bytes").to_number<std::uint64_t>()),
                         grouped(made.at("log_entries").to_number<std::uint64_t>())));
  return absl::OkStatus();
}

absl::Status run_restore(const std::string& folder, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, false));
  Progress progress("restoring", invocation.json);
  VITRINE_ASSIGN_OR_RETURN(
      const BackupManifest restored,
      restore(folder, invocation.config.data, [&](std::uint64_t done, std::uint64_t all) {
        progress.update(static_cast<double>(done) / static_cast<double>(all),
                        fmt::format("{} of {}", bytes_text(done), bytes_text(all)));
      }));
  if (invocation.json) {
    std::string line;
    http::JsonWriter(line)
        .begin_object()
        .field("data", invocation.config.data)
        .field("made_at", format_time(restored.made_ms))
        .field("log_entries", restored.entries)
        .field("files", restored.files.size())
        .field("bytes", restored.bytes())
        .end_object();
    print_line(line);
    return absl::OkStatus();
  }
  print_line(fmt::format("{} is as it was at {}: {} log entries, {}", invocation.config.data,
                         format_time(restored.made_ms), grouped(restored.entries),
                         bytes_text(restored.bytes())));
  note(invocation,
       fmt::format("next: 'vitrine verify --data {}' recounts it", invocation.config.data));
  return absl::OkStatus();
}

// A command that takes a backup's folder and the data folder.
void add(CLI::App& app, Invocation& invocation, const std::string& help,
         absl::Status (*action)(const std::string&, const Invocation&)) {
  const auto folder = std::make_shared<std::string>();
  add_data_option(app, invocation);
  app.add_option("folder", *folder, help)->required()->type_name("DIR");
  app.callback([folder, action, &invocation] {
    invocation.run = [folder, action, &invocation] { return action(*folder, invocation); };
  });
}

}  // namespace

void add_backup(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "backup",
                              "Copy a data folder to a new folder, also while a server holds it",
                              "  vitrine backup /backups/monday --data shop\n"
                              "  vitrine backup /backups/monday --data shop --json\n");
  add(app, invocation, "A folder that is not there yet; on another disk, best", run_backup);
}

void add_restore(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "restore",
                              "Make a new data folder of a backup, checking every file",
                              "  vitrine restore /backups/monday --data restored\n"
                              "  vitrine verify --data restored\n");
  add(app, invocation, "What 'vitrine backup' made", run_restore);
}

}  // namespace vitrine::app
