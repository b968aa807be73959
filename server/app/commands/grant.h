// vitrine grant: an offer for everybody in a segment.
#pragma once

#include "server/app/commands/command.h"

namespace vitrine::app {

void add_grant(CLI::App& root, Invocation& invocation);

}  // namespace vitrine::app
