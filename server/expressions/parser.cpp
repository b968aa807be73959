#include "server/expressions/parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/expressions/failure.h"
#include "server/expressions/lexer.h"

namespace vitrine::expressions {
namespace {

using Kind = Node::Kind;
using Parsed = absl::StatusOr<Node>;

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> k_words_elsewhere = {
    {{"and", "write && for 'and'"},
     {"AND", "write && for 'and'"},
     {"or", "write || for 'or'"},
     {"OR", "write || for 'or'"},
     {"not", "write !a for 'not a', and !(a in [...])"},
     {"NOT", "write !a for 'not a', and !(a in [...])"},
     {"True", "write true, in small letters"},
     {"TRUE", "write true, in small letters"},
     {"False", "write false, in small letters"},
     {"FALSE", "write false, in small letters"},
     {"IN", "write in, in small letters"},
     {"is", "write == to compare"},
     {"like", "write name.contains(\"text\")"}}};

std::optional<std::string_view> hint_for(std::string_view word) {
  const auto found =
      std::ranges::find(k_words_elsewhere, word, [](const auto& known) { return known.first; });
  if (found == k_words_elsewhere.end()) return std::nullopt;
  return found->second;
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, const Limits& limits)
      : tokens_(std::move(tokens)), limits_(limits) {}

  Parsed all() {
    if (now().kind == Token::Kind::end) return wrong_at(1, "expected a condition, got nothing");
    VITRINE_ASSIGN_OR_RETURN(Node tree, joined(k_binds_or));
    if (now().kind == Token::Kind::end) return tree;
    return unexpected("an operator or the end");
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  bool is_sign(std::string_view sign) const {
    return now().kind == Token::Kind::sign && now().text == sign;
  }
  bool takes(std::string_view sign) {
    if (!is_sign(sign)) return false;
    ++at_;
    return true;
  }

  absl::Status unexpected(std::string_view expected) const {
    const Token& token = now();
    if (token.kind == Token::Kind::word) {
      if (const auto hint = hint_for(token.text)) {
        return wrong_at(token.column, "expected {}, got '{}': {}", expected, token.text, *hint);
      }
    }
    switch (token.kind) {
      case Token::Kind::end:
        return wrong_at(token.column, "expected {}, but the expression ends here", expected);
      case Token::Kind::text:
        return wrong_at(token.column, "expected {}, got the text \"{}\"", expected,
                        quoted(token.text));
      case Token::Kind::number:
        return wrong_at(token.column, "expected {}, got the number {}", expected, token.number);
      case Token::Kind::word:
      case Token::Kind::sign:
        break;
    }
    return wrong_at(token.column, "expected {}, got '{}'", expected, quoted(token.text));
  }

  absl::Status expect(std::string_view sign, std::string_view why) {
    if (takes(sign)) return absl::OkStatus();
    return unexpected(fmt::format("'{}' {}", sign, why));
  }

  Parsed call(Operation operation, std::size_t column, std::vector<Node> operands) const {
    Node node{.kind = Kind::call, .operation = operation, .column = column};
    for (const Node& operand : operands) node.depth = std::max(node.depth, operand.depth + 1);
    if (node.depth > limits_.depth_max) return too_deep(column);
    node.children = std::move(operands);
    return node;
  }

  absl::Status too_deep(std::size_t column) const {
    return wrong_at(column, "an expression may be at most {} operations deep", limits_.depth_max);
  }

  // && and ||: one call with all that they join, so that a long list of alternatives is not deep.
  Parsed joined(int binding) {
    const bool is_or = binding == k_binds_or;
    const std::string_view sign = is_or ? "||" : "&&";
    if (++nested_ > 3 * limits_.depth_max) return too_deep(now().column);
    VITRINE_ASSIGN_OR_RETURN(Node first, is_or ? joined(k_binds_and) : relation());
    std::vector<Node> operands;
    std::size_t column = 0;
    while (is_sign(sign)) {
      if (operands.empty()) {
        column = now().column;
        operands.push_back(std::move(first));
      }
      ++at_;
      VITRINE_ASSIGN_OR_RETURN(Node next, is_or ? joined(k_binds_and) : relation());
      operands.push_back(std::move(next));
    }
    --nested_;
    if (operands.empty()) return first;
    return call(is_or ? Operation::logical_or : Operation::logical_and, column,
                std::move(operands));
  }

  std::optional<Operation> operator_of(int binding) const {
    const bool is_word_in = now().kind == Token::Kind::word && now().text == "in";
    if (now().kind != Token::Kind::sign && !is_word_in) return std::nullopt;
    const auto operation = find_operation(now().text, Form::infix);
    if (!operation || spelling_of(*operation).binding != binding) return std::nullopt;
    return operation;
  }

  Parsed relation() {
    VITRINE_ASSIGN_OR_RETURN(Node left, arithmetic(k_binds_sum));
    const auto operation = operator_of(k_binds_relation);
    if (!operation) return left;
    const std::size_t column = now().column;
    ++at_;
    VITRINE_ASSIGN_OR_RETURN(Node right, arithmetic(k_binds_sum));
    if (operator_of(k_binds_relation)) {
      return wrong_at(now().column,
                      "expected && or ||, got '{}': comparisons do not chain, write "
                      "a < b && b < c",
                      now().text);
    }
    return pair(*operation, column, std::move(left), std::move(right));
  }

  Parsed pair(Operation operation, std::size_t column, Node left, Node right) const {
    std::vector<Node> operands;
    operands.push_back(std::move(left));
    operands.push_back(std::move(right));
    return call(operation, column, std::move(operands));
  }

  Parsed arithmetic(int binding) {
    const auto operand = [&] {
      return binding == k_binds_sum ? arithmetic(k_binds_product) : prefixed();
    };
    VITRINE_ASSIGN_OR_RETURN(Node left, operand());
    while (const auto operation = operator_of(binding)) {
      const std::size_t column = now().column;
      ++at_;
      VITRINE_ASSIGN_OR_RETURN(Node right, operand());
      VITRINE_ASSIGN_OR_RETURN(left, pair(*operation, column, std::move(left), std::move(right)));
    }
    return left;
  }

  Parsed prefixed() {
    if (!is_sign("!") && !is_sign("-")) return postfixed();
    const Token sign = now();
    ++at_;
    if (++nested_ > 3 * limits_.depth_max) return too_deep(sign.column);
    VITRINE_ASSIGN_OR_RETURN(Node operand, prefixed());
    --nested_;
    if (sign.text == "-" && operand.kind == Kind::number && operand.number >= 0) {
      operand.number = -operand.number;  // a negative number is a value, in lists too
      operand.column = sign.column;
      return operand;
    }
    std::vector<Node> operands;
    operands.push_back(std::move(operand));
    return call(*find_operation(sign.text, Form::prefix), sign.column, std::move(operands));
  }

  Parsed postfixed() {
    VITRINE_ASSIGN_OR_RETURN(Node node, primary());
    while (true) {
      if (is_sign(".")) {
        VITRINE_ASSIGN_OR_RETURN(node, method(std::move(node)));
      } else if (is_sign("[")) {
        VITRINE_ASSIGN_OR_RETURN(node, looked_up(std::move(node)));
      } else {
        return node;
      }
    }
  }

  // attributes["color"]
  Parsed looked_up(Node map) {
    const std::size_t column = now().column;
    ++at_;
    if (map.kind != Kind::name) {
      return wrong_at(column, "only a name can be followed by [\"key\"]");
    }
    if (now().kind != Token::Kind::text) return unexpected("a key in quotes");
    Node node{.kind = Kind::key, .text = now().text, .column = map.column};
    ++at_;
    VITRINE_RETURN_IF_ERROR(expect("]", "after the key"));
    node.depth = map.depth + 1;
    node.children.push_back(std::move(map));
    return node;
  }

  Parsed method(Node receiver) {
    ++at_;
    const Token name = now();
    if (name.kind != Token::Kind::word) return unexpected("the name of a method after '.'");
    ++at_;
    const auto operation = find_operation(name.text, Form::method);
    if (!operation) {
      return wrong_at(name.column,
                      "unknown method '{}': there are contains, startsWith and "
                      "endsWith",
                      quoted(name.text));
    }
    if (!is_sign("(")) return unexpected(fmt::format("'(' after '{}'", name.text));
    std::vector<Node> operands;
    operands.push_back(std::move(receiver));
    VITRINE_RETURN_IF_ERROR(arguments(name.text, operands));
    return checked_call(*operation, name, std::move(operands));
  }

  absl::Status arguments(std::string_view function, std::vector<Node>& operands) {
    if (++nested_ > 3 * limits_.depth_max) return too_deep(now().column);
    ++at_;
    while (!takes(")")) {
      VITRINE_ASSIGN_OR_RETURN(Node operand, joined(k_binds_or));
      operands.push_back(std::move(operand));
      if (is_sign(")")) continue;
      VITRINE_RETURN_IF_ERROR(expect(",", fmt::format("or ')' in the call of {}", function)));
      if (is_sign(")")) return unexpected("another argument after ','");
    }
    --nested_;
    return absl::OkStatus();
  }

  Parsed checked_call(Operation operation, const Token& name, std::vector<Node> operands) const {
    const Spelling& spelling = spelling_of(operation);
    if (operands.size() == spelling.operand_count) {
      return call(operation, name.column, std::move(operands));
    }
    const std::size_t receiver = spelling.form == Form::method ? 1 : 0;
    return wrong_at(name.column, "{} takes {} argument{}, got {}", spelling.text,
                    spelling.operand_count - receiver,
                    spelling.operand_count - receiver == 1 ? "" : "s", operands.size() - receiver);
  }

  Parsed primary() {
    const Token token = now();
    switch (token.kind) {
      case Token::Kind::number:
        ++at_;
        return Node{.kind = Kind::number, .number = token.number, .column = token.column};
      case Token::Kind::text:
        ++at_;
        return Node{.kind = Kind::text, .text = token.text, .column = token.column};
      case Token::Kind::word:
        return word();
      case Token::Kind::sign:
        if (takes("(")) return bracketed(token.column);
        if (takes("[")) return list(token.column);
        break;
      case Token::Kind::end:
        break;
    }
    return unexpected(after_what());
  }

  std::string after_what() const {
    if (at_ == 0) return "a condition";
    const Token& before = tokens_[at_ - 1];
    if (before.text.empty()) return "a value";
    return fmt::format("a value after '{}'", quoted(before.text));
  }

  Parsed bracketed(std::size_t column) {
    if (++nested_ > 3 * limits_.depth_max) return too_deep(column);
    VITRINE_ASSIGN_OR_RETURN(Node inner, joined(k_binds_or));
    --nested_;
    VITRINE_RETURN_IF_ERROR(expect(")", fmt::format("for the '(' of column {}", column)));
    return inner;
  }

  Parsed list(std::size_t column) {
    Node node{.kind = Kind::list, .column = column};
    while (!takes("]")) {
      VITRINE_ASSIGN_OR_RETURN(Node value, prefixed());
      if (value.kind != Kind::text && value.kind != Kind::number) {
        return wrong_at(value.column, "expected a text or a number as a value of the list");
      }
      if (!node.children.empty() && node.children.front().kind != value.kind) {
        return wrong_at(value.column, "expected all values of the list to be {}",
                        value.kind == Kind::text ? "numbers, as the first" : "texts, as the first");
      }
      if (node.children.size() == limits_.list_values_max) {
        return wrong_at(value.column, "a list may have at most {} values", limits_.list_values_max);
      }
      node.children.push_back(std::move(value));
      if (is_sign("]")) continue;
      VITRINE_RETURN_IF_ERROR(expect(",", "or ']' in the list"));
      if (is_sign("]")) return unexpected("another value after ','");
    }
    if (node.children.empty()) {
      return wrong_at(column, "expected a value in the list: nothing is in an empty one");
    }
    return node;
  }

  Parsed word() {
    const Token first = now();
    if (const auto hint = hint_for(first.text)) {
      return wrong_at(first.column, "expected a value, got '{}': {}", first.text, *hint);
    }
    if (first.text == "in") return unexpected(after_what());
    if (first.text == "null") {
      return wrong_at(first.column, "there is no null: has(name) asks whether there is a value");
    }
    ++at_;
    if (first.text == "true" || first.text == "false") {
      return Node{.kind = Kind::boolean, .is_true = first.text == "true", .column = first.column};
    }
    Node name{.kind = Kind::name, .text = first.text, .column = first.column};
    while (is_sign(".") && !is_method_next()) {
      ++at_;
      if (now().kind != Token::Kind::word) return unexpected("a name after '.'");
      name.text += '.' + now().text;
      ++at_;
    }
    if (!is_sign("(")) return name;
    return function(first, name.text);
  }

  // Whether what follows the point is called on the name before it, as in title.contains("x").
  bool is_method_next() const {
    const bool has_call = at_ + 2 < tokens_.size() && tokens_[at_ + 1].kind == Token::Kind::word &&
                          tokens_[at_ + 2].kind == Token::Kind::sign &&
                          tokens_[at_ + 2].text == "(";
    if (!has_call) return false;
    const std::string whole = tokens_[at_ - 1].text + '.' + tokens_[at_ + 1].text;
    return !find_operation(whole, Form::function).has_value();
  }

  Parsed function(const Token& first, const std::string& name) {
    const auto operation = find_operation(name, Form::function);
    if (!operation) {
      if (find_operation(name, Form::method)) {
        return wrong_at(first.column, "{} is called on a value: name.{}(\"text\")", name, name);
      }
      return wrong_at(first.column, "unknown function '{}': there are {}", quoted(name),
                      function_names());
    }
    std::vector<Node> operands;
    VITRINE_RETURN_IF_ERROR(arguments(name, operands));
    Token named = first;
    named.text = name;
    return checked_call(*operation, named, std::move(operands));
  }

  static std::string function_names() {
    std::string names;
    for (const Spelling& spelling : spellings()) {
      if (spelling.form != Form::function) continue;
      if (!names.empty()) names += ", ";
      names += spelling.text;
    }
    return names;
  }

  std::vector<Token> tokens_;
  Limits limits_;
  std::size_t at_ = 0;
  std::size_t nested_ = 0;  // brackets, calls and prefixes that are open: bounds our own recursion
};

}  // namespace

absl::StatusOr<Node> parse(std::string_view text, const Limits& limits) {
  VITRINE_ASSIGN_OR_RETURN(std::vector<Token> tokens, tokens_of(text, limits));
  return Parser(std::move(tokens), limits).all();
}

}  // namespace vitrine::expressions
