#include "base/processor.h"

#include <cstdlib>
#include <string_view>

namespace vitrine {
namespace {

Processor asked() {
  const char* const portable = std::getenv("VITRINE_PORTABLE");
  if (portable != nullptr && std::string_view(portable) == "1") return {};
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                        __builtin_cpu_supports("popcnt") != 0;
  const bool has_avx512f = has_avx2 && __builtin_cpu_supports("avx512f") != 0;
  return {.has_avx2 = has_avx2,
          .has_avx512f = has_avx512f,
          .has_avx512_vnni = has_avx512f && __builtin_cpu_supports("avx512vnni") != 0};
#else
  return {};
#endif
}

}  // namespace

const Processor& processor() {
  static const Processor found = asked();
  return found;
}

}  // namespace vitrine
