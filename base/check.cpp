#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace vitrine::internal {

void check_failed(const char* condition, const char* message, const char* file, int line) {
  std::fprintf(stderr, "vitrine: broken invariant: %s (%s) at %s:%d\n", message, condition, file,
               line);
  std::abort();
}

}  // namespace vitrine::internal
