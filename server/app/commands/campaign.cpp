// vitrine campaign: did it pay, and who gets what.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "server/app/commands/command.h"

namespace vitrine::app {

void add_campaign(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "campaign", "Whether a campaign paid",
                              "  vitrine campaign report spring --data shop\n"
                              "  vitrine campaign report spring --days 7 --json --data shop\n");
  app.require_subcommand(1);
  add_campaign_report(app, invocation);
}

}  // namespace vitrine::app
