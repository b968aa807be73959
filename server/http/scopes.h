// What an API key may do.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace vitrine::http {

enum class Scope : std::uint8_t { collect, recommend, catalog, marketing, models, privacy, admin };

inline constexpr Scope k_all_scopes[] = {Scope::collect,   Scope::recommend, Scope::catalog,
                                         Scope::marketing, Scope::models,    Scope::privacy,
                                         Scope::admin};

std::string_view name_of(Scope scope);

// A set of scopes; `admin` contains every other.
class Scopes {
 public:
  constexpr Scopes() = default;
  constexpr Scopes(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) bits_ |= bit(scope);
  }
  static constexpr Scopes all() { return {Scope::admin}; }

  // "collect,recommend"; InvalidArgument names an unknown scope and those there are.
  static absl::StatusOr<Scopes> parse(std::string_view comma_separated);

  constexpr bool allow(Scope scope) const {
    return (bits_ & (bit(scope) | bit(Scope::admin))) != 0;
  }
  // As given, without what admin contains.
  constexpr bool has(Scope scope) const { return (bits_ & bit(scope)) != 0; }
  constexpr void add(Scopes more) { bits_ |= more.bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  // Only what may sit in a web page: collect and recommend.
  constexpr bool are_public() const {
    return !empty() && (bits_ & ~(bit(Scope::collect) | bit(Scope::recommend))) == 0;
  }
  // The form that parse() reads.
  std::string text() const;

  friend constexpr bool operator==(Scopes, Scopes) = default;

 private:
  static constexpr unsigned bit(Scope scope) { return 1U << static_cast<unsigned>(scope); }
  unsigned bits_ = 0;
};

}  // namespace vitrine::http
