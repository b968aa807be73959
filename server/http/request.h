// One HTTP request as a handler sees it: decoded, authorised, and free of the network library.
//
// A value; not thread-safe. Views it hands out live as long as the request.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/scopes.h"

namespace vitrine::http {

// Header fields in the order they came, in one block of memory; names are compared without case.
class Headers {
 public:
  void add(std::string_view name, std::string_view value);
  // The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  // How many fields of that name there are.
  std::size_t count(std::string_view name) const;

 private:
  struct Field {
    std::size_t begin;
    std::size_t name_size;
    std::size_t value_size;
  };
  std::string_view name_of(const Field& field) const {
    return std::string_view(block_).substr(field.begin, field.name_size);
  }
  std::string block_;
  std::vector<Field> fields_;
};

// Names and values in order, percent-decoded.
using Parameters = std::vector<std::pair<std::string, std::string>>;

// The first value of that name.
std::optional<std::string_view> find_parameter(const Parameters& parameters, std::string_view name);

// Decodes %XX, and '+' as a space when `plus_is_space`. InvalidArgument for a broken escape or a
// NUL.
absl::StatusOr<std::string> percent_decode(std::string_view text, bool plus_is_space);

// "a=1&b=x%20y" as parameters.
absl::StatusOr<Parameters> parse_query(std::string_view query);

struct Request {
  std::string method;  // "GET"; upper case as it came
  std::string target;  // path and query as they came, still encoded
  Headers headers;
  std::string body;
  std::int64_t arrived_us = 0;  // of steady_us(): when it was whole and began to wait for its turn
  std::uint64_t peer = 0;       // whose it is: address_number(); 0: of this machine
  bool is_control = false;  // came over the control socket or from this process: may do everything

  // Filled by the router before the handler runs.
  Parameters query;
  Parameters path_parameters;  // {id} of the route's pattern
  Scopes scopes;               // of the authenticated key
  std::string key_id;       // the authenticated key; empty in open mode and over the control socket
  bool is_trusted = false;  // not under a public key: what it says of people is taken as true
  std::string key_currency;  // the key's own, of amounts that name none

  // A path parameter of the matched pattern. Precondition, checked: the pattern has it.
  std::string_view path(std::string_view name) const;
};

}  // namespace vitrine::http
