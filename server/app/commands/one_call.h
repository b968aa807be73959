// A command that is one call of the API.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "server/app/commands/command.h"

namespace vitrine::app {

// The body of the answer. Errors: those of check_data(), of opening and of the call.
absl::StatusOr<std::string> ask(const Invocation& invocation, std::string_view method,
                                const std::string& target, std::string body = {},
                                bool must_exist = true);

}  // namespace vitrine::app
