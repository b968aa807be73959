// The loops over coded rows that kernels.h offers, by instruction set. Inside kernels.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/kernels.h"

namespace vitrine::index {

namespace coded_portable {
void score_coded(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted);
std::size_t count_common(const std::uint64_t* a, const std::uint64_t* b, std::size_t words);
}  // namespace coded_portable

#if defined(__x86_64__)
// Needs the popcnt instruction, too.
namespace coded_avx2 {
void score_coded(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted);
std::size_t count_common(const std::uint64_t* a, const std::uint64_t* b, std::size_t words);
}  // namespace coded_avx2

// AVX-512 with its instructions for neural networks.
namespace coded_avx512 {
void score_coded(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted);
}  // namespace coded_avx512
#endif

}  // namespace vitrine::index
