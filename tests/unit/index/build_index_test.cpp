#include "index/build_index.h"

#include <gmock/gmock.h>

#include "base/random.h"
#include "tests/unit/index/plain_loop.h"

namespace vitrine::index {
namespace {

TEST(BuildIndexTest, ScansExactlyAndSaysSo) {
  Random random(21);
  const Vectors vectors = normal_vectors(700, 33, random);

  const auto built = build_index(vectors.table());

  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_EQ(name_of(built->kind), "exact");
  EXPECT_EQ(built->recall, 1.0);
  EXPECT_EQ(built->index->row_count(), 700U);
  EXPECT_EQ(built->index->dimension(), 33U);
}

TEST(BuildIndexTest, BuildsAnEmptyTable) {
  const auto built = build_index({nullptr, 0, 16, 16});
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_EQ(built->index->row_count(), 0U);
  EXPECT_EQ(built->recall, 1.0);
}

TEST(BuildIndexTest, RefusesVectorsThatAreNotFinite) {
  const Vectors bad{1, {1, std::numeric_limits<float>::quiet_NaN()}};
  EXPECT_EQ(build_index(bad.table()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::index
