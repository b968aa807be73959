// The documentation shows every construct of the language, and every example of it is one.
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "server/expressions/parser.h"
#include "server/expressions/program.h"
#include "server/recommend/product_expression.h"

namespace vitrine::recommend {
namespace {

using expressions::Node;
using expressions::Operation;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
  }
}

// What stands in backquotes in the first cells of the tables.
std::vector<std::string> first_cells() {
  std::ifstream file(EXPRESSIONS_MD);
  EXPECT_TRUE(file) << EXPRESSIONS_MD;
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| ")) continue;
    std::string cell = line.substr(2, line.find(" | ", 2) - 2);
    replace_all(cell, "<code>", "`");
    replace_all(cell, "</code>", "`");
    replace_all(cell, "&#124;", "|");
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const std::size_t end = cell.find('`', at + 1);
      found.push_back(cell.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  return found;
}

void collect(const Node& node, std::set<Operation>& operations) {
  if (node.kind == Node::Kind::call) operations.insert(node.operation);
  for (const Node& child : node.children) collect(child, operations);
}

// Whether it is an example, and no name, value or comment by itself.
bool is_condition(const std::string& text) {
  const auto tree = expressions::parse(text);
  return !tree.ok() ? text.find("//") != 0 : tree->kind == Node::Kind::call;
}

TEST(DocumentedExpressionsTest, EveryConstructHasAnExampleThatIsOne) {
  std::set<Operation> shown;
  for (const std::string& text : first_cells()) {
    if (!is_condition(text)) continue;
    const auto tree = expressions::parse(text);
    ASSERT_TRUE(tree.ok()) << text << ": " << tree.status();
    const auto program = expressions::Program::compile(*tree, request_schema());
    EXPECT_TRUE(program.ok()) << text << ": " << program.status();
    collect(*tree, shown);
  }
  for (const expressions::Spelling& spelling : expressions::spellings()) {
    EXPECT_TRUE(shown.contains(spelling.operation)) << spelling.text << " is not documented";
  }
}

TEST(DocumentedExpressionsTest, EveryNameIsListed) {
  const std::vector<std::string> cells = first_cells();
  for (const expressions::Field& field : request_schema().fields()) {
    EXPECT_THAT(cells, testing::Contains(field.name)) << field.name << " is not documented";
  }
}

}  // namespace
}  // namespace vitrine::recommend
