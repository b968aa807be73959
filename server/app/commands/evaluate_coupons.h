// vitrine evaluate --coupons: how well redemptions of coupons are foretold.
//
// Reads a folder of campaigns, grants, redemptions and purchases, and judges what is said of each
// with only what came before it. One thread.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "server/app/commands/command.h"

namespace vitrine::app {

// split  TIME from which on grants and redemptions are judged; required
// InvalidArgument: no split, a file or a column that is missing, or nothing to judge.
absl::Status evaluate_coupons(const std::string& folder, const std::string& split,
                              const Invocation& invocation);

}  // namespace vitrine::app
