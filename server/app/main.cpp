// vitrine: one program, a subcommand each for what one does with it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>

#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/commands/grant.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

constexpr int k_failed = 1;
constexpr int k_wrong_use = 2;
constexpr int k_interrupted = 130;

void complain(std::string_view message) {
  fmt::print(stderr, "{} {}\n", styled("vitrine:", Colour::red, has_colours(stderr)), message);
}

void add_everything(CLI::App& root, Invocation& invocation, std::string& data) {
  root.set_version_flag("--version", "vitrine " VITRINE_VERSION);
  root.require_subcommand(1);
  root.fallthrough();
  root.set_config("--config", "", "TOML file; may set anything that flags can, flags win")
      ->type_name("FILE");
  root.allow_config_extras(CLI::config_extras_mode::error);

  root.add_option("--data", data, "The data folder, for commands that are given none")
      ->type_name("DIR");
  add_settings(root, invocation.config);
  add_serve(root, invocation);
  add_import(root, invocation);
  add_train(root, invocation);
  add_evaluate(root, invocation);
  add_tune(root, invocation);
  add_models(root, invocation);
  add_recommend(root, invocation);
  add_stats(root, invocation);
  add_export(root, invocation);
  add_verify(root, invocation);
  add_backup(root, invocation);
  add_restore(root, invocation);
  add_erase(root, invocation);
  add_segment(root, invocation);
  add_grant(root, invocation);
  add_campaign(root, invocation);
  add_keys(root, invocation);
}

constexpr const char* k_title = "Vitrine: real-time recommendations for storefronts";

// The settings as the files say now.
absl::StatusOr<Config> reread(int argc, char** argv) {
  Invocation invocation;
  std::string data;
  CLI::App root(k_title, "vitrine");
  add_everything(root, invocation, data);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return invalid_argument("{}", error.what());
  }
  return invocation.config;
}

int run(int argc, char** argv) {
  Invocation invocation;
  invocation.arguments = argv;
  invocation.reread = [argc, argv] { return reread(argc, argv); };
  CLI::App root(k_title, "vitrine");
  std::string data;
  add_everything(root, invocation, data);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : k_wrong_use;
  }
  if (invocation.config.data.empty()) invocation.config.data = data;

  const absl::Status done = invocation.run();
  if (done.ok()) return 0;
  complain(message_of(done));
  if (absl::IsCancelled(done)) return k_interrupted;
  return is_wrong_use(done) ? k_wrong_use : k_failed;
}

}  // namespace
}  // namespace vitrine::app

int main(int argc, char** argv) {
  try {
    return vitrine::app::run(argc, argv);
  } catch (const std::exception& error) {
    vitrine::app::complain(error.what());
    return vitrine::app::k_failed;
  }
}
