// evaluate --sessions: how well the next click of a session is foretold.
//
// Reads two files of clicks, learns the first and replays the second click by click. One thread.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "server/app/commands/command.h"

namespace vitrine::app {

// InvalidArgument: a row without session, product or time; files without a prediction.
absl::Status evaluate_sessions(const std::string& train_file, const std::string& test_file,
                               const Invocation& invocation);

}  // namespace vitrine::app
