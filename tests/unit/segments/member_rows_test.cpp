// The bitmaps of many segments turned over, beside the bitmaps themselves.
#include "server/segments/member_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace vitrine::segments {
namespace {

TEST(MemberRowsTest, SayWhatTheBitmapsSayThroughEveryChange) {
  constexpr std::size_t k_columns = 150;  // more than two words
  constexpr std::uint32_t k_people = 500;
  Random random(5);
  MemberRows rows;
  std::vector<std::size_t> columns;
  std::vector<Membership> bitmaps(k_columns);
  for (Membership& members : bitmaps) {
    for (std::uint32_t user = 1; user < k_people; ++user) {
      if (random.below(3) == 0) members.set(UserNumber(user), true);
    }
    columns.push_back(rows.add());
    rows.fill(columns.back(), members);
  }
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t at = random.below(k_columns);
    const UserNumber user(static_cast<std::uint32_t>(1 + random.below(k_people + 100)));
    const bool is_in = random.below(2) == 0;
    EXPECT_EQ(rows.set(user, columns[at], is_in), bitmaps[at].set(user, is_in));
  }
  for (std::size_t at = 0; at < k_columns; ++at) {
    for (std::uint32_t user = 1; user < k_people + 100; ++user) {
      ASSERT_EQ(rows.has(UserNumber(user), columns[at]), bitmaps[at].contains(UserNumber(user)));
    }
  }
}

TEST(MemberRowsTest, AColumnThatIsGivenOutAgainIsEmpty) {
  MemberRows rows;
  const std::size_t first = rows.add();
  const std::size_t second = rows.add();
  rows.set(UserNumber(3), first, true);
  rows.set(UserNumber(3), second, true);
  rows.give_back(first);
  EXPECT_EQ(rows.add(), first);
  EXPECT_FALSE(rows.has(UserNumber(3), first));
  EXPECT_TRUE(rows.has(UserNumber(3), second));
}

}  // namespace
}  // namespace vitrine::segments
