// Columns by name, and refusals that say where.
#include "training/table_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/status.h"
#include "tests/support/temp_folder.h"

namespace vitrine::training {
namespace {

class TableFileTest : public testing::Test {
 protected:
  // "b|a" of every row.
  absl::StatusOr<std::vector<std::string>> read(const std::string& text) {
    const std::filesystem::path path = folder_ / "table.csv";
    std::ofstream(path) << text;
    std::vector<std::string> rows;
    const std::vector<std::string_view> columns = {"b", "a"};
    VITRINE_RETURN_IF_ERROR(
        read_table(path, columns, [&](std::span<const std::string_view> row) -> absl::Status {
          if (row[0] == "bad") return invalid_argument("b must not be bad");
          rows.push_back(std::string(row[0]) + "|" + std::string(row[1]));
          return absl::OkStatus();
        }));
    return rows;
  }

  TempFolder folder_;  // of this test alone: others run beside it
};

TEST_F(TableFileTest, GivesTheNamedColumnsInTheOrderAsked) {
  EXPECT_THAT(read("a,x,b\n1,2,3\r\n\n\"4,\"\"5\",,\n").value(),
              testing::ElementsAre("3|1", "|4,\"5"));
}

TEST_F(TableFileTest, NamesTheColumnThatIsMissing) {
  EXPECT_THAT(std::string(message_of(read("a,x\n1,2\n").status())),
              testing::HasSubstr("line 1: the header has no column 'b'"));
}

TEST_F(TableFileTest, NamesTheLineOfARowThatIsTooShortOrRefused) {
  EXPECT_THAT(std::string(message_of(read("a,b\n1,2\n3\n").status())),
              testing::HasSubstr("line 3: 1 fields, the header has 2"));
  EXPECT_THAT(std::string(message_of(read("a,b\n1,bad\n").status())),
              testing::HasSubstr("line 2: b must not be bad"));
}

TEST_F(TableFileTest, RefusesAnEmptyFileAndOneThatIsNotThere) {
  EXPECT_FALSE(read("").ok());
  EXPECT_TRUE(absl::IsNotFound(read_table("/nowhere.csv", {}, {})));
}

TEST(ParseNumberTest, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_number("n", "-1.5").value(), -1.5);
  for (const std::string_view text : {"", "1x", "nan", "inf", " 1"})
    EXPECT_FALSE(parse_number("n", text).ok()) << text;
}

}  // namespace
}  // namespace vitrine::training
