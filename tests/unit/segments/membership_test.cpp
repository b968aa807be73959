#include "server/segments/membership.h"

#include <gmock/gmock.h>

#include <set>

#include "base/random.h"

namespace vitrine::segments {
namespace {

// Beside a std::set, over random changes.
TEST(MembershipTest, IsTheSetThatItsChangesMake) {
  Random random(1);
  Membership members;
  std::set<std::uint32_t> twin;
  for (int i = 0; i < 20'000; ++i) {
    const auto number = static_cast<std::uint32_t>(1 + random.below(5'000));
    const bool is_in = random.below(3) > 0;
    const bool changed = is_in ? twin.insert(number).second : twin.erase(number) > 0;
    ASSERT_EQ(members.set(UserNumber(number), is_in), changed);
  }
  EXPECT_EQ(members.size(), twin.size());
  for (std::uint32_t number = 1; number <= 5'000; ++number) {
    ASSERT_EQ(members.contains(UserNumber(number)), twin.contains(number));
  }
  std::vector<UserNumber> all;
  for (const std::uint32_t number : twin) all.emplace_back(number);
  EXPECT_EQ(members.list(UserNumber(0), 10'000), all);
  members.shrink();
  EXPECT_EQ(Membership::decode(members.encode()), members);
}

TEST(MembershipTest, ListsInPagesAndCountsWhatTwoShare) {
  Membership even;
  Membership threes;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    even.set(UserNumber(i), i % 2 == 0);
    threes.set(UserNumber(i), i % 3 == 0);
  }
  EXPECT_EQ(even.size_of_both(threes), 16U);
  EXPECT_THAT(even.list(UserNumber(4), 2), testing::ElementsAre(UserNumber(6), UserNumber(8)));
  EXPECT_THAT(even.list(UserNumber(100), 2), testing::IsEmpty());
}

TEST(MembershipTest, BytesThatAreNoneAreRefused) {
  EXPECT_FALSE(Membership::decode("no members").has_value());
  EXPECT_FALSE(Membership::decode("").has_value());
  EXPECT_EQ(Membership::decode(Membership().encode())->size(), 0U);
}

}  // namespace
}  // namespace vitrine::segments
