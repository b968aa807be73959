// What must hold all together, one by one: a && b && c in parts, and back.
//
// Pure functions; thread-safe.
#pragma once

#include <vector>

#include "server/expressions/tree.h"

namespace vitrine::expressions {

// At least one; brackets around an && do not hide what is in them.
std::vector<Node> conjuncts(const Node& tree);
// Precondition: at least one.
Node all_of(std::vector<Node> parts);

}  // namespace vitrine::expressions
