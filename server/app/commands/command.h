// What every command shares: its place on the command line, its examples, and how it fails.
//
// A command file adds one subcommand and hands over what to run. Exit status: 0 done, 1 failed, 2
// wrong use.
#pragma once

#include <absl/status/status.h>
#include <fmt/core.h>

#include <functional>
#include <string>
#include <string_view>

#include "server/app/config.h"

namespace CLI {
class App;
}

namespace vitrine::app {

// The command line as it was understood.
struct Invocation {
  Config config;
  // Reads flags and the configuration file once more; what is wrong with them is said.
  std::function<absl::StatusOr<Config>()> reread;
  bool json = false;                  // machines read the answer
  char** arguments = nullptr;         // as main() got them
  std::function<absl::Status()> run;  // of the command that was named
};

// A subcommand with --help, --json and examples.
CLI::App& add_command(CLI::App& root, Invocation& invocation, const std::string& name,
                      const std::string& description, const std::string& examples);
// A verb below a subcommand: "models list".
CLI::App& add_verb(CLI::App& command, Invocation& invocation, const std::string& name,
                   const std::string& description);
// --data DIR, which may come from the configuration file as well.
void add_data_option(CLI::App& command, Invocation& invocation);

// The command line asks for something that cannot be: ends with status 2.
absl::Status wrong_use(std::string_view message);
bool is_wrong_use(const absl::Status& status);

// wrong_use unless --data is given; NotFound when `must_exist` and it is no data folder.
absl::Status check_data(const Config& config, bool must_exist);

// To standard output.
void print(std::string_view text);
void print_line(std::string_view text);
// To standard error, for people; nothing with --json.
void note(const Invocation& invocation, std::string_view text);

void add_serve(CLI::App& root, Invocation& invocation);
void add_import(CLI::App& root, Invocation& invocation);
void add_train(CLI::App& root, Invocation& invocation);
void add_evaluate(CLI::App& root, Invocation& invocation);
void add_tune(CLI::App& root, Invocation& invocation);
void add_models(CLI::App& root, Invocation& invocation);
// A verb of `models`.
void add_models_import(CLI::App& models, Invocation& invocation);
void add_recommend(CLI::App& root, Invocation& invocation);
void add_stats(CLI::App& root, Invocation& invocation);
void add_export(CLI::App& root, Invocation& invocation);
void add_verify(CLI::App& root, Invocation& invocation);
void add_backup(CLI::App& root, Invocation& invocation);
void add_restore(CLI::App& root, Invocation& invocation);
void add_erase(CLI::App& root, Invocation& invocation);
void add_segment(CLI::App& root, Invocation& invocation);
// Verbs of `segment`.
void add_segment_audiences(CLI::App& segment, Invocation& invocation);
void add_campaign(CLI::App& root, Invocation& invocation);
// Verbs of `campaign`.
void add_campaign_report(CLI::App& campaign, Invocation& invocation);
void add_keys(CLI::App& root, Invocation& invocation);

}  // namespace vitrine::app
