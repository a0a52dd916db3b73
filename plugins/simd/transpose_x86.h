// SPDX-License-Identifier: Apache-2.0
//
// Transposition of one register tile on 256-bit registers, for AVX2 and AVX-512 alike: 8x8 floats, 4x4 doubles.
// Shuffle port bound: 16 shuffles per 64 floats, 4 per 16 doubles.
#ifndef RAYO_SIMD_TRANSPOSE_X86_H
#define RAYO_SIMD_TRANSPOSE_X86_H

#include <immintrin.h>
#include <simd/vec.h>

RAYO_ISA_BEGIN

template <class T>
inline constexpr int kTile = static_cast<int>(32 / sizeof(T));

/// The 16 bytes at p and those at q as one register: a load and a load that blends, no shuffle.
RAYO_INLINE __m256 load_halves(const float *p, const float *q) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1);
}
RAYO_INLINE __m256d load_halves(const double *p, const double *q) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(q), 1);
}

/// Lane r of c[i] = s[r * ls + i]: 4 columns of 8 floats, 2 of 4 doubles.
RAYO_INLINE void load_columns_256(const float *s, int64_t ls, __m256 (&c)[4]) {
  const __m256 r0 = load_halves(s, s + 4 * ls), r1 = load_halves(s + ls, s + 5 * ls);
  const __m256 r2 = load_halves(s + 2 * ls, s + 6 * ls), r3 = load_halves(s + 3 * ls, s + 7 * ls);
  const __m256 t0 = _mm256_unpacklo_ps(r0, r1), t1 = _mm256_unpackhi_ps(r0, r1);
  const __m256 t2 = _mm256_unpacklo_ps(r2, r3), t3 = _mm256_unpackhi_ps(r2, r3);
  c[0] = _mm256_shuffle_ps(t0, t2, 0x44);
  c[1] = _mm256_shuffle_ps(t0, t2, 0xee);
  c[2] = _mm256_shuffle_ps(t1, t3, 0x44);
  c[3] = _mm256_shuffle_ps(t1, t3, 0xee);
}
RAYO_INLINE void load_columns_256(const double *s, int64_t ls, __m256d (&c)[2]) {
  const __m256d r0 = load_halves(s, s + 2 * ls), r1 = load_halves(s + ls, s + 3 * ls);
  c[0] = _mm256_unpacklo_pd(r0, r1);
  c[1] = _mm256_unpackhi_pd(r0, r1);
}

RAYO_INLINE void transpose_tile(const float *s, int64_t ls, float *d, int64_t ld) {
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    __m256 c[4];
    load_columns_256(s + i, ls, c);
    for (int k = 0; k < 4; ++k) _mm256_storeu_ps(d + (i + k) * ld, c[k]);
  }
}

RAYO_INLINE void transpose_tile(const double *s, int64_t ls, double *d, int64_t ld) {
#pragma GCC unroll 2
  for (int i = 0; i < 4; i += 2) {
    __m256d c[2];
    load_columns_256(s + i, ls, c);
    for (int k = 0; k < 2; ++k) _mm256_storeu_pd(d + (i + k) * ld, c[k]);
  }
}

RAYO_ISA_END

#endif  // RAYO_SIMD_TRANSPOSE_X86_H
