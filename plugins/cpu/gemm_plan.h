// SPDX-License-Identifier: Apache-2.0
//
// matmul and gemm between the ABI and the hot loops, in three steps: a descriptor becomes a problem (shapes and strides
// in one form for both ops), a problem becomes a plan (path, blocks, workspace), and a call runs the plan. Baseline
// code.
#ifndef RAYO_PLUGINS_CPU_GEMM_PLAN_H
#define RAYO_PLUGINS_CPU_GEMM_PLAN_H

#include <kernels/gemm_table.h>
#include <rayo/plugin.h>

namespace rayo {

/// Strides of a matrix, in elements.
struct GemmStrides {
  int64_t rs;
  int64_t cs;
};

/// y[m, n] = alpha a[m, k] b[k, n] + beta c[m, n] for each matrix of a batch. Transposition is in the strides.
struct GemmProblem {
  int64_t m;
  int64_t n;
  int64_t k;
  GemmStrides a;
  GemmStrides b;
  GemmStrides c;
  GemmStrides y;
  double alpha;
  double beta;
  bool has_c;         // C was given and beta, rounded to the type, is not 0
  bool c_may_be_y;    // C has y's shape and strides: a call may pass one tensor as both
  bool a_transposed;  // by attribute
  bool b_transposed;  // by attribute
  bool chain;         // batch_invariant: no dot order for matrix times vector
  bool swapped;       // the plan computes y^T = b^T a^T: a call's a and b change places
  int32_t batch_ndim;
  int64_t batch_shape[RAYO_MAX_NDIM];
  int64_t a_batch[RAYO_MAX_NDIM];
  int64_t b_batch[RAYO_MAX_NDIM];
  int64_t y_batch[RAYO_MAX_NDIM];
};

/// Reads a validated descriptor of matmul or gemm.
void gemm_read_matmul(const rayo_op_desc &desc, GemmProblem *out);
void gemm_read_gemm(const rayo_op_desc &desc, GemmProblem *out);

/// Products below this many multiply-adds run on the caller's thread: 2 * 128^3 flops are 20 to 40 us of one core with
/// wide vectors, about what waking a second one costs.
inline constexpr int64_t kGemmParallelWork = int64_t{128} * 128 * 128;

enum class GemmPath : uint8_t {
  kEmpty,    // nothing to write
  kDot,      // matrix times vector in the dot order
  kShallow,  // few steps of k, or a single row of y: y is written along its rows
  kNarrow,   // few columns of y: lanes are its rows
  kOne,      // one block per matrix, on the caller's thread, from the operands as they lie: nothing left to decide
  kTiles,    // a task computes a tile of y over all of k, from the operands as they lie or from its own packed copies
};

template <class T>
struct GemmPlan {
  const GemmTable<T> *table;
  GemmProblem p;  // swapped and folded as the path wants it
  T alpha;
  T beta;
  GemmPath path;
  bool pack_a;
  bool pack_b;
  bool copy_b;                 // panels of b are packed by the first tile that reads them
  bool scratch;                // y has no unit stride, or must not hold partial chains: chains end in a scratch tile
  bool parallel;               // worth more than one thread
  int32_t mr;                  // most rows of a tile
  int32_t nr;                  // columns of a panel
  int64_t mc, nc;              // tile of y of a task; kDot, kNarrow: mc = rows of a task
  int64_t mi, kc;              // rows and depth of a block inside it
  int64_t m_blocks, n_blocks;  // tasks of one matrix
  int64_t batch;               // number of matrices
  int64_t batch_step;          // matrices per task (small ones)
  uint64_t worker_bytes;       // workspace of one worker
  uint64_t b_offset;           // inside it, bytes
  uint64_t scratch_offset;
  GemmBlock<T> block;  // kOne: all but the operands' addresses
};

/// Chooses path and blocks. alias: C is y, so partial chains stay out of it. threads: there may be more than one; how
/// many does not matter, and no choice here matters to bits.
template <class T>
void gemm_make_plan(const GemmProblem &problem, const GemmTable<T> &table, bool alias, bool threads, GemmPlan<T> *out);
/// Tasks that can run at once.
template <class T>
uint64_t gemm_tasks(const GemmPlan<T> &plan);

/// Computes. a, b, c, y: element 0 of each operand; c may be nullptr where the plan has no C.
template <class T>
void gemm_run(const GemmPlan<T> &plan, const rayo_call &call, const T *a, const T *b, const T *c, T *y);

}  // namespace rayo

#endif  // RAYO_PLUGINS_CPU_GEMM_PLAN_H
