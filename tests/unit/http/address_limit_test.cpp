#include "server/http/address_limit.h"

#include <gtest/gtest.h>

#include "server/http/server.h"

namespace vitrine::http {
namespace {

constexpr std::int64_t k_second_us = 1'000'000;
constexpr RequestRate k_two_a_second{.per_second = 2, .burst = 2};

int taken(AddressLimit& limit, std::uint64_t peer, std::int64_t now_us, int asked = 10) {
  int count = 0;
  for (int i = 0; i < asked; ++i) count += limit.take(peer, now_us) ? 1 : 0;
  return count;
}

TEST(AddressLimitTest, EveryAddressHasItsOwnRate) {
  AddressLimit limit(k_two_a_second);
  EXPECT_EQ(taken(limit, 7, k_second_us), 2);
  EXPECT_EQ(taken(limit, 8, k_second_us), 2);
  EXPECT_EQ(taken(limit, 7, k_second_us), 0);
  EXPECT_EQ(taken(limit, 7, 2 * k_second_us), 2);
}

TEST(AddressLimitTest, ThisMachineIsNotCounted) {
  AddressLimit limit(k_two_a_second);
  EXPECT_EQ(taken(limit, 0, k_second_us, 1000), 1000);
}

TEST(AddressLimitTest, PastItsMemoryNewAddressesShareOneAllowanceUntilAllAreForgotten) {
  AddressLimit limit(k_two_a_second);
  for (std::uint64_t peer = 1; peer <= AddressLimit::k_addresses_max; ++peer) {
    ASSERT_TRUE(limit.take(peer, k_second_us));
  }
  constexpr std::uint64_t k_next = AddressLimit::k_addresses_max + 1;
  EXPECT_EQ(taken(limit, k_next, k_second_us) + taken(limit, k_next + 1, k_second_us), 2);
  EXPECT_EQ(taken(limit, 1, k_second_us), 1) << "who is known keeps its own";
  constexpr std::int64_t k_later_us = 62 * k_second_us;
  EXPECT_EQ(taken(limit, k_next, k_later_us), 2);
  EXPECT_EQ(taken(limit, k_next + 1, k_later_us), 2);
}

TEST(AddressNumberTest, IsOfWhatOneSubscriberHas) {
  EXPECT_NE(address_number("192.0.2.7"), address_number("192.0.2.8"));
  EXPECT_EQ(address_number("192.0.2.7"), address_number("::ffff:192.0.2.7"));
  EXPECT_EQ(address_number("2001:db8:1:2::7"), address_number("2001:db8:1:2:ffff::8"));
  EXPECT_NE(address_number("2001:db8:1:2::7"), address_number("2001:db8:1:3::7"));
  EXPECT_NE(address_number("::192.0.2.7"), address_number("192.0.2.7"));
}

TEST(AddressNumberTest, ThisMachineAndWhatIsNoAddressAreNobody) {
  for (const char* const text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "here"}) {
    EXPECT_EQ(address_number(text), 0U) << text;
  }
}

}  // namespace
}  // namespace vitrine::http
