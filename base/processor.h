// Which instructions beyond the plain ones kernels may use: what the processor has, unless the
// environment says VITRINE_PORTABLE=1, for comparing with a processor that has none of them.
//
// Asked once a process. Thread-safe.
#pragma once

namespace vitrine {

struct Processor {
  bool has_avx2 = false;  // with FMA and popcnt
  bool has_avx512f = false;
  bool has_avx512_vnni = false;
};

const Processor& processor();

}  // namespace vitrine
