#include "base/file.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace vitrine {
namespace {

TEST(FileTest, ReplacesAsAWholeAndLeavesNothingBeside) {
  const TempFolder folder;
  ASSERT_TRUE(replace_file(folder / "a", "first").ok());
  ASSERT_TRUE(replace_file(folder / "a", "second, and longer").ok());

  EXPECT_EQ(read_file(folder / "a").value(), "second, and longer");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(FileTest, AMissingFileIsNotFoundAndNamed) {
  const TempFolder folder;
  const auto content = read_file(folder / "nothing");
  EXPECT_EQ(content.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(content.status().message()).find("nothing"), std::string::npos);
  EXPECT_EQ(MappedFile::open(folder / "nothing").status().code(), absl::StatusCode::kNotFound);
}

TEST(FileTest, AMappingShowsTheBytesAndMoves) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_synced(folder / "a", std::string("ab\0c", 4)).ok());
  auto first = MappedFile::open(folder / "a");
  ASSERT_TRUE(first.ok());
  const MappedFile second = std::move(*first);
  EXPECT_EQ(second.text(), std::string_view("ab\0c", 4));
  ASSERT_TRUE(write_file_synced(folder / "empty", "").ok());
  EXPECT_TRUE(MappedFile::open(folder / "empty")->bytes().empty());
}

TEST(FileTest, ACopyHasTheBytesAndTheirDigestAndReplacesNothing) {
  const TempFolder folder;
  const std::string content(1'000'000, 'x');
  ASSERT_TRUE(write_file_synced(folder / "a", content).ok());

  const auto digest = copy_file_synced(folder / "a", folder / "b");

  EXPECT_EQ(digest.value(), sha256(content));
  EXPECT_EQ(sha256_of_file(folder / "b").value(), sha256(content));
  EXPECT_FALSE(copy_file_synced(folder / "a", folder / "b").ok()) << "it is there already";
  EXPECT_EQ(copy_file_synced(folder / "nothing", folder / "c").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "c"));
}

}  // namespace
}  // namespace vitrine
