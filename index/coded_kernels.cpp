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
constexpr std::size_t k_eight_bytes = k_lines * k_line_bytes;

inline const float* scales_of(const std::uint8_t* block, std::size_t eights) {
  return reinterpret_cast<const float*>(block + eights * k_eight_bytes);
}

}  // namespace

namespace coded_portable {

void score_coded(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted) {
  const float* scales = scales_of(block, eights);
  for (std::size_t q = 0; q < count; ++q) {
    const CodedQuery& query = queries[q];
    wanted[q] = 0;
    for (std::size_t row = 0; row < k_block_rows; ++row) {
      std::int32_t sum = query.start;
      for (std::size_t eight = 0; eight < eights; ++eight) {
        const std::uint8_t* numbers = block + eight * k_eight_bytes + row * 4;
        const std::int8_t* codes = query.codes + eight * 8;
        for (std::size_t j = 0; j < 4; ++j) {
          sum += (numbers[j] & 0xF) * codes[j] + (numbers[j] >> 4) * codes[j + 4];
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

// Each 32-bit lane holds eight numbers of a row. Products of 4 and 8 bits, four of them added up,
// fit into 16 bits, so that nothing saturates; the last addition lands in the row's own lane.
VITRINE_AVX2 inline __m256i add_products(__m256i sum, __m256i rows, __m256i low, __m256i high) {
  const __m256i half = _mm256_set1_epi8(0xF);
  const __m256i first = _mm256_maddubs_epi16(_mm256_and_si256(rows, half), low);
  const __m256i second =
      _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(rows, 4), half), high);
  return _mm256_add_epi32(sum,
                          _mm256_madd_epi16(_mm256_add_epi16(first, second), _mm256_set1_epi16(1)));
}

// The four codes at `codes` in every lane.
VITRINE_AVX2 inline __m256i four_codes(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof(four));
  return _mm256_set1_epi32(four);
}

VITRINE_AVX2 std::uint64_t score_query(const std::uint8_t* block, std::size_t eights,
                                       const CodedQuery& query, float* scores) {
  constexpr int parts = 8;  // of eight rows each
  __m256i sums[parts];
#pragma GCC unroll 8
  for (int i = 0; i < parts; ++i) sums[i] = _mm256_set1_epi32(query.start);
  for (std::size_t eight = 0; eight < eights; ++eight) {
    const __m256i low = four_codes(query.codes + eight * 8);
    const __m256i high = four_codes(query.codes + eight * 8 + 4);
    const auto* rows = reinterpret_cast<const __m256i*>(block + eight * k_eight_bytes);
#pragma GCC unroll 8
    for (int i = 0; i < parts; ++i) {
      sums[i] = add_products(sums[i], _mm256_load_si256(rows + i), low, high);
    }
  }
  const float* scales = scales_of(block, eights);
  const __m256 threshold = _mm256_set1_ps(query.threshold);
  std::uint64_t wanted = 0;
#pragma GCC unroll 8
  for (int i = 0; i < parts; ++i) {
    const std::size_t first = static_cast<std::size_t>(i) * 8;
    const __m256 score = _mm256_mul_ps(_mm256_load_ps(scales + first), _mm256_cvtepi32_ps(sums[i]));
    _mm256_storeu_ps(scores + first, score);
    const int met = _mm256_movemask_ps(_mm256_cmp_ps(score, threshold, _CMP_GT_OQ));
    wanted |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(met)) << first;
  }
  return wanted;
}

}  // namespace

void score_coded(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted) {
  for (std::size_t q = 0; q < count; ++q) {
    wanted[q] = score_query(block, eights, queries[q], scores + q * k_block_rows);
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

// The four codes at `codes` in every lane.
VITRINE_VNNI inline __m512i four_codes(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof(four));
  return _mm512_set1_epi32(four);
}

// `count` queries share the loads of the rows; four of them fill half of the registers with sums.
template <int count>
VITRINE_VNNI void score_some(const std::uint8_t* block, std::size_t eights,
                             const CodedQuery* queries, float* scores, std::uint64_t* wanted) {
  constexpr int lines = static_cast<int>(k_lines);
  __m512i sums[count][lines];
#pragma GCC unroll 4
  for (int q = 0; q < count; ++q) {
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) sums[q][i] = _mm512_set1_epi32(queries[q].start);
  }
  const __m512i half = _mm512_set1_epi32(0x0F0F0F0F);
  for (std::size_t eight = 0; eight < eights; ++eight) {
    const std::uint8_t* at = block + eight * k_eight_bytes;
    __m512i low[lines];
    __m512i high[lines];
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) {
      const std::size_t line = static_cast<std::size_t>(i) * k_line_bytes;
      const __m512i rows = _mm512_load_si512(at + line);
      // The masked form, because g++ 12 believes that the plain one reads an uninitialized
      // variable.
      low[i] = _mm512_and_si512(rows, half);
      high[i] = _mm512_and_si512(_mm512_maskz_srli_epi32(0xFFFF, rows, 4), half);
      _mm_prefetch(reinterpret_cast<const char*>(at + k_prefetch_bytes) + line, _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int q = 0; q < count; ++q) {
      const std::int8_t* codes = queries[q].codes + eight * 8;
#pragma GCC unroll 4
      for (int i = 0; i < lines; ++i) {
        sums[q][i] = _mm512_dpbusd_epi32(sums[q][i], low[i], four_codes(codes));
        sums[q][i] = _mm512_dpbusd_epi32(sums[q][i], high[i], four_codes(codes + 4));
      }
    }
  }
  const float* scales = scales_of(block, eights);
#pragma GCC unroll 4
  for (int q = 0; q < count; ++q) {
    const __m512 threshold = _mm512_set1_ps(queries[q].threshold);
    __m512 score[lines];
    wanted[q] = 0;
#pragma GCC unroll 4
    for (int i = 0; i < lines; ++i) {
      // Masked as above.
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

void score_coded(const std::uint8_t* block, std::size_t eights, const CodedQuery* queries,
                 std::size_t count, float* scores, std::uint64_t* wanted) {
  std::size_t q = 0;
  for (; q + 4 <= count; q += 4) {
    score_some<4>(block, eights, queries + q, scores + q * k_block_rows, wanted + q);
  }
  if (q + 2 <= count) {
    score_some<2>(block, eights, queries + q, scores + q * k_block_rows, wanted + q);
    q += 2;
  }
  if (q < count) score_some<1>(block, eights, queries + q, scores + q * k_block_rows, wanted + q);
}

}  // namespace coded_avx512

#endif

}  // namespace vitrine::index
