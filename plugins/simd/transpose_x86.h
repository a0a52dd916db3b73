// SPDX-License-Identifier: Apache-2.0
//
// Transposition of one register tile on 256-bit registers, for AVX2 and AVX-512 alike: 8x8 floats, 4x4 doubles.
// Shuffle port bound: 24 shuffles per 64 floats, 8 per 16 doubles.
#ifndef RAYO_SIMD_TRANSPOSE_X86_H
#define RAYO_SIMD_TRANSPOSE_X86_H

#include <immintrin.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

template <class T>
inline constexpr int kTile = static_cast<int>(32 / sizeof(T));

RAYO_INLINE void transpose_tile(const float *s, int64_t ls, float *d, int64_t ld) {
  __m256 r[8], t[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(s + i * ls);
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) _mm256_storeu_ps(d + i * ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
  for (int i = 0; i < 4; ++i) _mm256_storeu_ps(d + (i + 4) * ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
}

RAYO_INLINE void transpose_tile(const double *s, int64_t ls, double *d, int64_t ld) {
  const __m256d a = _mm256_loadu_pd(s), b = _mm256_loadu_pd(s + ls);
  const __m256d c = _mm256_loadu_pd(s + 2 * ls), e = _mm256_loadu_pd(s + 3 * ls);
  const __m256d p = _mm256_unpacklo_pd(a, b), q = _mm256_unpackhi_pd(a, b);
  const __m256d u = _mm256_unpacklo_pd(c, e), v = _mm256_unpackhi_pd(c, e);
  _mm256_storeu_pd(d, _mm256_permute2f128_pd(p, u, 0x20));
  _mm256_storeu_pd(d + ld, _mm256_permute2f128_pd(q, v, 0x20));
  _mm256_storeu_pd(d + 2 * ld, _mm256_permute2f128_pd(p, u, 0x31));
  _mm256_storeu_pd(d + 3 * ld, _mm256_permute2f128_pd(q, v, 0x31));
}

RAYO_ISA_END

#endif  // RAYO_SIMD_TRANSPOSE_X86_H
