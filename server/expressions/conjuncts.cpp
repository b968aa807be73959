#include "server/expressions/conjuncts.h"

#include <algorithm>
#include <utility>

namespace vitrine::expressions {
namespace {

bool is_and(const Node& node) {
  return node.kind == Node::Kind::call && node.operation == Operation::logical_and;
}

}  // namespace

std::vector<Node> conjuncts(const Node& tree) {
  if (!is_and(tree)) return {tree};
  std::vector<Node> parts;
  for (const Node& child : tree.children) {
    for (Node& part : conjuncts(child)) parts.push_back(std::move(part));
  }
  return parts;
}

Node all_of(std::vector<Node> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  Node all{.kind = Node::Kind::call, .operation = Operation::logical_and};
  all.column = parts.front().column;
  all.depth = 1 + std::ranges::max_element(parts, {}, &Node::depth)->depth;
  all.children = std::move(parts);
  return all;
}

}  // namespace vitrine::expressions
