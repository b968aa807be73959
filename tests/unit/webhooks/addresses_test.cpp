#include "server/webhooks/addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace vitrine::webhooks {
namespace {

bool is_public_text(const char* text) {
  sockaddr_storage storage{};
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    std::memcpy(&storage, &v4, sizeof(v4));
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
    std::memcpy(&storage, &v6, sizeof(v6));
  }
  sockaddr address{};
  std::memcpy(&address, &storage, sizeof(address));
  return is_public(reinterpret_cast<const sockaddr&>(storage));
}

TEST(AddressesTest, WhatIsOnTheInternetIsPublic) {
  for (const char* const text :
       {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.1",
        "192.167.1.1", "169.253.1.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1",
        "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(is_public_text(text)) << text;
  }
}

TEST(AddressesTest, WhatIsNotIsRefused) {
  for (const char* const text : {"127.0.0.1",
                                 "127.255.255.254",
                                 "0.0.0.0",
                                 "10.0.0.1",
                                 "10.255.255.255",
                                 "100.64.0.1",
                                 "100.127.255.255",
                                 "169.254.169.254",
                                 "172.16.0.1",
                                 "172.31.255.255",
                                 "192.168.0.1",
                                 "192.0.0.8",
                                 "192.0.2.1",
                                 "198.18.0.1",
                                 "198.19.255.255",
                                 "198.51.100.7",
                                 "203.0.113.9",
                                 "224.0.0.1",
                                 "239.255.255.255",
                                 "240.0.0.1",
                                 "255.255.255.255",
                                 "::1",
                                 "::",
                                 "fe80::1",
                                 "fc00::1",
                                 "fd12:3456::1",
                                 "ff02::1",
                                 "2001:db8::1",
                                 "2002:7f00:1::1",
                                 "2001::1",
                                 "64:ff9b::7f00:1",
                                 "::ffff:127.0.0.1",
                                 "::ffff:10.0.0.1",
                                 "::ffff:169.254.169.254",
                                 "::127.0.0.1"}) {
    EXPECT_FALSE(is_public_text(text)) << text;
  }
}

TEST(AddressesTest, AnAddressInAUrlIsReadAsAResolverReadsIt) {
  for (const char* const host : {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001",
                                 "[::1]", "[::ffff:10.0.0.1]", "10.1", "[fe80::1%eth0]"}) {
    EXPECT_FALSE(may_be_public(host)) << host;
  }
  EXPECT_TRUE(may_be_public("8.8.8.8"));
  EXPECT_TRUE(may_be_public("example.com")) << "its addresses are judged when it is called";
}

}  // namespace
}  // namespace vitrine::webhooks
