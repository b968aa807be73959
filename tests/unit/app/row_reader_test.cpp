#include "server/app/import/row_reader.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "tests/unit/app/import_files.h"

namespace vitrine::app {
namespace {

using ::testing::HasSubstr;

// Rows as "line:name=text|name=text" or "line!reason".
std::vector<std::string> rows_of(const std::filesystem::path& path) {
  absl::StatusOr<RowReader> reader = RowReader::open(path);
  EXPECT_TRUE(reader.ok()) << reader.status();
  std::vector<std::string> rows;
  Row row;
  while (true) {
    const absl::StatusOr<bool> found = reader->next(row);
    EXPECT_TRUE(found.ok()) << found.status();
    if (!found.ok() || !*found) return rows;
    std::string text = std::to_string(row.line) + (row.refusal.empty() ? ":" : "!" + row.refusal);
    for (const RowField& field : row.fields) {
      text +=
          std::string(field.name) + "=" + std::string(field.text) + (field.is_json ? "*|" : "|");
    }
    rows.push_back(std::move(text));
  }
}

class RowReaderTest : public ::testing::Test {
 protected:
  std::vector<std::string> rows(std::string_view text) {
    return rows_of(write_text(folder_ / "file", text));
  }
  TempFolder folder_;
};

TEST_F(RowReaderTest, ReadsCsvWithAnyLineEndAndLeavesEmptyCellsOut) {
  EXPECT_EQ(rows("\xEF\xBB\xBF"
                 "a,b\r\n1,\r\n\r\n2,3"),
            (std::vector<std::string>{"2:a=1|", "4:a=2|b=3|"}));
}

TEST_F(RowReaderTest, JoinsLinesInsideQuotes) {
  EXPECT_EQ(rows("a,b\n\"one\ntwo\",x\n3,4\n"),
            (std::vector<std::string>{"2:a=one\ntwo|b=x|", "4:a=3|b=4|"}));
}

TEST_F(RowReaderTest, AQuoteThatIsNeverClosedCostsOneLineOnly) {
  const std::vector<std::string> read = rows("a,b\n\"lost,1\n2,3\n4,5\n");
  ASSERT_EQ(read.size(), 3U);
  EXPECT_THAT(read[0], HasSubstr("2!a quote is not closed"));
  EXPECT_EQ(read[1], "3:a=2|b=3|");
  EXPECT_EQ(read[2], "4:a=4|b=5|");
}

TEST_F(RowReaderTest, SaysWhichLineHasTheWrongNumberOfFields) {
  const std::vector<std::string> read = rows("a,b\n1,2,3\n4,5\n");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0], "2!the line has 3 fields, the header 2");
}

TEST_F(RowReaderTest, RefusesALineThatIsNotUtf8) {
  EXPECT_EQ(rows("a\n\xFF\xFE\nx\n"),
            (std::vector<std::string>{"2!the line is not UTF-8", "3:a=x|"}));
}

TEST_F(RowReaderTest, ReadsNdjsonAndKeepsTypes) {
  const std::vector<std::string> read =
      rows("{\"a\":\"x\",\"n\":2,\"none\":null,\"o\":{\"k\":[1]}}\n{broken\n[1]\n");
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0], "1:a=x|n=2*|o={\"k\":[1]}*|");
  EXPECT_THAT(read[1], HasSubstr("2!the line is not JSON"));
  EXPECT_EQ(read[2], "3!the line is not a JSON object");
}

TEST_F(RowReaderTest, RefusesAnEmptyFileAndAColumnThatIsThereTwice) {
  EXPECT_FALSE(RowReader::open(write_text(folder_ / "empty", "")).ok());
  EXPECT_FALSE(RowReader::open(write_text(folder_ / "twice", "a,b,a\n")).ok());
  EXPECT_EQ(RowReader::open(folder_ / "absent").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RowReaderTest, ReadsGzipAndNoticesWhenItIsCutOff) {
  const std::filesystem::path whole = folder_ / "whole.gz";
  gzFile file = gzopen(whole.c_str(), "wb");
  for (int i = 0; i < 20'000; ++i) gzprintf(file, i == 0 ? "a,b\n" : "%d,%d\n", i, i * 7919);
  gzclose(file);
  EXPECT_EQ(rows_of(whole).size(), 19'999U);

  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) / 2);
  absl::StatusOr<RowReader> reader = RowReader::open(whole);
  Row row;
  absl::StatusOr<bool> found = reader.ok() ? reader->next(row) : reader.status();
  while (found.ok() && *found) found = reader->next(row);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace vitrine::app
