#include "server/webhooks/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace vitrine::webhooks {
namespace {

struct Block {
  std::uint32_t base;
  int bits;
};

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// RFC 6890 and what IANA's registry of special addresses added since.
constexpr Block k_special[] = {
    {ip(0, 0, 0, 0), 8},      {ip(10, 0, 0, 0), 8},     {ip(100, 64, 0, 0), 10},
    {ip(127, 0, 0, 0), 8},    {ip(169, 254, 0, 0), 16}, {ip(172, 16, 0, 0), 12},
    {ip(192, 0, 0, 0), 24},   {ip(192, 0, 2, 0), 24},   {ip(192, 88, 99, 0), 24},
    {ip(192, 168, 0, 0), 16}, {ip(198, 18, 0, 0), 15},  {ip(198, 51, 100, 0), 24},
    {ip(203, 0, 113, 0), 24}, {ip(224, 0, 0, 0), 4},    {ip(240, 0, 0, 0), 4}};

bool is_public_v4(std::uint32_t address) {
  return std::ranges::none_of(k_special, [&](const Block& block) {
    return (address ^ block.base) >> (32 - block.bits) == 0;
  });
}

bool begins_with(std::span<const std::uint8_t, 16> address,
                 std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), address.begin());
}

bool is_public_v6(std::span<const std::uint8_t, 16> address) {
  const bool is_mapped =
      std::ranges::all_of(address.first<10>(), [](std::uint8_t byte) { return byte == 0; }) &&
      address[10] == 0xff && address[11] == 0xff;
  if (is_mapped) return is_public_v4(ip(address[12], address[13], address[14], address[15]));
  const bool is_global = (address[0] & 0xe0) == 0x20;  // 2000::/3, all that is given out
  const bool is_protocol = begins_with(address, {0x20, 0x01}) && address[2] < 2;  // 2001::/23
  return is_global && !is_protocol && !begins_with(address, {0x20, 0x01, 0x0d, 0xb8}) &&
         !begins_with(address, {0x20, 0x02}) &&  // 6to4 stands for an IPv4 address
         !begins_with(address, {0x3f, 0xff});    // documentation
}

bool is_public_v6(const in6_addr& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  return is_public_v6(bytes);
}

}  // namespace

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    return is_public_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof(v6));
    return is_public_v6(v6.sin6_addr);
  }
  return false;
}

bool may_be_public(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));  // a zone
  const std::string text(host);
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return is_public_v6(v6);
  in_addr v4{};
  // As resolvers read it: also 127.1, 0x7f000001 and 2130706433.
  if (inet_aton(text.c_str(), &v4) != 0) return is_public_v4(ntohl(v4.s_addr));
  return true;
}

std::string text_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof(v6));
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace vitrine::webhooks
