/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops that show what a core can do at most. One C source, compiled once per instruction set: C, so that no inline
 * function of a wider instruction set can end up in the rest of the program.
 */
#ifndef RAYO_BENCH_CEILING_LOOPS_H
#define RAYO_BENCH_CEILING_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rayo_ceiling_loops {
  const char *isa;
  /* Independent FMA chains in registers; returns the operations done (an FMA is two). `sink` keeps them alive. */
  double (*fma_f32)(uint64_t rounds, double *sink);
  double (*fma_f64)(uint64_t rounds, double *sink);
  /* One dependent chain; returns the FMAs done. */
  double (*chain_f32)(uint64_t rounds, double *sink);
  double (*chain_f64)(uint64_t rounds, double *sink);
  /* Over `count` floats, a multiple of 256, 64-byte aligned. */
  void (*read)(const float *from, size_t count, double *sink);
  void (*copy)(const float *from, float *to, size_t count);
  void (*add)(const float *a, const float *b, float *to, size_t count);
} rayo_ceiling_loops;

const rayo_ceiling_loops *rayo_ceiling_loops_baseline(void);
const rayo_ceiling_loops *rayo_ceiling_loops_avx2(void);
const rayo_ceiling_loops *rayo_ceiling_loops_avx512(void);

#ifdef __cplusplus
}
#endif

#endif /* RAYO_BENCH_CEILING_LOOPS_H */
