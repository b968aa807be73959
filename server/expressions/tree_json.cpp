#include "server/expressions/tree_json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "server/expressions/failure.h"
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"

namespace vitrine::expressions {
namespace {

namespace json = boost::json;
using Kind = Node::Kind;
using Read = absl::StatusOr<Node>;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// As the lexer reads names: words, with points between them.
bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '.';
  });
}

std::string_view shown(const std::string& path) {
  return path.empty() ? std::string_view("the tree") : std::string_view(path);
}

class TreeReader {
 public:
  explicit TreeReader(const Limits& limits) : limits_(limits) {}

  Read read(const json::value& value, const std::string& path, std::size_t depth) const {
    if (depth > limits_.depth_max) {
      return invalid_argument("{} must be at most {} operations deep", shown(path),
                              limits_.depth_max);
    }
    if (const bool* const truth = value.if_bool()) {
      return Node{.kind = Kind::boolean, .is_true = *truth};
    }
    if (const json::string* const text = value.if_string()) {
      return Node{.kind = Kind::text, .text = std::string(view(*text))};
    }
    if (value.is_number()) {
      return Node{.kind = Kind::number, .number = value.to_number<double>()};
    }
    if (const json::array* const values = value.if_array()) return list(*values, path, depth);
    if (const json::object* const object = value.if_object()) return inner(*object, path, depth);
    return invalid_argument("{} must be a value, a list, a name or an operation; got null",
                            shown(path));
  }

 private:
  Read list(const json::array& values, const std::string& path, std::size_t depth) const {
    Node node{.kind = Kind::list};
    for (const json::value& value : values) {
      VITRINE_ASSIGN_OR_RETURN(
          Node child, read(value, fmt::format("{}[{}]", path, node.children.size()), depth + 1));
      node.children.push_back(std::move(child));
    }
    return node;
  }

  Read inner(const json::object& object, const std::string& path, std::size_t depth) const {
    const json::value* const name = object.if_contains("name");
    const json::value* const operation = object.if_contains("op");
    if ((name == nullptr) == (operation == nullptr)) {
      return invalid_argument("{} must have either name or op", shown(path));
    }
    for (const json::key_value_pair& field : object) {
      const bool is_known = name != nullptr ? field.key() == "name" || field.key() == "key"
                                            : field.key() == "op" || field.key() == "args";
      if (!is_known) {
        return invalid_argument("{}.{} is not known here", path,
                                std::string_view(field.key().data(), field.key().size()));
      }
    }
    return name != nullptr ? named(object, *name, path) : call(object, *operation, path, depth);
  }

  static Read named(const json::object& object, const json::value& name, const std::string& path) {
    if (!name.is_string() || !is_name(view(name.get_string()))) {
      return invalid_argument("{} must have a name of a-z, 0-9, _ and points", shown(path));
    }
    Node node{.kind = Kind::name, .text = std::string(view(name.get_string()))};
    const json::value* const key = object.if_contains("key");
    if (key == nullptr) return node;
    if (!key->is_string()) return invalid_argument("{}.key must be a text", path);
    Node looked_up{.kind = Kind::key, .text = std::string(view(key->get_string())), .depth = 2};
    looked_up.children.push_back(std::move(node));
    return looked_up;
  }

  Read call(const json::object& object, const json::value& name, const std::string& path,
            std::size_t depth) const {
    const json::value* const operands = object.if_contains("args");
    if (!name.is_string() || operands == nullptr || !operands->is_array()) {
      return invalid_argument("{} must have op, a text, and args, an array", shown(path));
    }
    const json::array& args = operands->get_array();
    const auto spelling = std::ranges::find_if(spellings(), [&](const Spelling& known) {
      return known.text == view(name.get_string()) && fits(known, args.size());
    });
    if (spelling == spellings().end()) {
      return invalid_argument("{}.op must be an operation that takes {} args, got '{}'", path,
                              args.size(), quoted(view(name.get_string())));
    }
    Node node{.kind = Kind::call, .operation = spelling->operation};
    for (const json::value& operand : args) {
      const std::string place =
          fmt::format("{}{}args[{}]", path, path.empty() ? "" : ".", node.children.size());
      VITRINE_ASSIGN_OR_RETURN(Node child, read(operand, place, depth + 1));
      node.depth = std::max(node.depth, child.depth + 1);
      node.children.push_back(std::move(child));
    }
    return node;
  }

  static bool fits(const Spelling& spelling, std::size_t count) {
    const bool joins =
        spelling.operation == Operation::logical_or || spelling.operation == Operation::logical_and;
    return joins ? count >= spelling.operand_count : count == spelling.operand_count;
  }

  Limits limits_;
};

json::value name_json(const Node& node) { return json::object{{"name", node.text}}; }

}  // namespace

json::value to_json(const Node& tree) {
  switch (tree.kind) {
    case Kind::boolean:
      return tree.is_true;
    case Kind::number:
      return tree.number;
    case Kind::text:
      return json::string(tree.text);
    case Kind::name:
      return name_json(tree);
    case Kind::key:
      return json::object{{"name", tree.children.front().text}, {"key", tree.text}};
    case Kind::list:
    case Kind::call:
      break;
  }
  json::array children;
  for (const Node& child : tree.children) children.push_back(to_json(child));
  if (tree.kind == Kind::list) return children;
  const std::string_view operation = spelling_of(tree.operation).text;
  return json::object{{"op", json::string(operation.data(), operation.size())},
                      {"args", std::move(children)}};
}

// What text cannot say the parser refuses, so that there is one judge of what an expression is.
absl::StatusOr<Node> from_json(const boost::json::value& json, const Limits& limits) {
  VITRINE_ASSIGN_OR_RETURN(const Node tree, TreeReader(limits).read(json, "", 1));
  const std::string text = print(tree);
  absl::StatusOr<Node> parsed = parse(text, limits);
  if (parsed.ok()) return parsed;
  return invalid_argument("the tree says '{}': {}", quoted(text), message_of(parsed.status()));
}

}  // namespace vitrine::expressions
