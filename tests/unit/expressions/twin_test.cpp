// The compiled form against a slow twin that walks the tree, over random expressions and subjects.
#include <gmock/gmock.h>

#include <cmath>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "model/product.h"
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"
#include "server/expressions/program.h"
#include "tests/unit/expressions/made_subject.h"

namespace vitrine::expressions {
namespace {

constexpr TimeMs k_now_ms = 100 * k_day_ms;

// What a part of an expression is worth; the first alternative: nothing.
using Worth = std::variant<std::monostate, bool, double, std::string, std::vector<std::string>,
                           std::vector<double>>;

bool is_missing(const Worth& worth) { return std::holds_alternative<std::monostate>(worth); }
bool is_truth(const Worth& worth) { return !is_missing(worth) && std::get<bool>(worth); }

Worth worth_of(const Node& node, const MadeSubject& subject);

Worth named(const std::string& name, const MadeSubject& subject) {
  const std::size_t slot = *made_schema().find(name);
  switch (made_schema().field(slot).type) {
    case Type::boolean:
      if (const auto truth = subject.boolean(slot)) return *truth;
      return {};
    case Type::number:
    case Type::time:
      if (const auto number = subject.number(slot)) return *number;
      return {};
    case Type::text:
      if (const auto text = subject.text(slot)) return std::string(*text);
      return {};
    default:
      return std::vector<std::string>(subject.texts(slot).begin(), subject.texts(slot).end());
  }
}

bool is_in(const Node& node, const Worth& wanted, const MadeSubject& subject) {
  if (is_missing(wanted)) return false;
  const Worth list = worth_of(node, subject);
  if (const auto* const numbers = std::get_if<std::vector<double>>(&list)) {
    return std::ranges::count(*numbers, std::get<double>(wanted)) > 0;
  }
  for (const std::string& text : std::get<std::vector<std::string>>(list)) {
    const std::string& searched = std::get<std::string>(wanted);
    if (text == searched) return true;
    if (node.text == "categories" && text.starts_with(searched + " > ")) return true;
  }
  return false;
}

Worth compared(Operation operation, const Worth& a, const Worth& b) {
  if (is_missing(a) || is_missing(b)) return false;
  switch (operation) {
    case Operation::equal:
      return a == b;
    case Operation::not_equal:
      return a != b;
    case Operation::less:
      return a < b;
    case Operation::less_equal:
      return a <= b;
    case Operation::greater:
      return a > b;
    default:
      return a >= b;
  }
}

Worth calculated(Operation operation, const Worth& a, const Worth& b) {
  if (is_missing(a) || is_missing(b)) return {};
  const double x = std::get<double>(a);
  const double y = std::get<double>(b);
  double result = 0;
  if (operation == Operation::add) result = x + y;
  if (operation == Operation::subtract) result = x - y;
  if (operation == Operation::multiply) result = x * y;
  if (operation == Operation::divide) result = x / y;
  if (operation == Operation::remainder) result = std::fmod(x, y);
  if (!std::isfinite(result)) return {};
  return result;
}

Worth called(const Node& node, const MadeSubject& subject) {
  const Worth first = worth_of(node.children[0], subject);
  switch (node.operation) {
    case Operation::logical_or: {
      bool any = false;
      for (const Node& child : node.children) any = any || is_truth(worth_of(child, subject));
      return any;
    }
    case Operation::logical_and: {
      bool all = true;
      for (const Node& child : node.children) all = all && is_truth(worth_of(child, subject));
      return all;
    }
    case Operation::logical_not:
      return !is_truth(first);
    case Operation::negate:
      return is_missing(first) ? Worth() : Worth(-std::get<double>(first));
    case Operation::has:
      return !is_missing(first);
    case Operation::timestamp:
      return static_cast<double>(*parse_time(node.children[0].text));
    case Operation::days_since:
      if (is_missing(first)) return {};
      return std::floor((k_now_ms - std::get<double>(first)) / k_day_ms);
    case Operation::in:
      return is_in(node.children[1], first, subject);
    case Operation::contains: {
      const Worth part = worth_of(node.children[1], subject);
      if (is_missing(first) || is_missing(part)) return false;
      return std::get<std::string>(first).find(std::get<std::string>(part)) != std::string::npos;
    }
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::divide:
    case Operation::remainder:
      return calculated(node.operation, first, worth_of(node.children[1], subject));
    default:
      return compared(node.operation, first, worth_of(node.children[1], subject));
  }
}

Worth worth_of(const Node& node, const MadeSubject& subject) {
  switch (node.kind) {
    case Node::Kind::boolean:
      return node.is_true;
    case Node::Kind::number:
      return node.number;
    case Node::Kind::text:
      return node.text;
    case Node::Kind::name:
      return named(node.text, subject);
    case Node::Kind::key:
      if (const auto found = subject.attributes.find(node.text); found != subject.attributes.end())
        return found->second;
      return {};
    case Node::Kind::list: {
      std::vector<std::string> texts;
      std::vector<double> numbers;
      for (const Node& child : node.children) {
        if (child.kind == Node::Kind::text) texts.push_back(child.text);
        if (child.kind == Node::Kind::number) numbers.push_back(child.number);
      }
      return texts.empty() ? Worth(numbers) : Worth(texts);
    }
    case Node::Kind::call:
      return called(node, subject);
  }
  return {};
}

// Expressions whose types are right, and subjects with holes.
class Writer {
 public:
  explicit Writer(unsigned seed) : chance_(seed) {}

  std::string truth(int depth) {
    if (depth == 0) return one_of({"in_stock", "hidden", "true", "false", "has(brand)"});
    switch (below(9)) {
      case 0:
        return '(' + truth(depth - 1) + " && " + truth(depth - 1) + ')';
      case 1:
        return '(' + truth(depth - 1) + " || " + truth(depth - 1) + " || " + truth(depth - 1) + ')';
      case 2:
        return '!' + truth(depth - 1);
      case 3:
        return '(' + number(depth - 1) + relation() + number(depth - 1) + ')';
      case 4:
        return '(' + text() + relation() + text() + ')';
      case 5:
        return '(' + text() + " in " +
               one_of({"markets", "categories", "['a','b','Home']", "['']"}) + ')';
      case 6:
        return '(' + number(depth - 1) + " in [1, 2.5, -3])";
      case 7:
        return text() + ".contains(" + text() + ')';
      default:
        return one_of({"has(price)", "has(attributes.color)", "(in_stock == hidden)",
                       "(in_stock != true)", "(created_at < timestamp('1970-03-01'))"});
    }
  }

  MadeSubject subject() {
    MadeSubject made;
    for (const char* name : {"price", "list_price", "user.orders_count"}) {
      if (below(4) > 0) made.numbers[name] = std::stod(one_of({"1", "2.5", "-3", "0", "19.9"}));
    }
    if (below(4) > 0) made.numbers["created_at"] = static_cast<double>(k_day_ms * below(120) + 7);
    for (const char* name : {"brand", "title"}) {
      if (below(4) > 0) made.texts_by_name[name] = one_of({"a", "b", "ab", "Home", ""});
    }
    for (const char* name : {"in_stock", "hidden"}) {
      if (below(4) > 0) made.truths[name] = below(2) == 0;
    }
    if (below(3) > 0) made.lists["markets"] = {one_of({"a", "b"}), "Home"};
    if (below(3) > 0) made.lists["categories"] = {one_of({"Home > b", "a > Home", "b"})};
    if (below(3) > 0) made.attributes["color"] = one_of({"a", "b"});
    return made;
  }

 private:
  int below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(chance_); }
  std::string one_of(const std::vector<std::string>& texts) {
    return texts[static_cast<std::size_t>(below(static_cast<int>(texts.size())))];
  }
  std::string relation() { return one_of({" == ", " != ", " < ", " <= ", " > ", " >= "}); }
  std::string text() {
    return one_of(
        {"brand", "title", "'a'", "'Home'", "''", "attributes.color", "attributes['color']"});
  }
  std::string number(int depth) {
    if (depth <= 0 || below(2) == 0) {
      return one_of({"price", "list_price", "user.orders_count", "1", "2.5", "-3", "0",
                     "days_since(created_at)"});
    }
    return '(' + number(depth - 1) + one_of({" + ", " - ", " * ", " / ", " % "}) +
           number(depth - 1) + ')';
  }

  std::mt19937 chance_;
};

// attributes.color is a name to the parser; the twin knows keys only.
void name_keys(Node& node) {
  for (Node& child : node.children) name_keys(child);
  if (node.kind != Node::Kind::name || node.text != "attributes.color") return;
  node.kind = Node::Kind::key;
  node.text = "color";
}

TEST(TwinTest, AgreesWithASlowTwinOnRandomExpressionsAndPrintsThemBack) {
  Writer writer(7);
  int held = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = writer.truth(i % 5);
    const auto tree = parse(text);
    ASSERT_TRUE(tree.ok()) << text << ": " << tree.status();
    ASSERT_EQ(*parse(print(*tree)), *tree) << text;
    const auto program = Program::compile(*tree, made_schema());
    ASSERT_TRUE(program.ok()) << text << ": " << program.status();
    Node keyed = *tree;
    name_keys(keyed);
    for (int j = 0; j < 10; ++j) {
      const MadeSubject subject = writer.subject();
      const bool expected = is_truth(worth_of(keyed, subject));
      ASSERT_EQ(program->holds(subject, k_now_ms), expected) << text;
      held += expected ? 1 : 0;
    }
  }
  // Neither everything nor nothing held, so the comparison means something.
  EXPECT_GT(held, 3000);
  EXPECT_LT(held, 27000);
}

}  // namespace
}  // namespace vitrine::expressions
