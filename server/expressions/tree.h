// An expression as a tree: what it says, before anybody asks whether the names in it exist.
//
// Thread-safe (values).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/expressions/operation.h"

namespace vitrine::expressions {

struct Limits {
  std::size_t bytes_max = 4096;        // of the text
  std::size_t depth_max = 32;          // of operations in operations, and of brackets in brackets
  std::size_t list_values_max = 1000;  // of one list
};

struct Node {
  enum class Kind : std::uint8_t {
    boolean,
    number,
    text,
    list,  // children are literals
    name,  // "price", "user.orders_count"
    key,   // attributes["color"]: `text` is the key, the only child the name it is looked up in
    call   // of `operation` on the children; && and || have two or more
  };

  Kind kind = Kind::boolean;
  Operation operation = Operation::logical_or;  // of a call
  bool is_true = false;                         // of a boolean
  double number = 0;                            // of a number
  std::string text = {};                        // of a text, a name, a key
  std::vector<Node> children = {};
  std::size_t column = 1;  // where it stands: the operator of a call; in characters, from 1
  std::size_t depth = 1;   // of the tree below, itself included

  // Whether both say the same, wherever they stand.
  friend bool operator==(const Node& a, const Node& b) {
    return a.kind == b.kind && a.operation == b.operation && a.is_true == b.is_true &&
           a.number == b.number && a.text == b.text && a.children == b.children;
  }
};

}  // namespace vitrine::expressions
