// A tree in the form that editors work on: {"op": "<", "args": [{"name": "price"}, 50]}.
//
// Texts, numbers and truth values stand for themselves, a list of values is a JSON array, a name is
// {"name": "price"}, a key {"name": "attributes", "key": "color"}, every operation {"op", "args"}.
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <boost/json/value.hpp>

#include "server/expressions/tree.h"

namespace vitrine::expressions {

boost::json::value to_json(const Node& tree);

// InvalidArgument names the place in the tree ("args[1].op") and what is allowed there. A tree that
// text could not say, such as a list in a list, is refused.
absl::StatusOr<Node> from_json(const boost::json::value& json, const Limits& limits = {});

}  // namespace vitrine::expressions
