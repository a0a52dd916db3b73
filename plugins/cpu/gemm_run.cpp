// SPDX-License-Identifier: Apache-2.0
//
// Runs a plan of the matrix product: cuts it into tasks, hands them to the executor, and feeds the ISA's hot loops with
// blocks. No allocation; everything lies in the call's workspace.
#include <cpu/gemm_plan.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

/// What the tasks of one call share.
template <class T>
struct Run {
  const GemmPlan<T> &plan;
  const T *a;
  const T *b;
  const T *c;
  T *y;
  T *shared;
  unsigned char *workers;
  // kBlocked: the panel set in flight
  int64_t col, cols, depth, depths;

  T *worker(uint32_t index, uint64_t offset) const {
    return reinterpret_cast<T *>(workers + index * plan.worker_bytes + offset);
  }
  GemmEpilogue<T> epilogue(int64_t row, int64_t column) const {
    const T *c_at = c == nullptr ? nullptr : c + row * plan.p.c.rs + column * plan.p.c.cs;
    return {plan.alpha, plan.beta, c_at, plan.p.c.rs, plan.p.c.cs};
  }
};

/// Offsets of matrix `index` of the batch.
struct BatchOffset {
  int64_t a = 0, b = 0, y = 0;
  BatchOffset(const GemmProblem &p, int64_t index) {
    for (int32_t i = p.batch_ndim - 1; i >= 0; --i) {
      const int64_t at = index % p.batch_shape[i];
      index /= p.batch_shape[i];
      a += at * p.a_batch[i];
      b += at * p.b_batch[i];
      y += at * p.y_batch[i];
    }
  }
};

// ---- Direct: a tile of y over all of k ------------------------------------------------------------------------------

/// Columns [0, n) of b, not packed: widths that tiles read exactly, the last few columns by a packed copy.
template <class T>
void direct_columns(const Run<T> &run, GemmBlock<T> g, const GemmStrides &bs, T *edge) {
  const GemmTable<T> &t = *run.plan.table;
  const int64_t n = g.n;
  const GemmEpilogue<T> e = g.epilogue;
  const T *b = g.b;
  T *y = g.y;
  int64_t col = 0;
  int32_t nr = g.nr;
  while (col < n) {
    while (nr > n - col && nr > t.lanes) nr = nr > t.cols ? nr / 2 : t.lanes;
    const bool packed = nr > n - col;
    const int64_t cols = packed ? n - col : (n - col) / nr * nr;
    g.b = b + col;
    g.ldb = bs.rs;
    g.b_panel = nr;
    if (packed) {
      t.pack_b({b + col, bs.rs, bs.cs, edge, g.k, cols, nr});
      g.b = edge;
      g.ldb = nr;
      g.b_panel = nr * g.k;
    }
    g.y = y + col;
    if (e.c != nullptr) g.epilogue.c = e.c + col * e.c_cs;
    g.n = cols;
    g.nr = nr;
    t.block(g);
    col += cols;
  }
}

template <class T>
void direct_tile(const Run<T> &run, const BatchOffset &at, int64_t row, int64_t col, uint32_t worker) {
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  const GemmTable<T> &t = *plan.table;
  GemmBlock<T> g{};
  g.m = min64(plan.mc, p.m - row);
  g.n = min64(plan.nc, p.n - col);
  g.nr = plan.nr;
  g.packed = plan.pack_a;
  g.epilogue = run.epilogue(row, col);
  T *y = run.y + at.y + row * p.y.rs + col * p.y.cs;
  g.y = plan.scratch ? run.worker(worker, plan.scratch_offset) : y;
  g.ldy = plan.scratch ? g.n : p.y.rs;
  T *packed_a = run.worker(worker, 0);
  T *packed_b = run.worker(worker, plan.pack_b_offset);
  int64_t depth = 0;
  do {
    GemmBlock<T> h = g;
    h.k = min64(plan.kc, p.k - depth);
    h.first = depth == 0;
    h.last = depth + h.k == p.k && !plan.scratch;
    h.a = run.a + at.a + row * p.a.rs + depth * p.a.cs;
    h.a_rs = p.a.rs;
    h.a_cs = p.a.cs;
    h.b = run.b + at.b + depth * p.b.rs + col * p.b.cs;
    if (plan.pack_a) {
      t.pack_a({h.a, p.a.rs, p.a.cs, packed_a, h.m, h.k, 0});
      h.a = packed_a;
    }
    if (plan.pack_b) {
      t.pack_b({h.b, p.b.rs, p.b.cs, packed_b, h.k, h.n, h.nr});
      h.b = packed_b;
      h.ldb = h.nr;
      h.b_panel = h.nr * h.k;
      t.block(h);
    } else {
      direct_columns(run, h, p.b, packed_b);
    }
    depth += h.k;
  } while (depth < p.k);
  if (plan.scratch) t.finish({g.y, g.ldy, y, p.y.rs, p.y.cs, g.epilogue, g.m, g.n});
}

template <class T>
void direct_task(void *ctx, uint64_t task, uint32_t worker) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const int64_t tiles = plan.m_blocks * plan.n_blocks;
  const int64_t index = static_cast<int64_t>(task);
  const int64_t tile = index % tiles;
  const int64_t first = index / tiles * plan.batch_step;
  const int64_t end = min64(first + plan.batch_step, plan.batch);
  const int64_t row = tile / plan.n_blocks * plan.mc;
  const int64_t col = tile % plan.n_blocks * plan.nc;
  for (int64_t i = first; i < end; ++i) direct_tile(run, BatchOffset(plan.p, i), row, col, worker);
}

// ---- Blocked: shared panels of b, blocks of rows per task -----------------------------------------------------------

constexpr int64_t kPanelsPerTask = 4;

template <class T>
void pack_task(void *ctx, uint64_t task, uint32_t) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const int64_t first = static_cast<int64_t>(task) * kPanelsPerTask * plan.nr;
  const int64_t cols = min64(kPanelsPerTask * plan.nr, run.cols - first);
  const T *src = run.b + run.depth * plan.p.b.rs + (run.col + first) * plan.p.b.cs;
  plan.table->pack_b({src, plan.p.b.rs, plan.p.b.cs, run.shared + first * run.depths, run.depths, cols, plan.nr});
}

template <class T>
void block_task(void *ctx, uint64_t task, uint32_t worker) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  const int64_t index = static_cast<int64_t>(task);
  const int64_t row = index / plan.n_blocks * plan.mc;
  // Columns of the task: whole panels.
  const int64_t panels = (run.cols + plan.nr - 1) / plan.nr;
  const int64_t part = index % plan.n_blocks;
  const int64_t col = part * panels / plan.n_blocks * plan.nr;
  const int64_t end = min64((part + 1) * panels / plan.n_blocks * plan.nr, run.cols);
  if (col >= end) return;
  GemmBlock<T> g{};
  g.m = min64(plan.mc, p.m - row);
  g.n = end - col;
  g.k = run.depths;
  g.a = run.a + row * p.a.rs + run.depth * p.a.cs;
  g.a_rs = p.a.rs;
  g.a_cs = p.a.cs;
  if (plan.pack_a) {
    T *packed = run.worker(worker, 0);
    plan.table->pack_a({g.a, p.a.rs, p.a.cs, packed, g.m, g.k, 0});
    g.a = packed;
    g.packed = 1;
  }
  g.b = run.shared + col * run.depths;
  g.ldb = plan.nr;
  g.b_panel = plan.nr * g.k;
  g.nr = plan.nr;
  g.y = run.y + row * p.y.rs + run.col + col;
  g.ldy = p.y.rs;
  g.epilogue = run.epilogue(row, run.col + col);
  g.first = run.depth == 0;
  g.last = run.depth + run.depths == p.k;
  plan.table->block(g);
}

// ---- Dot: matrix times vector ---------------------------------------------------------------------------------------

template <class T>
void dot_task(void *ctx, uint64_t task, uint32_t worker) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  const int64_t index = static_cast<int64_t>(task);
  const BatchOffset at(p, index / plan.m_blocks);
  const int64_t row = index % plan.m_blocks * plan.mc;
  const T *x = run.b + at.b;
  if (plan.pack_b) {
    T *copy = run.worker(worker, plan.pack_b_offset);
    plan.table->pack_a({x, 0, p.b.rs, copy, 1, p.k, 0});
    x = copy;
  }
  GemmRows<T> g{};
  g.a = run.a + at.a + row * p.a.rs;
  g.a_rs = p.a.rs;
  g.a_cs = p.a.cs;
  g.x = x;
  g.y = run.y + at.y + row * p.y.rs;
  g.y_s = p.y.rs;
  g.epilogue = run.epilogue(row, 0);
  g.m = min64(plan.mc, p.m - row);
  g.k = p.k;
  g.scratch = run.worker(worker, plan.scratch_offset);
  plan.table->rows(g);
}

// ---- Calls
// ------------------------------------------------------------------------------------------------------------

template <class T>
void for_tasks(const Run<T> &run, const rayo_call &call, uint64_t tasks, rayo_task_fn fn) {
  // The executor hands a plain pointer through; tasks only read the run.
  run_tasks(call, tasks, run.plan.parallel, fn, const_cast<void *>(static_cast<const void *>(&run)));
}

template <class T>
void run_blocked(Run<T> run, const rayo_call &call) {
  const GemmPlan<T> &plan = run.plan;
  const uint64_t tasks = gemm_tasks(plan);
  for (run.col = 0; run.col < plan.p.n; run.col += plan.nc) {
    run.cols = min64(plan.nc, plan.p.n - run.col);
    const int64_t group = kPanelsPerTask * plan.nr;
    const uint64_t pack_tasks = static_cast<uint64_t>((run.cols + group - 1) / group);
    run.depth = 0;
    do {
      run.depths = min64(plan.kc, plan.p.k - run.depth);
      for_tasks(run, call, pack_tasks, pack_task<T>);
      for_tasks(run, call, tasks, block_task<T>);
      run.depth += run.depths;
    } while (run.depth < plan.p.k);
  }
}

}  // namespace

template <class T>
void gemm_run(const GemmPlan<T> &plan, const rayo_call &call, const T *a, const T *b, const T *c, T *y) {
  if (plan.path == GemmPath::kEmpty) return;
  if (plan.p.swapped) {
    const T *first = a;
    a = b;
    b = first;
  }
  unsigned char *workspace = static_cast<unsigned char *>(call.workspace);
  Run<T> run{
      plan, a, b, plan.p.has_c ? c : nullptr, y, reinterpret_cast<T *>(workspace), workspace + plan.shared_bytes, 0,
      0,    0, 0};
  if (plan.path == GemmPath::kDirect) return for_tasks(run, call, gemm_tasks(plan), direct_task<T>);
  if (plan.path == GemmPath::kDot) return for_tasks(run, call, gemm_tasks(plan), dot_task<T>);
  for (int64_t i = 0; i < plan.batch; ++i) {
    const BatchOffset at(plan.p, i);
    run.a = a + at.a;
    run.b = b + at.b;
    run.y = y + at.y;
    run_blocked(run, call);
  }
}

template void gemm_run(const GemmPlan<float> &, const rayo_call &, const float *, const float *, const float *,
                       float *);
template void gemm_run(const GemmPlan<double> &, const rayo_call &, const double *, const double *, const double *,
                       double *);

}  // namespace rayo
