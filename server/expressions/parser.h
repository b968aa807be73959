// Text in, tree out.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "server/expressions/tree.h"

namespace vitrine::expressions {

// InvalidArgument, with the column and what was expected there.
absl::StatusOr<Node> parse(std::string_view text, const Limits& limits = {});

}  // namespace vitrine::expressions
