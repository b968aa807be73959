// Every expression that the documentation shows about people is one.
#include <gmock/gmock.h>

#include <fstream>
#include <string>
#include <vector>

#include "server/segments/segment_programs.h"

namespace vitrine::segments {
namespace {

// What stands in backquotes in the first cells of the tables under "## People", and what is named.
std::vector<std::string> first_cells() {
  std::ifstream file(EXPRESSIONS_MD);
  EXPECT_TRUE(file) << EXPRESSIONS_MD;
  std::vector<std::string> found;
  bool is_about_people = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) is_about_people = line == "## People";
    if (!is_about_people || !line.starts_with("| `")) continue;
    const std::string cell = line.substr(2, line.find(" | ", 2) - 2);
    for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const std::size_t end = cell.find('`', at + 1);
      found.push_back(cell.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  return found;
}

TEST(DocumentedExpressionsTest, AllAreReadAndEveryNameIsThere) {
  std::size_t expressions = 0;
  std::size_t names = 0;
  for (const std::string& text : first_cells()) {
    const bool is_name = text.find_first_of(" (") == std::string::npos;
    if (is_name) {
      EXPECT_TRUE(person_schema().find(text).has_value()) << text;
    } else {
      EXPECT_TRUE(compile_for_people(text).ok())
          << text << ": " << compile_for_people(text).status();
    }
    ++(is_name ? names : expressions);
  }
  EXPECT_GE(expressions, 12U);
  EXPECT_EQ(names, person_schema().fields().size()) << "a name is not documented";
}

}  // namespace
}  // namespace vitrine::segments
