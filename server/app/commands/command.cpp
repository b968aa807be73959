#include "server/app/commands/command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <system_error>

#include "base/status.h"

namespace vitrine::app {
namespace {

constexpr const char* k_wrong_use = "vitrine/wrong_use";  // a status payload of our own

}  // namespace

CLI::App& add_command(CLI::App& root, Invocation& invocation, const std::string& name,
                      const std::string& description, const std::string& examples) {
  CLI::App& command = *root.add_subcommand(name, description);
  command.add_flag("--json", invocation.json, "Answer for machines");
  command.footer("\nExamples:\n" + examples +
                 "\nSettings of the server parts, all commands: vitrine --help");
  return command;
}

CLI::App& add_verb(CLI::App& command, Invocation& invocation, const std::string& name,
                   const std::string& description) {
  CLI::App& verb = *command.add_subcommand(name, description);
  verb.add_flag("--json", invocation.json, "Answer for machines");
  add_data_option(verb, invocation);
  return verb;
}

void add_data_option(CLI::App& command, Invocation& invocation) {
  command.add_option("--data", invocation.config.data, "The data folder")->type_name("DIR");
}

absl::Status wrong_use(std::string_view message) {
  absl::Status status = invalid_argument("{}", message);
  status.SetPayload(k_wrong_use, absl::Cord());
  return status;
}

bool is_wrong_use(const absl::Status& status) { return status.GetPayload(k_wrong_use).has_value(); }

absl::Status check_data(const Config& config, bool must_exist) {
  if (config.data.empty()) return wrong_use("--data DIR is required");
  std::error_code ignored;  // what cannot be looked at is not there
  if (must_exist && !std::filesystem::exists(DataLayout(config.data).store, ignored)) {
    return not_found("{} is not a data folder: 'vitrine import --data {} ...' makes one",
                     config.data, config.data);
  }
  return absl::OkStatus();
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_line(std::string_view text) { print(std::string(text) + "\n"); }

void note(const Invocation& invocation, std::string_view text) {
  if (!invocation.json) fmt::print(stderr, "{}\n", text);
}

}  // namespace vitrine::app
