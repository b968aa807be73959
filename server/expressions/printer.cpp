#include "server/expressions/printer.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace vitrine::expressions {
namespace {

using Kind = Node::Kind;

void append(const Node& node, std::string& out);

void append_text(std::string_view text, std::string& out) {
  out += '"';
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (letter == '\n') {
      out += "\\n";
    } else if (letter == '\t') {
      out += "\\t";
    } else if (letter == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(letter) < 0x20U) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(letter));
    } else {
      out += letter;
    }
  }
  out += '"';
}

int binding_of(const Node& node) {
  return node.kind == Kind::call ? spelling_of(node.operation).binding : k_binds_call;
}

void append_in_brackets(const Node& node, bool needs_brackets, std::string& out) {
  if (needs_brackets) out += '(';
  append(node, out);
  if (needs_brackets) out += ')';
}

// Sums and products take their operands from the left; nothing else may stand in its own like.
void append_infix(const Node& node, const Spelling& spelling, std::string& out) {
  const bool is_from_left = spelling.binding == k_binds_sum || spelling.binding == k_binds_product;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) fmt::format_to(std::back_inserter(out), " {} ", spelling.text);
    const int binding = binding_of(node.children[i]);
    const bool may_be_alike = is_from_left && i == 0;
    append_in_brackets(node.children[i],
                       binding < spelling.binding || (binding == spelling.binding && !may_be_alike),
                       out);
  }
}

void append_arguments(const Node& node, std::size_t first, std::string& out) {
  out += '(';
  for (std::size_t i = first; i < node.children.size(); ++i) {
    if (i > first) out += ", ";
    append(node.children[i], out);
  }
  out += ')';
}

void append_call(const Node& node, std::string& out) {
  const Spelling& spelling = spelling_of(node.operation);
  switch (spelling.form) {
    case Form::infix:
      return append_infix(node, spelling, out);
    case Form::prefix:
      out += spelling.text;
      return append_in_brackets(node.children.front(),
                                binding_of(node.children.front()) < k_binds_prefix, out);
    case Form::function:
      out += spelling.text;
      return append_arguments(node, 0, out);
    case Form::method: {
      const Node& receiver = node.children.front();
      append_in_brackets(receiver,
                         binding_of(receiver) < k_binds_call || receiver.kind == Kind::number, out);
      out += '.';
      out += spelling.text;
      return append_arguments(node, 1, out);
    }
  }
}

void append_list(const Node& node, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) out += ", ";
    append(node.children[i], out);
  }
  out += ']';
}

void append(const Node& node, std::string& out) {
  switch (node.kind) {
    case Kind::boolean:
      out += node.is_true ? "true" : "false";
      return;
    case Kind::number:
      fmt::format_to(std::back_inserter(out), "{}", node.number);
      return;
    case Kind::text:
      return append_text(node.text, out);
    case Kind::list:
      return append_list(node, out);
    case Kind::name:
      out += node.text;
      return;
    case Kind::key:
      append(node.children.front(), out);
      out += '[';
      append_text(node.text, out);
      out += ']';
      return;
    case Kind::call:
      return append_call(node, out);
  }
}

}  // namespace

std::string print(const Node& tree) {
  std::string text;
  append(tree, text);
  return text;
}

}  // namespace vitrine::expressions
