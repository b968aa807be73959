// Tree in, text out: parse(print(tree)) is the tree again.
//
// Pure functions; thread-safe.
#pragma once

#include <string>

#include "server/expressions/tree.h"

namespace vitrine::expressions {

// With the fewest brackets, texts in double quotes, one space around operators.
std::string print(const Node& tree);

}  // namespace vitrine::expressions
