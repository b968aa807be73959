// What the load generator is asked to do.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::http_load {

struct Options {
  std::uint16_t port = 0;
  std::string host;    // loopback only
  std::string target;  // path and query; may hold {user}, {n} and {id}
  std::string method = "GET";
  std::vector<std::string> headers;  // whole lines
  std::vector<std::string> bodies;   // taken in turn; may hold {user}, {n} and {id}
  std::vector<std::string> users;    // what {user} stands for, taken in a fixed random order
  double rate = 0;                   // requests a second, open loop; 0: closed loop
  std::size_t connections = 64;
  double seconds = 10;        // [0.1, 600]
  double warmup_seconds = 1;  // sent, not counted
  bool as_json = false;
};

// Errors   InvalidArgument with the usage text; a target that is not this machine is one
absl::StatusOr<Options> parse_options(int argc, const char* const* argv);

}  // namespace vitrine::http_load
