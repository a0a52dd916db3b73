/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops, on GCC's vector types of the width that CEILING_BYTES gives. Compiled with contraction on, so that
 * a * b + c is one FMA where the instruction set has it.
 */
#include "ceiling_loops.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)

typedef float vf __attribute__((vector_size(CEILING_BYTES), aligned(CEILING_BYTES), may_alias));
typedef double vd __attribute__((vector_size(CEILING_BYTES), aligned(CEILING_BYTES), may_alias));

/* Latency x ports: 4 x 2 FMAs in flight on today's x86-64 and ARM cores; 12 leaves room and fits 16 registers. */
#define ACCUMULATORS 12
#define STEPS 64

/* Opaque to the optimiser, so that chains are neither folded nor reordered. The values neither grow nor vanish. */
static volatile float seed_f32 = 0.5F;
static volatile double seed_f64 = 0.5;

#define DEFINE_PEAK(name, vector, seed)                                                                      \
  static double name(uint64_t rounds, double *sink) {                                                        \
    const vector factor = (vector){0} + seed, addend = (vector){0} + seed;                                   \
    vector sum[ACCUMULATORS];                                                                                \
    for (int i = 0; i < ACCUMULATORS; ++i) sum[i] = addend * (float)i;                                       \
    for (uint64_t round = 0; round < rounds * STEPS; ++round) {                                              \
      _Pragma("GCC unroll 12") for (int i = 0; i < ACCUMULATORS; ++i) { sum[i] = sum[i] * factor + addend; } \
    }                                                                                                        \
    for (int i = 1; i < ACCUMULATORS; ++i) sum[0] += sum[i];                                                 \
    *sink += (double)sum[0][0];                                                                              \
    const uint64_t lanes = sizeof(vector) / sizeof factor[0];                                                \
    return 2.0 * STEPS * ACCUMULATORS * (double)rounds * (double)lanes;                                      \
  }
DEFINE_PEAK(fma_f32, vf, seed_f32)
DEFINE_PEAK(fma_f64, vd, seed_f64)

#define DEFINE_CHAIN(name, vector, seed)                                                        \
  static double name(uint64_t rounds, double *sink) {                                           \
    const vector factor = (vector){0} + seed, addend = (vector){0} + seed;                      \
    vector sum = addend;                                                                        \
    for (uint64_t round = 0; round < rounds; ++round) {                                         \
      _Pragma("GCC unroll 64") for (int i = 0; i < STEPS; ++i) { sum = sum * factor + addend; } \
    }                                                                                           \
    *sink += (double)sum[0];                                                                    \
    return (double)STEPS * (double)rounds;                                                      \
  }
DEFINE_CHAIN(chain_f32, vf, seed_f32)
DEFINE_CHAIN(chain_f64, vd, seed_f64)

#define LANES (CEILING_BYTES / sizeof(float))

static void read_all(const float *from, size_t count, double *sink) {
  vf sum[ACCUMULATORS];
  for (int i = 0; i < ACCUMULATORS; ++i) sum[i] = (vf){0};
  size_t at = 0;
  for (; at + ACCUMULATORS * LANES <= count; at += ACCUMULATORS * LANES) {
    _Pragma("GCC unroll 12") for (int i = 0; i < ACCUMULATORS; ++i) {
      sum[i] += *(const vf *)(from + at + (size_t)i * LANES);
    }
  }
  for (; at < count; at += LANES) sum[0] += *(const vf *)(from + at);
  for (int i = 1; i < ACCUMULATORS; ++i) sum[0] += sum[i];
  *sink += (double)sum[0][0];
}

static void copy_all(const float *restrict from, float *restrict to, size_t count) {
  _Pragma("GCC unroll 4") for (size_t at = 0; at < count; at += LANES) { *(vf *)(to + at) = *(const vf *)(from + at); }
}

static void add_all(const float *restrict a, const float *restrict b, float *restrict to, size_t count) {
  _Pragma("GCC unroll 4") for (size_t at = 0; at < count; at += LANES) {
    *(vf *)(to + at) = *(const vf *)(a + at) + *(const vf *)(b + at);
  }
}

static const rayo_ceiling_loops loops = {TEXT(CEILING_ISA), fma_f32,  fma_f64,  chain_f32,
                                         chain_f64,         read_all, copy_all, add_all};

const rayo_ceiling_loops *JOIN(rayo_ceiling_loops_, CEILING_ISA)(void) { return &loops; }
