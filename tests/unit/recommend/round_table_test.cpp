#include "server/recommend/round_table.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace vitrine::recommend {
namespace {

TEST(RoundTableTest, HoldsWhatAMapHoldsInEveryRound) {
  RoundTable<std::uint64_t> table;
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    table.begin();
    std::map<std::uint32_t, std::uint64_t> judge;
    const auto count = random.below(3000);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint32_t>(random.below(2000) * 512);
      const auto [value, is_new] = table.at(number);
      ASSERT_EQ(is_new, !judge.contains(number));
      value += i;
      judge[number] += i;
    }
    for (std::uint32_t number = 0; number < 2000 * 512; number += 256) {
      const std::uint64_t* const found = table.find(number);
      const auto judged = judge.find(number);
      ASSERT_EQ(found != nullptr, judged != judge.end()) << number;
      if (found != nullptr) {
        ASSERT_EQ(*found, judged->second);
      }
    }
  }
}

TEST(RoundTableTest, IsEmptyBeforeAnythingIsAsked) {
  const RoundTable<float> table;
  EXPECT_EQ(table.find(0), nullptr);
}

}  // namespace
}  // namespace vitrine::recommend
