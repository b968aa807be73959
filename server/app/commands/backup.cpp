// vitrine backup and restore: everything the server keeps, copied while it serves, and back.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/status.h"
#include "server/app/backup/backup.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/one_call.h"
#include "server/app/config.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

absl::Status run_backup(const std::string& folder, const Invocation& invocation) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::absolute(folder, error);
  if (error) return wrong_use(fmt::format("'{}' is no path: {}", folder, error.message()));
  std::string body;
  http::JsonWriter(body).begin_object().field("folder", target.string()).end_object();
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           ask(invocation, "POST", "/v1/backups", std::move(body)));
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

struct RestoreCommand {
  std::string folder;
  std::string erasures;  // a file; empty: none
};

// Read before anything is restored, so that a wrong path is told in time.
absl::StatusOr<std::string> erasures_in(const std::string& file) {
  if (file.empty()) return std::string();
  return read_file(file);
}

absl::Status run_restore(const RestoreCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, false));
  VITRINE_ASSIGN_OR_RETURN(const std::string erasures, erasures_in(command.erasures));
  Progress progress("restoring", invocation.json);
  VITRINE_ASSIGN_OR_RETURN(
      const BackupManifest restored,
      restore(command.folder, invocation.config.data, [&](std::uint64_t done, std::uint64_t all) {
        progress.update(static_cast<double>(done) / static_cast<double>(all),
                        fmt::format("{} of {}", bytes_text(done), bytes_text(all)));
      }));
  if (!erasures.empty()) {
    VITRINE_RETURN_IF_ERROR(replace_file(DataLayout(invocation.config.data).erasures, erasures));
  }
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
  if (erasures.empty()) {
    note(invocation,
         "people who were erased since that backup are back: restore with --erasures and the "
         "former folder's erasures.ndjson, and they are forgotten again");
  }
  note(invocation,
       fmt::format("next: 'vitrine verify --data {}' recounts it", invocation.config.data));
  return absl::OkStatus();
}

}  // namespace

void add_backup(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "backup",
                              "Copy a data folder to a new folder, also while a server holds it",
                              "  vitrine backup /backups/monday --data shop\n"
                              "  vitrine backup /backups/monday --data shop --json\n");
  const auto folder = std::make_shared<std::string>();
  add_data_option(app, invocation);
  app.add_option("folder", *folder, "A folder that is not there yet; on another disk, best")
      ->required()
      ->type_name("DIR");
  app.callback([folder, &invocation] {
    invocation.run = [folder, &invocation] { return run_backup(*folder, invocation); };
  });
}

void add_restore(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "restore",
                              "Make a new data folder of a backup, checking every file",
                              "  vitrine restore /backups/monday --data restored\n"
                              "  vitrine restore /backups/monday --data restored --erasures "
                              "shop/erasures.ndjson\n"
                              "  vitrine verify --data restored\n");
  const auto command = std::make_shared<RestoreCommand>();
  add_data_option(app, invocation);
  app.add_option("folder", command->folder, "What 'vitrine backup' made")
      ->required()
      ->type_name("DIR");
  app.add_option("--erasures", command->erasures,
                 "The erasures.ndjson of the former data folder: who was erased since the backup "
                 "is erased again by the next start")
      ->type_name("FILE");
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run_restore(*command, invocation); };
  });
}

}  // namespace vitrine::app
