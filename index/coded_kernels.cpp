// Plain functions over raw pointers only, for the reason kernels.cpp gives.
#include "index/coded_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitrine::index {
namespace {

constexpr std::size_t k_line_bytes = 64;
constexpr std::size_t k_line_rows = 16;
constexpr std::size_t k_lines = k_block_rows / k_line_rows;
constexpr std::size_t k_quad_bytes = k_lines * k_line_bytes;

inline const float* scales_of(const std::uint8_t* block, std::size_t quads) {
  return reinterpret_cast<const float*>(block + quads * k_quad_bytes);
}

}  // namespace

namespace coded_portable {

void score_coded(const std::uint8_t* block, std::size_t quads, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted) {
  const float* scales = scales_of(block, quads);
  for (std::size_t q = 0; q < count; ++q) {
    const CodedQuery& query = queries[q];
    wanted[q] = 0;
    for (std::size_t row = 0; row < k_block_rows; ++row) {
      std::int32_t sum = query.start;
      for (std::size_t quad = 0; quad < quads; ++quad) {
        const std::uint8_t* four = block + quad * k_quad_bytes + row * 4;
        for (std::size_t j = 0; j < 4; ++j) {
          sum += std::int32_t{four[j]} * std::int32_t{query.codes[quad * 4 + j]};
        }
      }
      const float score = scales[row] * static_cast<float>(sum);
      scores[q * k_block_rows + row] = score;
      wanted[q] |= static_cast<std::uint64_t>(score > query.threshold) << row;
    }
  }
}

std::size_t count_common(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < words; ++i) {
    count += static_cast<std::size_t>(__builtin_popcountll(a[i] & b[i]));
  }
  return count;
}

}  // namespace coded_portable

#if defined(__x86_64__)

#define VITRINE_AVX2 __attribute__((target("avx2")))
#define VITRINE_POPCNT __attribute__((target("popcnt")))
#define VITRINE_VNNI __attribute__((target("avx512f,avx512vnni")))

namespace coded_avx2 {
namespace {

// Each 32-bit lane holds the four numbers of a row. Even and odd bytes are widened apart to 16
// bits, where products cannot saturate, and the pairwise sums land in the row's own lane.
VITRINE_AVX2 inline __m256i add_products(__m256i sum, __m256i rows, __m256i even, __m256i odd) {
  const __m256i even_rows = _mm256_and_si256(rows, _mm256_set1_epi16(0xFF));
  const __m256i odd_rows = _mm256_srli_epi16(rows, 8);
  return _mm256_add_epi32(
      sum, _mm256_add_epi32(_mm256_madd_epi16(even_rows, even), _mm256_madd_epi16(odd_rows, odd)));
}

VITRINE_AVX2 std::uint64_t score_query(const std::uint8_t* block, std::size_t quads,
                                       const CodedQuery& query, float* scores) {
  constexpr int eights = 8;
  __m256i sums[eights];
#pragma GCC unroll 8
  for (int i = 0; i < eights; ++i) sums[i] = _mm256_set1_epi32(query.start);
  for (std::size_t quad = 0; quad < quads; ++quad) {
    std::int32_t four;
    __builtin_memcpy(&four, query.codes + quad * 4, sizeof(four));
    const __m256i codes = _mm256_set1_epi32(four);
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8);
    const __m256i odd = _mm256_srai_epi16(codes, 8);
    const auto* rows = reinterpret_cast<const __m256i*>(block + quad * k_quad_bytes);
#pragma GCC unroll 8
    for (int i = 0; i < eights; ++i) {
      sums[i] = add_products(sums[i], _mm256_load_si256(rows + i), even, odd);
    }
  }
  const float* scales = scales_of(block, quads);
  const __m256 threshold = _mm256_set1_ps(query.threshold);
  std::uint64_t wanted = 0;
#pragma GCC unroll 8
  for (int i = 0; i < eights; ++i) {
    const std::size_t first = static_cast<std::size_t>(i) * 8;
    const __m256 score = _mm256_mul_ps(_mm256_load_ps(scales + first), _mm256_cvtepi32_ps(sums[i]));
    _mm256_storeu_ps(scores + first, score);
    const int met = _mm256_movemask_ps(_mm256_cmp_ps(score, threshold, _CMP_GT_OQ));
    wanted |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(met)) << first;
  }
  return wanted;
}

}  // namespace

void score_coded(const std::uint8_t* block, std::size_t quads, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted) {
  for (std::size_t q = 0; q < count; ++q) {
    wanted[q] = score_query(block, quads, queries[q], scores + q * k_block_rows);
  }
}

VITRINE_POPCNT std::size_t count_common(const std::uint64_t* a, const std::uint64_t* b,
                                        std::size_t words) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < words; ++i) {
    count += static_cast<std::size_t>(__builtin_popcountll(a[i] & b[i]));
  }
  return count;
}

}  // namespace coded_avx2

namespace coded_avx512 {
namespace {

// Far enough for memory that others are busy with, near enough to stay in the first cache until it
// is read. While the third cache holds all rows, half of it would be a little faster.
constexpr std::size_t k_prefetch_bytes = 8192;

// `count` queries share the loads of the rows; four of them fill half of the registers with sums.
template <int count>
VITRINE_VNNI void score_some(const std::uint8_t* block, std::size_t quads,
                             const CodedQuery* queries, float* scores, std::uint64_t* wanted) {
  constexpr int lines = static_cast<int>(k_lines);
  __m512i sums[count][lines];
#pragma GCC unroll 4
  for (int q = 0; q < count; ++q) {
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) sums[q][i] = _mm512_set1_epi32(queries[q].start);
  }
  for (std::size_t quad = 0; quad < quads; ++quad) {
    const std::uint8_t* at = block + quad * k_quad_bytes;
    __m512i rows[lines];
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) {
      rows[i] = _mm512_load_si512(at + static_cast<std::size_t>(i) * k_line_bytes);
      _mm_prefetch(reinterpret_cast<const char*>(at + k_prefetch_bytes) +
                       static_cast<std::size_t>(i) * k_line_bytes,
                   _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int q = 0; q < count; ++q) {
      std::int32_t four;
      __builtin_memcpy(&four, queries[q].codes + quad * 4, sizeof(four));
      const __m512i codes = _mm512_set1_epi32(four);
#pragma GCC unroll 4
      for (int i = 0; i < lines; ++i) {
        sums[q][i] = _mm512_dpbusd_epi32(sums[q][i], rows[i], codes);
      }
    }
  }
  const float* scales = scales_of(block, quads);
#pragma GCC unroll 4
  for (int q = 0; q < count; ++q) {
    const __m512 threshold = _mm512_set1_ps(queries[q].threshold);
    __m512 score[lines];
    wanted[q] = 0;
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) {
      // The masked form, because g++ 12 believes that the plain one reads an uninitialized
      // variable.
      const __m512 sum = _mm512_maskz_cvtepi32_ps(0xFFFF, sums[q][i]);
      score[i] = _mm512_mul_ps(_mm512_load_ps(scales + static_cast<std::size_t>(i) * 16), sum);
      const __mmask16 met = _mm512_cmp_ps_mask(score[i], threshold, _CMP_GT_OQ);
      wanted[q] |= static_cast<std::uint64_t>(met) << (i * 16);
    }
    if (wanted[q] == 0) continue;
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) {
      _mm512_storeu_ps(
          scores + static_cast<std::size_t>(q) * k_block_rows + static_cast<std::size_t>(i) * 16,
          score[i]);
    }
  }
}

}  // namespace

void score_coded(const std::uint8_t* block, std::size_t quads, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted) {
  std::size_t q = 0;
  for (; q + 4 <= count; q += 4) {
    score_some<4>(block, quads, queries + q, scores + q * k_block_rows, wanted + q);
  }
  if (q + 2 <= count) {
    score_some<2>(block, quads, queries + q, scores + q * k_block_rows, wanted + q);
    q += 2;
  }
  if (q < count) score_some<1>(block, quads, queries + q, scores + q * k_block_rows, wanted + q);
}

}  // namespace coded_avx512

#endif

}  // namespace vitrine::index
