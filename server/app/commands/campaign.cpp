// vitrine campaign: did it pay, and who gets what.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "server/app/commands/campaign_allocate.h"
#include "server/app/commands/command.h"

namespace vitrine::app {

void add_campaign(CLI::App& root, Invocation& invocation) {
  CLI::App& app =
      add_command(root, invocation, "campaign", "Who gets what of a campaign, and whether it paid",
                  "  vitrine campaign allocate spring --dry-run --data shop\n"
                  "  vitrine campaign allocate spring --segment lapsed --data shop\n"
                  "  vitrine campaign report spring --data shop\n"
                  "  vitrine campaign report spring --days 7 --json --data shop\n");
  app.require_subcommand(1);
  add_campaign_allocate(app, invocation);
  add_campaign_report(app, invocation);
}

}  // namespace vitrine::app
