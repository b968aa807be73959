#include <charconv>

#include "base/status.h"
#include "server/collect/collector.h"

namespace vitrine::collect {

std::string token_of(Position position) { return std::to_string(position); }

absl::StatusOr<Position> position_of(std::string_view token) {
  Position position = 0;
  const char* const end = token.data() + token.size();
  const auto [stopped, error] = std::from_chars(token.data(), end, position);
  if (token.empty() || error != std::errc{} || stopped != end) {
    return invalid_argument("'{}' is not a token that collecting answered", token.substr(0, 64));
  }
  return position;
}

}  // namespace vitrine::collect
