// Which addresses of the network a shop's server may be made to call.
//
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

struct sockaddr;

namespace vitrine::webhooks {

// Whether it belongs to the public internet: not this machine, a private network, a link, a
// carrier's own, many at once, documentation, nor one that stands for another (IPv4 in IPv6 is
// judged as the IPv4 address). Anything else than IPv4 and IPv6 is not public.
bool is_public(const sockaddr& address);
// Of "10.0.0.1" or "::1"; true for what is no address, which a name server has to answer for.
bool may_be_public(std::string_view host);
std::string text_of(const sockaddr& address);

}  // namespace vitrine::webhooks
