#include "server/app/terminal/table.h"

#include <gmock/gmock.h>

#include "server/app/api_client.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

TEST(Table, LinesUpColumnsByWhatTheEyeSees) {
  Table table({{"name"}, {"count", Table::Align::right}});
  table.add_row({"café", "7"});
  table.add_row({"茶碗", "1,234"});
  EXPECT_EQ(table.text(false),
            "name  count\n"
            "────  ─────\n"
            "café      7\n"
            "茶碗  1,234\n");
}

TEST(Table, CutsLongCellsAndPutsNoBlanksAtTheEnd) {
  Table table({{"n"}, {"t", Table::Align::left, 5}});
  table.add_row({"1", "abcdefgh"});
  table.add_row({"2", "x"});
  EXPECT_EQ(table.text(false),
            "n  t\n"
            "─  ─────\n"
            "1  abcd…\n"
            "2  x\n");
}

TEST(Style, ColoursOnlyWhenAsked) {
  EXPECT_EQ(styled("x", Colour::red, false), "x");
  EXPECT_EQ(styled("x", Colour::red, true), "\x1b[31mx\x1b[0m");
}

TEST(Style, WritesNumbersForPeople) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(502'848), "502,848");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(3 * 1024 * 1024 / 2), "1.5 MiB");
  EXPECT_EQ(duration_text(0.25), "250 ms");
  EXPECT_EQ(duration_text(125), "2 min 5 s");
}

TEST(ApiClient, EncodesIdsForPathsAndQueries) {
  EXPECT_EQ(url_encoded("a-b_1.2~"), "a-b_1.2~");
  EXPECT_EQ(url_encoded("a/b?c d&é"), "a%2Fb%3Fc%20d%26%C3%A9");
}

}  // namespace
}  // namespace vitrine::app
