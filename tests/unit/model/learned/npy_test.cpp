#include "model/npy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vitrine {
namespace {

const std::vector<float> k_values{1, -2.5F, 3, 4, 5, 6};

TEST(NpyTest, AMatrixComesBackAsItWas) {
  const auto matrix = decode_npy(encode_npy(k_values, 3, 2));
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  EXPECT_EQ(matrix->rows, 3U);
  EXPECT_EQ(matrix->columns, 2U);
  EXPECT_EQ(matrix->values, k_values);
}

// The numbers must begin on a multiple of 64 bytes, as NumPy's own files do.
TEST(NpyTest, TheHeaderIsPaddedAndEndsItsLine) {
  const std::string bytes = encode_npy(k_values, 3, 2);
  const std::size_t header = bytes.size() - k_values.size() * sizeof(float);
  EXPECT_EQ(header % 64, 0U);
  EXPECT_EQ(bytes[header - 1], '\n');
}

TEST(NpyTest, EveryCutAndEveryOtherFormIsRefused) {
  const std::string bytes = encode_npy(k_values, 3, 2);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_TRUE(absl::IsInvalidArgument(decode_npy(bytes.substr(0, length)).status())) << length;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = bytes;
    changed.replace(changed.find(from), from.size(), to);
    return decode_npy(changed).status();
  };
  EXPECT_TRUE(absl::IsInvalidArgument(with("<f4", "<i4")));
  EXPECT_TRUE(absl::IsInvalidArgument(with("False", "True ")));
  EXPECT_TRUE(absl::IsInvalidArgument(with("(3, 2)", "(9, 2)")));
  EXPECT_TRUE(absl::IsInvalidArgument(with("(3, 2)", "(3,2,")));
  EXPECT_TRUE(absl::IsInvalidArgument(with("(3, 2)", "(3, 0)")));
}

TEST(NpyTest, AMatrixMayHaveNoRows) {
  const auto read = decode_npy(encode_npy({}, 0, 3));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->values.empty());
}

}  // namespace
}  // namespace vitrine
