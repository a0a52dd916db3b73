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

RAYO_INLINE void transpose_tile(const float *s, int64_t ls, float *d, int64_t ld) {
#pragma GCC unroll 2
  for (int c = 0; c < 8; c += 4) {
    const __m256 r0 = load_halves(s + c, s + c + 4 * ls);
    const __m256 r1 = load_halves(s + c + ls, s + c + 5 * ls);
    const __m256 r2 = load_halves(s + c + 2 * ls, s + c + 6 * ls);
    const __m256 r3 = load_halves(s + c + 3 * ls, s + c + 7 * ls);
    const __m256 t0 = _mm256_unpacklo_ps(r0, r1), t1 = _mm256_unpackhi_ps(r0, r1);
    const __m256 t2 = _mm256_unpacklo_ps(r2, r3), t3 = _mm256_unpackhi_ps(r2, r3);
    _mm256_storeu_ps(d + c * ld, _mm256_shuffle_ps(t0, t2, 0x44));
    _mm256_storeu_ps(d + (c + 1) * ld, _mm256_shuffle_ps(t0, t2, 0xee));
    _mm256_storeu_ps(d + (c + 2) * ld, _mm256_shuffle_ps(t1, t3, 0x44));
    _mm256_storeu_ps(d + (c + 3) * ld, _mm256_shuffle_ps(t1, t3, 0xee));
  }
}

RAYO_INLINE void transpose_tile(const double *s, int64_t ls, double *d, int64_t ld) {
#pragma GCC unroll 2
  for (int c = 0; c < 4; c += 2) {
    const __m256d r0 = load_halves(s + c, s + c + 2 * ls);
    const __m256d r1 = load_halves(s + c + ls, s + c + 3 * ls);
    _mm256_storeu_pd(d + c * ld, _mm256_unpacklo_pd(r0, r1));
    _mm256_storeu_pd(d + (c + 1) * ld, _mm256_unpackhi_pd(r0, r1));
  }
}

RAYO_ISA_END

#endif  // RAYO_SIMD_TRANSPOSE_X86_H
