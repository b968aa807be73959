// Text that stands in the program itself, so that whoever keeps a view of it never sees it go.
#pragma once

#include <string_view>

namespace vitrine {

// Made of a string literal only: anything known at run time only does not compile.
class Literal : public std::string_view {
 public:
  constexpr Literal() = default;
  consteval Literal(const char* text)  // NOLINT(google-explicit-constructor)
      : std::string_view(text) {}
};

}  // namespace vitrine
