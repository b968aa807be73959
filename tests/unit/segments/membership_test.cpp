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

// Few, many and consecutive numbers: a list, a bitset and a run, the three kinds of container.
Membership of_all_kinds() {
  Membership members;
  for (std::uint32_t i = 0; i < 100; ++i) members.set(UserNumber(7 * i + 1), true);
  for (std::uint32_t i = 0; i < 10'000; ++i) members.set(UserNumber((1U << 16U) + 3 * i), true);
  for (std::uint32_t i = 0; i < 9'000; ++i) members.set(UserNumber((2U << 16U) + 50 + i), true);
  return members;
}

// Whatever bit is turned: the bytes are refused, or are other members whole.
TEST(MembershipTest, DamagedBytesAreRefusedOrOtherMembers) {
  Membership members = of_all_kinds();
  for (const bool is_shrunk : {false, true}) {
    if (is_shrunk) members.shrink();
    const std::string whole = members.encode();
    ASSERT_EQ(Membership::decode(whole), members);
    int refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
      const auto read = Membership::decode(damaged);
      if (!read) {
        ++refused;
        continue;
      }
      ASSERT_EQ(read->list(UserNumber(0), 100'000).size(),
                read->size() - (read->contains(UserNumber(0)) ? 1 : 0));
    }
    EXPECT_GT(refused, is_shrunk ? 8'000 : 16'000) << "of " << whole.size();
    EXPECT_FALSE(Membership::decode(whole.substr(0, whole.size() - 1)));
    EXPECT_FALSE(Membership::decode(whole + '\0'));
  }
}

}  // namespace
}  // namespace vitrine::segments
