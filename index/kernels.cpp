// Plain functions over raw pointers only: a template of the standard library instantiated under a
// target attribute could be linked into code that runs on machines without that instruction set.
#include "index/kernels.h"

#include "base/processor.h"
#include "index/coded_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vitrine::index {
namespace {

namespace portable {

float score(const float* query, const float* row, std::size_t stride) {
  float sums[k_lane_floats] = {};
  for (std::size_t at = 0; at < stride; at += k_lane_floats) {
    for (std::size_t lane = 0; lane < k_lane_floats; ++lane) {
      sums[lane] += query[at + lane] * row[at + lane];
    }
  }
  for (std::size_t half = k_lane_floats / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

void score_block(const float* query, const float* rows, std::size_t stride, std::size_t count,
                 float* scores) {
  for (std::size_t i = 0; i < count; ++i) scores[i] = score(query, rows + i * stride, stride);
}

void score_picks(const float* query, const float* rows, std::size_t stride,
                 const std::uint32_t* picks, std::size_t count, float* scores) {
  for (std::size_t i = 0; i < count; ++i)
    scores[i] = score(query, rows + picks[i] * stride, stride);
}

std::uint64_t at_least(const float* scores, float threshold) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < k_block_rows; ++i) {
    bits |= static_cast<std::uint64_t>(scores[i] >= threshold) << i;
  }
  return bits;
}

}  // namespace portable

#if defined(__x86_64__)

#define VITRINE_AVX2 __attribute__((target("avx2")))
#define VITRINE_AVX512 __attribute__((target("avx512f")))

namespace avx2 {

// The last two halvings for four rows at once: lane i of the result is the sum of quarter i.
VITRINE_AVX2 inline __m128 sums_of(__m128 q0, __m128 q1, __m128 q2, __m128 q3) {
  const __m128 pairs01 = _mm_add_ps(_mm_movelh_ps(q0, q1), _mm_movehl_ps(q1, q0));
  const __m128 pairs23 = _mm_add_ps(_mm_movelh_ps(q2, q3), _mm_movehl_ps(q3, q2));
  return _mm_add_ps(_mm_shuffle_ps(pairs01, pairs23, _MM_SHUFFLE(2, 0, 2, 0)),
                    _mm_shuffle_ps(pairs01, pairs23, _MM_SHUFFLE(3, 1, 3, 1)));
}

VITRINE_AVX2 inline __m128 quarter_of(__m256 eight) {
  return _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
}

VITRINE_AVX2 inline __m128 quarter(const float* query, const float* row, std::size_t stride) {
  __m256 low = _mm256_setzero_ps();
  __m256 high = _mm256_setzero_ps();
  for (std::size_t at = 0; at < stride; at += k_lane_floats) {
    low = _mm256_add_ps(low, _mm256_mul_ps(_mm256_load_ps(query + at), _mm256_load_ps(row + at)));
    high = _mm256_add_ps(
        high, _mm256_mul_ps(_mm256_load_ps(query + at + 8), _mm256_load_ps(row + at + 8)));
  }
  return quarter_of(_mm256_add_ps(low, high));
}

VITRINE_AVX2 inline __m128 score_four(const float* query, const float* r0, const float* r1,
                                      const float* r2, const float* r3, std::size_t stride) {
  return sums_of(quarter(query, r0, stride), quarter(query, r1, stride), quarter(query, r2, stride),
                 quarter(query, r3, stride));
}

VITRINE_AVX2 inline float score_one(const float* query, const float* row, std::size_t stride) {
  const __m128 only = quarter(query, row, stride);
  return _mm_cvtss_f32(sums_of(only, only, only, only));
}

VITRINE_AVX2 void score_block(const float* query, const float* rows, std::size_t stride,
                              std::size_t count, float* scores) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float* r = rows + i * stride;
    _mm_storeu_ps(scores + i,
                  score_four(query, r, r + stride, r + 2 * stride, r + 3 * stride, stride));
  }
  for (; i < count; ++i) scores[i] = score_one(query, rows + i * stride, stride);
}

VITRINE_AVX2 void score_picks(const float* query, const float* rows, std::size_t stride,
                              const std::uint32_t* picks, std::size_t count, float* scores) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    _mm_storeu_ps(scores + i,
                  score_four(query, rows + picks[i] * stride, rows + picks[i + 1] * stride,
                             rows + picks[i + 2] * stride, rows + picks[i + 3] * stride, stride));
  }
  for (; i < count; ++i) scores[i] = score_one(query, rows + picks[i] * stride, stride);
}

VITRINE_AVX2 std::uint64_t at_least(const float* scores, float threshold) {
  const __m256 wanted = _mm256_set1_ps(threshold);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < k_block_rows; i += 8) {
    const __m256 met = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), wanted, _CMP_GE_OQ);
    bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_ps(met))) << i;
  }
  return bits;
}

}  // namespace avx2

namespace avx512 {

// The masked form of the extraction: g++ 12 believes that the plain one reads an uninitialized
// variable.
VITRINE_AVX512 inline __m128 quarter_of(__m512 sixteen) {
  const __m512d bits = _mm512_castps_pd(sixteen);
  const __m256 low = _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xFF, bits, 0));
  const __m256 high = _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xFF, bits, 1));
  return avx2::quarter_of(_mm256_add_ps(low, high));
}

VITRINE_AVX512 inline __m512 sum_up(__m512 sum, __m512 query, const float* row) {
  return _mm512_add_ps(sum, _mm512_mul_ps(query, _mm512_load_ps(row)));
}

VITRINE_AVX512 inline __m128 score_four(const float* query, const float* r0, const float* r1,
                                        const float* r2, const float* r3, std::size_t stride) {
  __m512 s0 = _mm512_setzero_ps();
  __m512 s1 = _mm512_setzero_ps();
  __m512 s2 = _mm512_setzero_ps();
  __m512 s3 = _mm512_setzero_ps();
  for (std::size_t at = 0; at < stride; at += k_lane_floats) {
    const __m512 q = _mm512_load_ps(query + at);
    s0 = sum_up(s0, q, r0 + at);
    s1 = sum_up(s1, q, r1 + at);
    s2 = sum_up(s2, q, r2 + at);
    s3 = sum_up(s3, q, r3 + at);
  }
  return avx2::sums_of(quarter_of(s0), quarter_of(s1), quarter_of(s2), quarter_of(s3));
}

VITRINE_AVX512 inline float score_one(const float* query, const float* row, std::size_t stride) {
  return _mm_cvtss_f32(score_four(query, row, row, row, row, stride));
}

VITRINE_AVX512 void score_block(const float* query, const float* rows, std::size_t stride,
                                std::size_t count, float* scores) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float* r = rows + i * stride;
    _mm_storeu_ps(scores + i,
                  score_four(query, r, r + stride, r + 2 * stride, r + 3 * stride, stride));
  }
  for (; i < count; ++i) scores[i] = score_one(query, rows + i * stride, stride);
}

VITRINE_AVX512 void score_picks(const float* query, const float* rows, std::size_t stride,
                                const std::uint32_t* picks, std::size_t count, float* scores) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    _mm_storeu_ps(scores + i,
                  score_four(query, rows + picks[i] * stride, rows + picks[i + 1] * stride,
                             rows + picks[i + 2] * stride, rows + picks[i + 3] * stride, stride));
  }
  for (; i < count; ++i) scores[i] = score_one(query, rows + picks[i] * stride, stride);
}

VITRINE_AVX512 std::uint64_t at_least(const float* scores, float threshold) {
  const __m512 wanted = _mm512_set1_ps(threshold);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < k_block_rows; i += 16) {
    const __mmask16 met = _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), wanted, _CMP_GE_OQ);
    bits |= static_cast<std::uint64_t>(met) << i;
  }
  return bits;
}

}  // namespace avx512

#endif

constexpr Kernels k_kernels[] = {
    {"portable", portable::score_block, portable::score_picks, portable::at_least,
     coded_portable::score_coded, coded_portable::count_common},
#if defined(__x86_64__)
    {"avx2", avx2::score_block, avx2::score_picks, avx2::at_least, coded_avx2::score_coded,
     coded_avx2::count_common},
    {"avx512", avx512::score_block, avx512::score_picks, avx512::at_least,
     coded_avx512::score_coded, coded_avx2::count_common},
#endif
};

std::size_t supported_count() {
  if (!processor().has_avx2) return 1;
  return processor().has_avx512_vnni ? 3 : 2;
}

}  // namespace

std::span<const Kernels> supported_kernels() {
  static const std::size_t count = supported_count();
  return {k_kernels, count};
}

const Kernels& best_kernels() { return supported_kernels().back(); }

}  // namespace vitrine::index
