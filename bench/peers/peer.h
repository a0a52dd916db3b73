/* SPDX-License-Identifier: Apache-2.0
 *
 * The interface between `rayo bench` and a peer: a shared object that runs the same work with somebody else's library.
 * Plain C, so that a peer brings its own C++ runtime, OpenMP and ISA flags. One file may hold several peers (variants
 * of one library). The host checks a peer's results before its times count.
 *
 * The environment variable RAYO_BENCH_ISA is set before the file is loaded, because some libraries choose their code
 * when they are loaded: "native" (whatever the CPU has), "avx2", or "baseline" (x86-64 without AVX, ARMv8). A file that
 * cannot keep to it answers with no peers.
 */
#ifndef RAYO_BENCH_PEER_H
#define RAYO_BENCH_PEER_H

#include <rayo/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAYO_PEER_VERSION 1u

/* One call. Tensors are compact, row-major, in host memory, and live until release(). inputs[i] is NULL where an
 * optional input is left out. attrs: those that differ from the op's defaults, ended by RAYO_ATTR_END. */
typedef struct rayo_peer_call {
  const char *op;
  uint32_t input_count;
  uint32_t output_count;
  const rayo_tensor *const *inputs;
  const rayo_tensor *const *outputs; /* shapes and types; where results go is run()'s argument */
  const rayo_attr *attrs;
} rayo_peer_call;

typedef struct rayo_peer {
  const char *name;    /* "openblas", "sleef_composed" */
  const char *version; /* "OpenBLAS 0.3.21 SkylakeX" */
  uint32_t settle_us;  /* how long its idle threads may spin after a call with more than one thread */
  uint32_t reserved;
  /* Threads of later calls at most. Called before prepare. Returns 0 when it cannot keep to that. */
  int (*set_threads)(uint32_t threads);
  /* Work bound to its inputs, or NULL: this peer does not do that call. */
  void *(*prepare)(const rayo_peer_call *call);
  /* Computes into outputs[0..output_count). Must not throw. Returns 0 on failure. */
  int (*run)(void *work, void *const *outputs);
  void (*release)(void *work);
} rayo_peer;

typedef struct rayo_peer_library {
  uint32_t version; /* RAYO_PEER_VERSION */
  uint32_t count;
  const rayo_peer *const *peers;
} rayo_peer_library;

/* The one exported symbol. The result lives as long as the process. */
#define RAYO_PEER_ENTRY "rayo_bench_peers"
RAYO_EXPORT const rayo_peer_library *rayo_bench_peers(void);

#ifdef __cplusplus
}
#endif

#endif /* RAYO_BENCH_PEER_H */
