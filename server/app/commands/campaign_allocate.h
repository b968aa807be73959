// vitrine campaign allocate: who gets which offer of a campaign, tried or granted.
#pragma once

#include "server/app/commands/command.h"

namespace vitrine::app {

// A verb of `campaign`.
void add_campaign_allocate(CLI::App& campaign, Invocation& invocation);

}  // namespace vitrine::app
