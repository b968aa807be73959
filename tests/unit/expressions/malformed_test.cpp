// Every malformed expression of a collection gets a message with its column and what to write
// instead.
//
// malformed.txt has an expression a line, with \\ and \n escaped, a tab, and the whole message.
#include <gmock/gmock.h>

#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/expressions/parser.h"
#include "server/expressions/program.h"
#include "tests/unit/expressions/made_subject.h"

namespace vitrine::expressions {
namespace {

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    ++i;
    plain += text[i] == 'n' ? '\n' : text[i];
  }
  return plain;
}

std::string message_for(std::string_view text) {
  const auto tree = parse(text);
  if (!tree.ok()) return std::string(message_of(tree.status()));
  const auto program = Program::compile(*tree, made_schema());
  return program.ok() ? "accepted" : std::string(message_of(program.status()));
}

TEST(MalformedTest, GetsAMessageWithTheColumnAndWhatWasExpected) {
  std::ifstream file(MALFORMED_EXPRESSIONS);
  ASSERT_TRUE(file) << MALFORMED_EXPRESSIONS;
  std::size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const std::size_t tab = line.find('\t');
    const std::string text = unescaped(line.substr(0, tab));
    const std::string message = message_for(text);
    EXPECT_EQ(message, tab == std::string::npos ? "" : line.substr(tab + 1)) << text;
    EXPECT_THAT(message, testing::MatchesRegex("column [0-9]+: .+")) << text;
  }
  EXPECT_GE(count, 300U);
}

}  // namespace
}  // namespace vitrine::expressions
